"""What the start of a file looks like: what formats are recognised by. Light, as every format imports it."""

from __future__ import annotations

DELIMITERS = ",\t;|"

# The first bytes of files that people add and no format reads, what they are and what to do instead. An Office document
# is a ZIP archive that begins with a part of one of these names.
OFFICE_PARTS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"mimetypeapplication/vnd.oasis")
UNPACK = "unpack it and add what is in it"
CONTAINERS = (
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xfd7zXZ\x00", "compressed with xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK),
    (b"\xd0\xcf\x11\xe0", "an Office document", "save the table in it as CSV"),
    (b"%PDF-", "a PDF", "export the data behind it as CSV or JSON"),
)
TAR, TAR_AT = b"ustar", 257


def delimiter_of(header: str) -> str:
    """The delimiter that splits a header line into most fields; a comma when none does."""
    return max(DELIMITERS, key=header.count)


def are_json_lines(start: str) -> bool:
    """Whether most of the first whole lines of a file are JSON objects, each on a line of its own."""
    lines = [line.strip() for line in start.split("\n")]
    whole = [line for line in (lines[:-1] if len(lines) > 1 else lines)[:20] if line]
    return sum(line.startswith("{") and line.endswith("}") for line in whole) * 2 > len(whole)


def container(raw: bytes) -> str | None:
    """What a file that holds an export at most inside is, and what to do instead; by its first bytes, as they are on
    disk. Text is None."""
    if raw.startswith(b"PK\x03\x04") and raw[30:].startswith(OFFICE_PARTS):
        return "an Office document: save the table in it as CSV"
    for magic, name, advice in CONTAINERS:
        if raw.startswith(magic):
            return f"{name}: {advice}"
    if raw[TAR_AT:].startswith(TAR):
        return f"a tar archive: {UNPACK}"
    return None
