"""Bytes to rows of text: what is on disk may be compressed, in any encoding, cut off or broken in the middle."""

from __future__ import annotations

import gzip
import json
import random
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_lake.sources import UnknownFormat, recognise
from data_lake.sources.base import Problem
from data_lake.sources.reading.blocks import open_bytes, read_head, read_utf8
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.members import Members
from data_lake.sources.reading.repair import prove_lines, session
from data_lake.sources.reading.splitting import PIECE_BYTES, split_lines, table_of
from data_lake.sources.reading.typed import typed

ROW_START = re.compile(rb'\{\s*"_id"\s*:\s*"[^"]*"\s*,\s*"at"')
ELEMENTS: list[dict[str, Any]] = [
    {"_id": str(n), "at": n, "text": 'a "quote", a \\ and {"_id":', "badges": [{"_id": "sub"}, {"_id": "vip"}]}
    for n in range(6)
]


def written(folder: Path, content: bytes) -> Path:
    path = folder / "export"
    path.write_bytes(content)
    return path


def lines_of(path: Path) -> tuple[list[tuple[int, str, str | None]], list[Problem]]:
    problems: list[Problem] = []
    rows = [row for table in split_lines(read_utf8(path, problems)) for row in table.to_pylist()]
    return [(row["_row"], row["_text"], row["_problem"]) for row in rows], problems


def elements_of(
    content: bytes, key: str | None = "comments", row_start: re.Pattern[bytes] | None = ROW_START, block: int = 1 << 20
) -> tuple[list[dict[str, Any]], Members]:
    members = Members()
    blocks = [content[at : at + block] for at in range(0, len(content), block)]
    with session() as con:
        tables = split_elements(con, blocks, key, row_start, members, batch_bytes=3 * block)
        return [row for table in tables for row in table.to_pylist()], members


def good(rows: list[dict[str, Any]]) -> list[Any]:
    return [json.loads(row["_text"]) for row in rows if row["_problem"] is None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_text_is_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "first line\ncafé über zoé\n".encode(encoding))
    assert lines_of(path) == ([(1, "first line", None), (2, "café über zoé", None)], [])


def test_korean_and_japanese_code_pages_are_told_from_latin(tmp_path: Path) -> None:
    korean = "안녕하세요 오늘 방송 재미있었어요 감사합니다"
    assert lines_of(written(tmp_path, korean.encode("cp949")))[0] == [(1, korean, None)]
    japanese = "今日は配信ありがとう！楽しかったです。また見に来ますね"
    assert lines_of(written(tmp_path, japanese.encode("cp932")))[0] == [(1, japanese, None)]


def test_an_encoding_that_shows_only_behind_the_first_block_is_found(tmp_path: Path) -> None:
    path = written(tmp_path, b"plain\n" * 300_000 + "é\n".encode("latin-1"))
    rows, problems = lines_of(path)
    assert rows[-1] == (300_001, "é", None)
    assert not problems


def test_a_line_that_is_not_utf8_is_reported_and_the_others_are_kept(tmp_path: Path) -> None:
    rows, _ = lines_of(written(tmp_path, "grüße\nb".encode() + b"\xff" + "d\nschön\n".encode()))
    assert [row[1] for row in rows if row[2] is None] == ["grüße", "schön"]
    assert rows[1][0] == 2
    assert "0xFF" in str(rows[1][2])


def test_gzip_is_read_whatever_the_file_is_called(tmp_path: Path) -> None:
    assert lines_of(written(tmp_path, gzip.compress(b"a\n") + gzip.compress(b"b\n"))) == (
        [(1, "a", None), (2, "b", None)],
        [],
    )


def test_a_truncated_gzip_keeps_what_was_read(tmp_path: Path) -> None:
    whole = "".join(f"line {n}\n" for n in range(5_000)).encode()
    rows, problems = lines_of(written(tmp_path, gzip.compress(whole)[:-200]))
    assert rows[0] == (1, "line 0", None)
    assert len(rows) > 1_000
    assert "ends early" in problems[0].reason


def test_a_corrupt_gzip_keeps_every_byte_before_the_damage(tmp_path: Path) -> None:
    first, second = gzip.compress(b"kept\n" * 1_000), bytearray(gzip.compress(b"lost\n" * 1_000))
    second[12] ^= 0xFF
    problems: list[Problem] = []
    assert b"".join(open_bytes(written(tmp_path, first + bytes(second)), problems)).startswith(b"kept\n" * 1_000)
    assert "damaged" in problems[0].reason

    digits = bytes(random.Random(1).choices(b"0123456789", k=400_000))
    packed = bytearray(gzip.compress(digits))
    packed[100_000:100_100] = b"\xff" * 100
    kept = b"".join(open_bytes(written(tmp_path, bytes(packed)), []))
    assert len(kept) > 200_000
    assert digits.startswith(kept[:200_000])


def test_blank_lines_are_counted_and_left_out(tmp_path: Path) -> None:
    assert lines_of(written(tmp_path, b"a\r\n\n  \nb"))[0] == [(1, "a", None), (4, "b", None)]


def test_a_line_without_end_is_cut_off_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"first\n" + b"x" * (3 * PIECE_BYTES) + b"\nlast\n")
    rows, _ = lines_of(path)
    assert [(row[0], row[2]) for row in rows] == [(1, None), (2, "the line is longer than 16 MB"), (3, None)]


def test_head_is_decompressed_and_decoded(tmp_path: Path) -> None:
    head = read_head(written(tmp_path, gzip.compress("é".encode("utf-16"))))
    assert head.text == "é"
    assert head.raw.startswith(b"\x1f\x8b")


@pytest.mark.parametrize("block", [7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("row_start", [ROW_START, None])
def test_elements_are_cut_whatever_the_block_size_and_layout(
    block: int, indent: int | None, row_start: re.Pattern[bytes] | None
) -> None:
    document = {"video": {"id": "5"}, "comments": ELEMENTS, "images": "[{" * 50, "tail": 7}
    rows, members = elements_of(json.dumps(document, indent=indent).encode(), "comments", row_start, block)
    assert good(rows) == ELEMENTS
    assert [row["_row"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert members.values("video", "tail") == {"video": {"id": "5"}, "tail": 7}
    assert good(elements_of(json.dumps(ELEMENTS, indent=indent).encode(), None, row_start, block)[0]) == ELEMENTS


def test_large_members_beside_the_array_are_not_kept() -> None:
    document = {"embedded": {"data": "x" * (3 << 20)}, "comments": ELEMENTS, "video": {"id": "5"}}
    rows, members = elements_of(json.dumps(document).encode(), block=1 << 16)
    assert good(rows) == ELEMENTS
    assert members.values("video", "embedded") == {"video": {"id": "5"}, "embedded": None}


def test_a_document_without_the_array_is_told_from_an_empty_one() -> None:
    assert elements_of(b'{"comments": []}')[1].found
    assert not elements_of(b'{"others": []}')[1].found
    assert not elements_of(b"")[1].found


def test_trailing_commas_and_nan_are_read() -> None:
    rows, _ = elements_of(b'{"comments":[{"_id":"1","at":NaN,"l":[1,],},{"_id":"2","at":2,},]}')
    assert [row["_problem"] for row in rows] == [None, None]
    with session() as con:
        assert con.execute("select json_extract_string(?, '$.l')", [rows[0]["_text"]]).fetchone() == ("[1]",)


def test_half_an_emoji_becomes_the_replacement_character() -> None:
    rows, _ = elements_of(b'{"comments":[{"_id":"1","at":"\\ud83d"}]}')
    assert good(rows) == [{"_id": "1", "at": "\ufffd"}]


@pytest.mark.parametrize("row_start", [ROW_START, None])
@pytest.mark.parametrize(
    ("old", "new"), [('"text": "a', '"text": a'), ("]}", "]"), ("]}", "}"), ('"at": 3, ', '"at": 3}, ')]
)
def test_a_broken_element_costs_itself_only(row_start: re.Pattern[bytes] | None, old: str, new: str) -> None:
    texts = [json.dumps(element) for element in ELEMENTS]
    texts[3] = texts[3].replace(old, new, 1)
    rows, _ = elements_of(f'{{"comments":[{",".join(texts)}]}}'.encode(), "comments", row_start)
    kept = good(rows)
    assert [element for element in kept if element in ELEMENTS] == [e for e in ELEMENTS if e["_id"] != "3"]
    assert any(row["_problem"] for row in rows)


@pytest.mark.parametrize("count", [2_000, 32_000])
def test_a_lost_quote_hides_no_row_behind_it_in_a_file_of_any_size(count: int) -> None:
    many = [{**ELEMENTS[0], "_id": str(n), "text": "x" * 500} for n in range(count)]
    texts = [json.dumps(element) for element in many]
    texts[3] = texts[3].replace('"text": "x', '"text": x', 1)
    rows, _ = elements_of(f"[{','.join(texts)}]".encode(), None, None, block=100_000)
    assert good(rows) == many[:3] + many[4:]
    assert [row["_problem"].startswith("is not valid JSON") for row in rows if row["_problem"]] == [True]


def test_a_file_that_ends_inside_an_element_keeps_those_before() -> None:
    content = json.dumps({"comments": ELEMENTS}).encode()
    rows, _ = elements_of(content[: content.rindex(b'"_id": "5"') + 30])
    assert good(rows) == ELEMENTS[:5]
    assert "the file ends inside the list" in rows[-1]["_problem"]


@pytest.mark.parametrize("depth", [10_000, 200_000])
def test_deep_nesting_is_neither_a_crash_nor_a_lost_neighbour(depth: int) -> None:
    deep = '{"_id":"1","at":' + "[" * depth + "]" * depth + "}"
    rows, _ = elements_of(f'{{"comments":[{{"_id":"0","at":0}},{deep},{{"_id":"2","at":2}}]}}'.encode())
    assert [row["_text"][8] for row in rows] == ["0", "1", "2"]
    unclosed = '{"_id":"1","at":' + "[" * depth
    rows, _ = elements_of(f'{{"comments":[{{"_id":"0","at":0}},{unclosed},{{"_id":"2","at":2}}]}}'.encode())
    assert [row["_text"] for row in rows if not row["_problem"]] == ['{"_id":"0","at":0}', '{"_id":"2","at":2}']


def test_a_line_that_is_not_json_is_reported_at_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"a":1}\n{"a":\n\n{"a":3,}\n')
    with session() as con:
        rows = [r for t in prove_lines(con, split_lines(read_utf8(path, []))) for r in t.to_pylist()]
    assert [(row["_row"], row["_text"]) for row in rows if not row["_problem"]] == [(1, '{"a":1}'), (4, '{"a":3,}')]
    assert [row["_row"] for row in rows if row["_problem"]] == [2]


def test_an_unknown_file_gets_a_sentence_that_names_it_and_what_was_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "holiday.json"
    path.write_text('{"photos": [{"id": 1}]}')
    with pytest.raises(
        UnknownFormat, match=r"holiday\.json is in no format known here; looked for: .*TwitchDownloader"
    ):
        recognise(path)
    path.write_bytes(b"")
    with pytest.raises(UnknownFormat, match="is empty"):
        recognise(path)


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        ("chat.json", "^export is a ZIP archive: unpack it and add what is in it$"),
        ("[Content_Types].xml", "^export is an Office document: save the table in it as CSV$"),
    ],
)
def test_an_archive_is_refused_as_what_it_is_with_what_to_do(tmp_path: Path, inside: str, sentence: str) -> None:
    path = tmp_path / "export"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inside, '{"comments": []}')
    with pytest.raises(UnknownFormat, match=sentence):
        recognise(path)


def test_a_tar_archive_and_a_pdf_are_refused_as_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('{"comments": []}')
    with tarfile.open(tmp_path / "export", "w") as archive:
        archive.add(tmp_path / "chat.json")
    with pytest.raises(UnknownFormat, match=r"^export is a tar archive: unpack it"):
        recognise(tmp_path / "export")
    (tmp_path / "export").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    with pytest.raises(UnknownFormat, match=r"^export is a PDF: export the data behind it as CSV or JSON$"):
        recognise(tmp_path / "export")


def typed_rows(*texts: str) -> list[dict[str, Any]] | None:
    """Members of lines as Arrow reads them, None where the lines have to be read one by one."""
    pieces = table_of(list(range(1, len(texts) + 1)), list(texts), [None] * len(texts))
    table = typed(pieces, pa.schema([("a", pa.string())]))
    return None if table is None else table.to_pylist()


def test_a_line_that_is_null_does_not_kill_the_process() -> None:
    # The smallest input that did, in a process of its own.
    code = "from tests.unit.test_reading import typed_rows; print(typed_rows('null'), typed_rows('{}', 'null'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["None", "None"])


@pytest.mark.parametrize(
    "texts",
    [
        ('{"a":"1"}', "2"),
        ('{"a":"1"}{"a":"2"}', '{"a":"3"'),
        ('{"a":"1"}{"a":"', '"}'),
        ('{"a":"1"}{"a":"}', '{"}'),
        ('{"a":"1"}{"b":{}', '{"a":"2"}}'),
        ('{"a":"1"} {"a":"2"}', "{ }", " "),
        ('{"a":"1"}', ""),
        ('{"a":"1"}', "{"),
        ('{"a":1}',),
    ],
)
def test_lines_that_are_not_one_object_each_are_not_read_as_if_they_were(texts: tuple[str, ...]) -> None:
    assert typed_rows(*texts) is None


def test_lines_of_one_object_each_are_read_at_their_places() -> None:
    assert typed_rows('{"a":"x\\ny"}', '{"b":[{"a":"z"}]}', '{"a":null}') == [{"a": "x\ny"}, {"a": None}, {"a": None}]
    assert typed_rows(*(f'{{"a":"{n}"}}' for n in range(5000))) == [{"a": str(n)} for n in range(5000)]
