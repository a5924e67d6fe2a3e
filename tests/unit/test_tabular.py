"""Tables of any shape and their SQL mappings: what a mapping sees, says when it is wrong, and what bad rows cost."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_lake.contracts import contract
from data_lake.sources.any.tabular import SOURCE
from data_lake.sources.any.tabular.mapping import mappings_for
from data_lake.sources.base import Export, Problem, Rows
from data_lake.sources.reading.blocks import read_head

VIEWERS = """-- files: *
select 'twitch' as platform, 'house' as channel_id, time as observed_at, viewers as viewer_count from {file}
"""


class Read:
    """What a file gave: good rows and bad rows by entity, problems."""

    def __init__(self, path: Path, sidecar: Mapping[str, Any] | None = None) -> None:
        self.problems: list[Problem] = []
        self.tables: dict[str, list[pa.Table]] = defaultdict(list)
        for part in SOURCE.parse(Export(path, "tabular", path.name, sidecar or {})):
            if isinstance(part, Problem):
                self.problems.append(part)
                continue
            self.tables[part.entity].append(part.table)

    @cached_property
    def good(self) -> dict[str, list[dict[str, Any]]]:
        return self._rows(pc.is_null)

    @cached_property
    def bad(self) -> dict[str, list[dict[str, Any]]]:
        return self._rows(pc.is_valid)

    def _rows(self, chosen: Callable[[pa.Array], pa.Array]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entity, tables in self.tables.items():
            for table in tables:
                rows = table.filter(chosen(table.column("_problem")))
                if rows.num_rows:
                    found[entity] += rows.to_pylist()
        return found

    def moments(self, entity: str) -> set[datetime]:
        """The different times of the snapshots of an entity."""
        return set(pc.unique(pa.concat_tables(self.tables[entity]).column("observed_at")).to_pylist())

    def column(self, name: str, entity: str = "viewer_counts") -> list[Any]:
        return [row[name] for row in self.good[entity]]

    @property
    def reasons(self) -> list[str]:
        return [p.reason for p in self.problems]


def put(folder: Path, name: str, content: str | bytes, **mappings: str) -> Path:
    """A file in landing/tabular/house/ with its mappings (`entity__what` is <entity>.<what>.sql)."""
    place = folder / "landing" / "tabular" / "house"
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    for entity, sql in mappings.items():
        (place / f"{entity.replace('__', '.')}.sql").write_text(sql, encoding="utf-8")
    return path


CSV = "time,viewers\n2026-01-01 20:00:00,5\n2026-01-01T21:01:00+01:00,7\n"
OBJECTS = [{"time": "2026-01-01 20:00:00", "viewers": 5}, {"time": "2026-01-01T21:01:00+01:00", "viewers": 7}]


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(OBJECTS), sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", CSV, [2, 3]),
        ("windows.csv", CSV.replace("\n", "\r\n"), [2, 3]),
        ("semicolon.csv", CSV.replace(",", ";"), [2, 3]),
        ("a.tsv", CSV.replace(",", "\t"), [2, 3]),
        ("zipped", gzip.compress(CSV.encode(), mtime=0), [2, 3]),
        ("wide.csv", CSV.encode("utf-16"), [2, 3]),
        ("a.json", json.dumps(OBJECTS), [1, 2]),
        ("pretty.json", json.dumps(OBJECTS, indent=2), [1, 2]),
        ("a.jsonl", "\n".join(map(json.dumps, OBJECTS)), [1, 2]),
        ("a.parquet", parquet(), [1, 2]),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: str | bytes, rows: list[int]) -> None:
    read = Read(put(tmp_path, name, content, viewer_counts=VIEWERS))
    assert read.reasons == []
    assert read.column("viewer_count") == [5, 7]
    assert read.column("observed_at") == [datetime(2026, 1, 1, 20), datetime(2026, 1, 1, 20, 1)]
    assert read.column("_row") == rows


def test_an_excel_sheet_gives_the_same_rows_as_the_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="Excel files need the extra 'excel'")
    book = openpyxl.Workbook()
    for row in [("time", "viewers"), (datetime(2026, 1, 1, 20), 5), (datetime(2026, 1, 1, 20, 1), "seven")]:
        book.active.append(row)
    path = put(tmp_path, "a.xlsx", b"", viewer_counts=VIEWERS)
    book.save(path)
    read = Read(path)
    assert read.column("viewer_count") == [5]
    assert [row["_row"] for row in read.bad["viewer_counts"]] == [3]
    path.write_bytes(path.read_bytes()[:-200])
    assert "damaged" in Read(path).reasons[0]


def test_an_encoding_can_be_stated_in_the_mapping_or_the_sidecar(tmp_path: Path) -> None:
    sql = "-- files: *\n-- encoding: cp949\nselect 'chzzk' as platform, id as channel_id, name as display_name from "
    sql += "{file}"
    path = put(tmp_path, "a.csv", "id,name\nhina,시라유키 히나\n".encode("cp949"), channels=sql)
    assert Read(path).column("display_name", "channels") == ["시라유키 히나"]
    path.write_bytes("id,name\nhina,시라유키 히나\n".encode("utf-16"))
    assert Read(path, {"encoding": "utf-16"}).column("display_name", "channels") == ["시라유키 히나"]
    assert "encoding 'klingon' is unknown" in Read(path, {"encoding": "klingon"}).reasons[0]


def test_columns_have_the_contracts_types(tmp_path: Path) -> None:
    sql = """-- files: *
    select 'twitch' as platform, "when" as occurred_at, 'donation' as event_type, sum as amount, n as month_count
    from {file}"""
    read = Read(put(tmp_path, "a.csv", "when,sum,n\n2026-01-01,1.50,3\n", stream_events=sql))
    table = read.tables["stream_events"][0]
    expected = contract("stream_events").arrow_schema
    assert {c: table.schema.field(c).type for c in ("occurred_at", "amount", "month_count")} == {
        c: expected.field(c).type for c in ("occurred_at", "amount", "month_count")
    }
    assert read.column("amount", "stream_events") == [Decimal("1.5000")]


def test_a_value_that_does_not_cast_costs_its_row_and_says_why(tmp_path: Path) -> None:
    read = Read(put(tmp_path, "a.csv", CSV + "2026-01-01 20:02:00,many\nlater,9\n", viewer_counts=VIEWERS))
    assert read.column("viewer_count") == [5, 7]
    assert [(r["_row"], r["_problem"]) for r in read.bad["viewer_counts"]] == [
        (4, "viewer_counts.sql: column viewer_count: 'many' is not a bigint"),
        (5, "viewer_counts.sql: column observed_at: 'later' is not a timestamp"),
    ]
    assert json.loads(read.bad["viewer_counts"][0]["_text"]) == {"time": "2026-01-01 20:02:00", "viewers": "many"}


def test_an_expression_that_fails_for_one_row_costs_only_that_row(tmp_path: Path) -> None:
    sql = VIEWERS.replace("viewers as", "viewers::int * 2 as").replace("{file}", "{file} where viewers::int < 100")
    read = Read(put(tmp_path, "a.csv", CSV + "2026-01-01 20:02:00,many\n2026-01-01 20:03:00,200\n", viewer_counts=sql))
    assert read.column("viewer_count") == [10, 14]
    assert [r["_row"] for r in read.bad["viewer_counts"]] == [4]
    assert "viewer_counts.sql: column viewer_count: cannot be computed" in read.bad["viewer_counts"][0]["_problem"]


def test_a_bad_value_inside_a_window_says_to_use_try_cast(tmp_path: Path) -> None:
    sql = VIEWERS.replace("viewers as", "sum(viewers::int) over (order by time) as")
    read = Read(put(tmp_path, "a.csv", CSV + "2026-01-01 20:02:00,many\n", viewer_counts=sql))
    assert "'many'" in read.reasons[0]
    assert "write try_cast" in read.reasons[0]


def test_columns_of_numbers_can_be_computed_with_and_codes_stay_text(tmp_path: Path) -> None:
    sql = """-- files: *
    select 'twitch' as platform, code as channel_id, time as observed_at,
        viewers - lag(viewers, 1, 0::bigint) over (order by time) as viewer_count
    from {file}"""
    rows = "time,viewers,code\n2026-01-01 20:00:00,5,007\n2026-01-01 20:01:00,7,12\n"
    read = Read(put(tmp_path, "a.csv", rows, viewer_counts=sql))
    assert read.column("viewer_count") == [5, 2]
    assert read.column("channel_id") == ["007", "12"]


def test_an_unknown_column_is_named_with_the_nearest_one_of_the_contract(tmp_path: Path) -> None:
    sql = VIEWERS.replace("viewer_count", "viewers_count")
    read = Read(put(tmp_path, "a.csv", CSV, viewer_counts=sql))
    assert not read.good
    assert "viewer_counts.sql" in read.reasons[0]
    assert "no column 'viewers_count'; did you mean 'viewer_count'?" in read.reasons[0]


def test_a_renamed_column_is_named_with_what_the_file_has(tmp_path: Path) -> None:
    read = Read(put(tmp_path, "a.csv", CSV.replace("viewers", "watching"), viewer_counts=VIEWERS))
    assert '"viewers" not found' in read.reasons[0]
    assert "The file has: time varchar, watching bigint, _row, _file" in read.reasons[0]


@pytest.mark.parametrize(
    ("name", "sql", "sentence"),
    [
        ("viewer_counts", "select 1 from {file}", "its first line must say what it reads"),
        ("viewer_counts", "-- files: *\nselect 1", "must select from {file}"),
        ("viewer_counts", "-- files: *\nselect 'a' as channel_id from {file}", "needs platform, observed_at"),
        ("viewer_counts", "-- files: *\nselekt * from {file}", "syntax error"),
        ("viewer_counts", "-- files: *\ndrop table {file}", "must be one select"),
        ("viewer_count", VIEWERS, "did you mean viewer_counts.sql?"),
        ("viewer_counts", VIEWERS.replace("*", "b.csv"), "no mapping reads a.csv"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_to_change(tmp_path: Path, name: str, sql: str, sentence: str) -> None:
    read = Read(put(tmp_path, "a.csv", CSV, **{name: sql}))
    assert not read.good
    assert sentence in " ".join(read.reasons)


def test_a_broken_mapping_leaves_the_others_of_the_file_running(tmp_path: Path) -> None:
    read = Read(put(tmp_path, "a.csv", CSV, viewer_counts=VIEWERS, chat_counts="-- files: *\nselect x from {file}"))
    assert read.column("viewer_count") == [5, 7]
    assert ["chat_counts.sql" in r for r in read.reasons] == [True]


def test_two_mappings_of_one_entity_read_files_of_two_shapes(tmp_path: Path) -> None:
    other = VIEWERS.replace("*", "old/**/*.csv").replace("viewers as", "v as")
    path = put(tmp_path, "old/2017/a.csv", CSV.replace("viewers", "v"), viewer_counts__old=other)
    put(tmp_path, "b.csv", CSV, viewer_counts=VIEWERS)
    assert [m.name for m in mappings_for(path)] == ["viewer_counts.old.sql"]
    assert Read(path).column("viewer_count") == [5, 7]


def test_placeholders_give_the_file_name_and_the_time_of_the_export(tmp_path: Path) -> None:
    sql = """-- files: **/*.csv
    select 'twitch' as platform, split_part({file_name}, '/', 1) as stream_id, {exported_at} as observed_at from {file}
    where _file = {file_name}"""
    path = put(tmp_path, "it's/a.csv", "x\n1\n", streams=sql)
    read = Read(path, {"exported_at": "2026-01-01T09:00:00+09:00"})
    assert read.column("stream_id", "streams") == ["it's"]
    assert read.column("observed_at", "streams") == [datetime(2026, 1, 1)]
    assert Read(path).column("observed_at", "streams") == [None]
    assert "write it as 2026-01-31T12:00:00Z" in Read(path, {"exported_at": "soon"}).reasons[0]


def test_one_json_object_is_a_relation_with_the_column_json(tmp_path: Path) -> None:
    sql = """-- files: *
    select 'twitch' as platform, json ->> 'who' as channel_id, epoch_ms(kv.key::bigint) as observed_at,
        kv.value -> 'v' as viewer_count
    from (select json, unnest(map_entries((json -> 'data')::map(varchar, json))) as kv from {file})"""
    document = {"who": "house", "data": {"1767297600000": {"v": 5}, "1767297660000": {"v": "x"}}}
    read = Read(put(tmp_path, "a.json", json.dumps(document), viewer_counts=sql))
    assert [(r["observed_at"], r["viewer_count"], r["channel_id"]) for r in read.good["viewer_counts"]] == [
        (datetime(2026, 1, 1, 20), 5, "house")
    ]
    assert "'x' is not a bigint" in read.bad["viewer_counts"][0]["_problem"]


def test_the_whole_object_stands_beside_its_keys(tmp_path: Path) -> None:
    sql = VIEWERS.replace("viewers as", "json ->> '$.nested.v' as")
    read = Read(put(tmp_path, "a.json", '[{"time": "2026-01-01", "nested": {"v": 3}}]', viewer_counts=sql))
    assert read.column("viewer_count") == [3]


DAMAGE = {
    "a field too many": ("1,2,3", 3),
    "an odd quote": ('2026-01-01 20:00:30,"6', 3),
    "bytes that are not UTF-8": (b"2026-01-01 20:00:30,\xff6", 3),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_broken_line_of_a_csv_costs_that_line(tmp_path: Path, name: str) -> None:
    line, row = DAMAGE[name]
    first, second, third = CSV.encode().splitlines()
    broken = line.encode() if isinstance(line, str) else line
    read = Read(put(tmp_path, "a.csv", b"\n".join([first, second, broken, third]), viewer_counts=VIEWERS))
    assert read.column("viewer_count") == [5, 7]
    assert [p.row for p in read.problems] + [r["_row"] for r in read.bad["viewer_counts"]] == [row]


def test_a_quoted_field_may_run_over_lines(tmp_path: Path) -> None:
    sql = "-- files: *\nselect 'twitch' as platform, id as stream_id, title from {file}"
    read = Read(put(tmp_path, "a.csv", 'id,title\n1,"a ""big""\nnight, again"\n2,b\n', streams=sql))
    assert [(r["_row"], r["title"]) for r in read.good["streams"]] == [(2, 'a "big"\nnight, again'), (4, "b")]


def test_broken_json_in_mid_file_keeps_the_rows_around_it(tmp_path: Path) -> None:
    first, second = map(json.dumps, OBJECTS)
    read = Read(put(tmp_path, "a.json", f'[{first}, {{"time": "2026-01-01, {second}]', viewer_counts=VIEWERS))
    assert 5 in read.column("viewer_count")
    assert read.problems


def test_a_truncated_gzip_keeps_what_stands_before_the_end(tmp_path: Path) -> None:
    lines = "".join(f"2026-01-01 {n // 60 % 24:02}:{n % 60:02}:00,{n * 7919 % 1000}\n" for n in range(3000))
    packed = gzip.compress(f"time,viewers\n{lines}".encode())
    read = Read(put(tmp_path, "a.csv", packed[: len(packed) // 2], viewer_counts=VIEWERS))
    assert len(read.good["viewer_counts"]) > 500
    assert any("truncated" in reason for reason in read.reasons)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "empty"),
        ("\n\n", "no line"),
        ('{"a": ', "not valid JSON"),
        (b"PAR1 and nothing more", "a.csv: "),
        ("[" * 10_000 + "]" * 10_000, ""),
        ('[{"time": ' + "[" * 10_000 + "]" * 10_000 + "}]", ""),
    ],
)
def test_a_file_that_is_none_is_reported_and_raises_nothing(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    read = Read(put(tmp_path, "a.csv", content, viewer_counts=VIEWERS))
    assert not read.good
    assert read.problems or read.bad
    assert sentence in " ".join(read.reasons)


def test_an_empty_list_and_a_header_alone_are_no_rows_and_no_problem(tmp_path: Path) -> None:
    for name, content in (("a.json", "[]"), ("a.csv", "time,viewers\n")):
        read = Read(put(tmp_path, name, content, viewer_counts=VIEWERS))
        assert (dict(read.good), read.problems) == ({}, [])


def test_a_file_is_recognised_by_the_mapping_beside_it(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", CSV, viewer_counts=VIEWERS)
    assert SOURCE.recognise(read_head(path)) == "a table mapped by viewer_counts.sql"
    other = tmp_path / "b.csv"
    other.write_text(CSV)
    assert SOURCE.recognise(read_head(other)) is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.binary(max_size=30).filter(lambda b: b"\n" not in b and b"\r" not in b),
    place=st.integers(1, 6),
    quoted=st.booleans(),
)
def test_a_corrupted_line_never_loses_the_others(tmp_path: Path, noise: bytes, place: int, quoted: bool) -> None:
    values = [f"{n}" if not quoted else f'"{n}"' for n in range(10, 16)]
    lines = [f"2026-01-01 20:0{n}:00,{value}".encode() for n, value in enumerate(values)]
    lines.insert(place - 1, noise)
    read = Read(
        put(tmp_path, "a.csv", b"time,viewers\n" + b"\n".join(lines), viewer_counts=VIEWERS), {"encoding": "utf-8"}
    )
    kept = {row["_row"]: row["viewer_count"] for row in read.good["viewer_counts"]}
    kept.pop(place + 1, None)
    assert list(kept.values()) == list(range(10, 16))


def test_rows_of_a_large_file_arrive_in_batches(tmp_path: Path) -> None:
    lines = "".join(f"2026-01-01 20:00:00,{n}\n" for n in range(120_000))
    path = put(tmp_path, "a.csv", f"time,viewers\n{lines}", viewer_counts=VIEWERS)
    parts = list(SOURCE.parse(Export(path, "tabular", path.name)))
    assert all(isinstance(p, Rows) for p in parts)
    sizes = [p.table.num_rows for p in parts if isinstance(p, Rows)]
    assert (sum(sizes), max(sizes) <= 60_000) == (120_000, True)
