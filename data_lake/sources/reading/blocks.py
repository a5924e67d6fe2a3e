"""Bytes on disk to UTF-8 blocks: decompression, encoding, and the head a format is recognised by.

Everything here runs in flat memory and raises nothing because of what a file contains: what cannot be read is added to
the caller's list of problems and everything before it is kept.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from data_lake.sources.base import Head, Problem

BLOCK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
GZIP = b"\x1f\x8b"

# Tried in this order where bytes are neither UTF-8 nor UTF-16/32: multi-byte encodings first, because every byte string
# is valid Latin-1. Restricted on purpose: a free guess takes German for Turkish.
LEGACY = ["cp932", "cp949", "gb18030", "big5", "cp1251", "cp1252", "latin_1"]

_GUNZIP_INPUT = 1 << 16
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Stand-in for bytes a legacy encoding cannot decode: encodes to a byte that is not UTF-8, so the row is found."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    raise error


codecs.register_error("full_house_mark", _mark_undecodable)


def open_bytes(path: Path, problems: list[Problem], block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The file's bytes in blocks, decompressed when they begin with the gzip magic, whatever the name says.

    A truncated or corrupt gzip yields every byte before the damage and adds a problem.
    """
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP
        file.seek(0)
        if compressed:
            yield from _gunzip(file, problems, block_bytes)
        else:
            while block := file.read(block_bytes):
                yield block


def _gunzip(file: object, problems: list[Problem], block_bytes: int) -> Iterator[bytes]:
    """Decompress all members; a block holds up to about twice `block_bytes`."""
    read = file.read  # type: ignore[attr-defined]
    inflate = zlib.decompressobj(wbits=31)
    held: list[bytes] = []
    size = 0
    fresh = True  # nothing of the current member was read yet
    while piece := read(_GUNZIP_INPUT):
        while piece:
            if inflate.eof:
                piece = piece.lstrip(b"\0")  # padding after a member is legal
                if not piece:
                    break
                if piece[:1] != GZIP[:1]:
                    problems.append(Problem(None, "there are bytes after the end of the gzip data; they were not read"))
                    yield b"".join(held)
                    return
                inflate, fresh = zlib.decompressobj(wbits=31), True
            before = inflate.copy()
            try:
                out = inflate.decompress(piece, block_bytes)
                piece = inflate.unconsumed_tail or inflate.unused_data
                fresh = False
            except zlib.error as error:
                held.append(_until_damage(before, piece))
                problems.append(Problem(None, f"the gzip data is damaged ({error}); what stood before was kept"))
                yield b"".join(held)
                return
            held.append(out)
            size += len(out)
            if size >= block_bytes:
                yield b"".join(held)
                held, size = [], 0
    if not inflate.eof and not fresh:
        held.append(inflate.flush())
        problems.append(Problem(None, "the gzip data ends early (a truncated file); what stood before was kept"))
    if any(held):
        yield b"".join(held)


def _until_damage(inflate: object, piece: bytes) -> bytes:
    """What a piece still yields before its damage: zlib drops the output of a call that fails, so feed single bytes."""
    out = bytearray()
    try:
        for at in range(len(piece)):
            out += inflate.decompress(piece[at : at + 1])  # type: ignore[attr-defined]
    except zlib.error:
        pass
    return bytes(out)


def detect_encoding(sample: bytes) -> str:
    """Name of the encoding of a sample from the start of a file: 'utf-8' unless the bytes say otherwise."""
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name
    wide = _wide_encoding(sample)
    if wide:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    well_formed = sum(len(sequence) for sequence in _UTF8_SEQUENCE.findall(sample))
    high = sum(byte >= 0x80 for byte in sample)
    if well_formed > high - well_formed:
        return "utf-8"  # damaged UTF-8, not another encoding: the splitter reports the rows
    return _legacy_encoding(sample)


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, by where the zero bytes of its ASCII characters stand."""
    head = sample[:4096]
    if head.count(0) * 4 < len(head) or len(head) < 2:
        return None
    zeros = [head[at::4].count(0) * 4 / len(head) for at in range(4)]
    if len(head) >= 4 and zeros[1] > 0.9 and zeros[2] > 0.9:
        return "utf-32-le" if zeros[3] > zeros[0] else "utf-32-be"
    return "utf-16-le" if zeros[1] + zeros[3] > zeros[0] + zeros[2] else "utf-16-be"


def _legacy_encoding(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # imported here: few files need it

    high = sum(byte >= 0x80 for byte in sample)
    # Short runs of high bytes are accents of a Western text; a multi-byte guess needs evidence.
    candidates = LEGACY if high >= 16 and high * 12 > len(sample) else LEGACY[-2:]
    best = from_bytes(sample, cp_isolation=candidates, preemptive_behaviour=False).best()
    return best.encoding if best is not None else "cp1252" if _decodes(sample, "cp1252") else "latin-1"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def read_utf8(path: Path, problems: list[Problem], encoding: str | None = None) -> Iterator[bytes]:
    """The file as blocks of UTF-8 without byte order mark; `encoding` overrides what the bytes say.

    UTF-8 passes through untouched, so a damaged file may still hold bytes that are not UTF-8; the splitters find the
    rows that hold them. A file that is ASCII at first is judged by the first block that is not.
    """
    blocks = open_bytes(path, problems)
    first = b""
    for block in blocks:
        first += block
        if len(first) >= HEAD_BYTES:
            break
    if encoding is None:
        encoding = detect_encoding(first[:HEAD_BYTES])
        undecided = encoding == "utf-8" and first[:HEAD_BYTES].isascii()
    else:
        undecided = False
    for bom, name in _BOMS:
        if first.startswith(bom) and codecs.lookup(name) == codecs.lookup(encoding):
            first = first[len(bom) :]
    decode = None if codecs.lookup(encoding).name == "utf-8" else _decoder(encoding)
    for block in _chain(first, blocks):
        if undecided and not block.isascii():
            undecided = False
            at = next(re.finditer(rb"[\x80-\xff]", block)).start()
            encoding = detect_encoding(block[max(0, at - 64) : at + HEAD_BYTES])
            decode = None if encoding == "utf-8" else _decoder(encoding)
        yield block if decode is None else _encode(decode.decode(block))
    if decode is not None:
        yield _encode(decode.decode(b"", final=True))


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)(errors="full_house_mark")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def read_head(path: Path) -> Head:
    """The first 64 KiB, decompressed and decoded, and the first bytes as they are on disk. Raises OSError only."""
    with path.open("rb") as file:
        raw = file.read(4096)
    held = b""
    for block in read_utf8(path, []):
        held += block
        if len(held) >= HEAD_BYTES:
            break
    return Head(path=path, name=path.name, raw=raw, text=held[:HEAD_BYTES].decode("utf-8", errors="replace"))
