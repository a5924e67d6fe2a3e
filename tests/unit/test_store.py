"""Partitions: written whole, atomically, in the contract's shape; merged without regard to order."""

from __future__ import annotations

import itertools
from datetime import date

import pyarrow.parquet as pq
import pytest

from data_lake.contracts import ContractError, contract
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.sql import connect
from data_lake.store import contract_of, ensure_readable, merge, scan, write_partition
from tests.builders import at, message, put, rows_of

DAY = date(2026, 1, 31)


def texts(lake: Layout) -> list[tuple[str, str]]:
    return scan(lake, "chat_messages").select("message_id, text").order("message_id").fetchall()


def merge_rows(lake: Layout, file: str, *rows: dict[str, object]) -> list[date]:
    table = rows_of("chat_messages", *[{**row, "landing_file": file} for row in rows])
    with connect(lake) as connection:
        connection.register("read", table)
        connection.execute("create temp table incoming as select *, row_number() over () as _row from read")
        return merge(lake, connection, "chat_messages", "streampai", "incoming", landing_files=[file])


def test_a_partition_carries_its_contract_and_is_sorted(lake: Layout) -> None:
    rows = rows_of("chat_messages", message("b", "2026-01-31 20:01"), message("a", "2026-01-31 20:00"))
    assert write_partition(lake, "chat_messages", DAY, "streampai", rows)
    path = lake.raw_partition("chat_messages", DAY, "streampai")
    assert contract_of(path) == contract("chat_messages").hash
    assert pq.ParquetFile(path).read().column("message_id").to_pylist() == ["a", "b"]


def test_writing_the_same_rows_in_another_order_changes_nothing(lake: Layout) -> None:
    one, two = message("a", "2026-01-31 20:00"), message("b", "2026-01-31 20:01")
    assert write_partition(lake, "chat_messages", DAY, "streampai", rows_of("chat_messages", one, two))
    assert not write_partition(lake, "chat_messages", DAY, "streampai", rows_of("chat_messages", two, one))


def test_no_rows_remove_the_partition(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-31 20:00"))
    assert write_partition(lake, "chat_messages", DAY, "streampai", rows_of("chat_messages"))
    assert list(partitions(lake)) == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (message("a", "2026-02-01 00:00"), "holds rows of"),
        ({**message("a", "2026-01-31 20:00"), "platform": None}, "platform is missing in 1 rows"),
    ],
)
def test_rows_that_break_the_contract_are_refused(lake: Layout, row: dict[str, object], reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        write_partition(lake, "chat_messages", DAY, "streampai", rows_of("chat_messages", row))


def test_a_repeated_key_and_an_unknown_column_are_refused(lake: Layout) -> None:
    twice = rows_of("chat_messages", message("a", "2026-01-31 20:00"), message("a", "2026-01-31 20:01"))
    with pytest.raises(ContractError, match="1 rows repeat a key"):
        write_partition(lake, "chat_messages", DAY, "streampai", twice)
    with pytest.raises(ContractError, match=r"no column \['shoe_size'\]"):
        write_partition(lake, "chat_messages", DAY, "streampai", twice.append_column("shoe_size", [[1, 2]]))


def test_an_entity_without_rows_can_be_read(lake: Layout) -> None:
    ensure_readable(lake, "clips")
    assert scan(lake, "clips").fetchall() == []


def test_the_latest_export_of_a_message_wins_in_any_order(lake: Layout) -> None:
    exports = [
        ("1111-a", message("m", "2026-01-31 20:00", "first", extracted_at=at("2026-02-01 00:00"))),
        ("2222-b", message("m", "2026-01-31 20:00", "edited", extracted_at=at("2026-02-03 00:00"))),
        ("3333-c", message("m", "2026-01-31 20:00", "between", extracted_at=at("2026-02-02 00:00"))),
    ]
    for order in itertools.permutations(exports):
        for file, row in order:
            merge_rows(lake, file, row)
        assert texts(lake) == [("m", "edited")]
        write_partition(lake, "chat_messages", DAY, "streampai", rows_of("chat_messages"))


def test_reading_a_file_again_replaces_its_rows(lake: Layout) -> None:
    merge_rows(lake, "1111-a", message("m1", "2026-01-31 20:00"), message("m2", "2026-01-31 20:01"))
    merge_rows(lake, "2222-b", message("m3", "2026-01-31 20:02"))
    merge_rows(lake, "1111-a", message("m1", "2026-01-31 20:00", "reread"))
    assert texts(lake) == [("m1", "reread"), ("m3", "hello")]


def test_merging_what_is_there_reports_no_changed_day(lake: Layout) -> None:
    row = message("m1", "2026-01-31 20:00")
    assert merge_rows(lake, "1111-a", row) == [DAY]
    assert merge_rows(lake, "1111-a", row) == []


def test_rows_of_several_days_land_in_their_own_partitions(lake: Layout) -> None:
    merge_rows(lake, "1111-a", message("m1", "2026-01-31 23:59:59"), message("m2", "2026-02-01 00:00:00"))
    assert [(p.day.isoformat()) for p in partitions(lake)] == ["2026-01-31", "2026-02-01"]
