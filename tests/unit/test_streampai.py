"""Streampai's tables in every container, each row mapped, each bad value costing its row only."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_lake.contracts import contract
from data_lake.sources import recognise
from data_lake.sources.base import Export, Problem
from data_lake.sources.live.streampai import SOURCE

LIVE, OWNER = "11111111-aaaa-4bbb-8ccc-000000000001", "99999999-aaaa-4bbb-8ccc-000000000009"
LIVESTREAM: dict[str, Any] = {
    "id": LIVE,
    "title": 'Opening, with "guests"',
    "description": "first\nsecond line",
    "category": "Chess",
    "language": "en",
    "tags": ["English", "a, b"],
    "started_at": "2025-06-01T18:00:00.5",
    "ended_at": "2025-06-01T20:00:00",
    "user_id": OWNER,
}
METRICS: dict[str, Any] = {
    "livestream_id": LIVE,
    "created_at": "2025-06-01T18:01:00",
    "youtube_viewers": 0,
    "twitch_viewers": 120,
    "facebook_viewers": None,
    "input_bitrate_kbps": 6000,
}


def event(kind: str, number: int = 1, **data: Any) -> dict[str, Any]:
    """A row of stream_events."""
    return {
        "id": f"e{number}",
        "type": kind,
        "data": data,
        "author_id": None,
        "livestream_id": LIVE,
        "user_id": OWNER,
        "platform": "twitch",
        "viewer_id": None,
        "was_displayed": True,
        "inserted_at": f"2025-06-01T18:00:{number:02d}",
    }


CHAT = event("chat_message", 1, message="hi 😀", username="Ann", sender_channel_id="1001", is_moderator=True, emotes=[])


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """As Postgres writes it: t and f, arrays in braces, JSON as text."""

    def cell(value: Any) -> Any:
        if isinstance(value, bool):
            return "t" if value else "f"
        if isinstance(value, list):
            return "{" + ",".join(json.dumps(item) for item in value) + "}"
        return json.dumps(value) if isinstance(value, dict) else value

    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode()


def as_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), sink)
    return sink.getvalue()


def as_jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(rows, indent=1).encode()


CONTAINERS = {"csv": as_csv, "jsonl": as_jsonl, "json": as_json, "parquet": as_parquet}


class Read:
    """What a file gave: rows by entity, bad rows, problems."""

    def __init__(self, folder: Path, content: bytes, name: str = "export") -> None:
        path = folder / name
        path.write_bytes(content)
        self.problems: list[Problem] = []
        self.rows: dict[str, list[dict[str, Any]]] = {entity: [] for entity in SOURCE.entities}
        self.bad: list[dict[str, Any]] = []
        for part in SOURCE.parse(Export(path, SOURCE.name, name)):
            if isinstance(part, Problem):
                self.problems.append(part)
                continue
            schema = contract(part.entity).arrow_schema
            for column in part.table.column_names:
                if not column.startswith("_"):
                    part.table[column].cast(schema.field(column).type)
            for row in part.table.to_pylist():
                if row["_problem"] is None:
                    self.rows[part.entity].append(row)
                else:
                    self.bad.append(row)

    def one(self, entity: str) -> dict[str, Any]:
        """The only row of an entity, without what is null."""
        (row,) = self.rows[entity]
        return {name: value for name, value in row.items() if value is not None and name != "_row"}


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_livestream_is_a_stream_of_the_relay_in_every_container(tmp_path: Path, container: str) -> None:
    read = Read(tmp_path, CONTAINERS[container]([LIVESTREAM]))
    assert not read.problems
    assert read.one("streams") == {
        "platform": "streampai",
        "stream_id": LIVE,
        "source_broadcast_id": LIVE,
        "channel_id": f"owner:{OWNER}",
        "title": 'Opening, with "guests"',
        "category_name": "Chess",
        "language": "en",
        "tags": ["English", "a, b"],
        "started_at": datetime(2025, 6, 1, 18, 0, 0, 500_000),
        "started_date": date(2025, 6, 1),
        "ended_at": datetime(2025, 6, 1, 20),
        "extra": '{"description":"first\\nsecond line"}',
    }


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_sample_is_one_row_per_platform_column(tmp_path: Path, container: str) -> None:
    read = Read(tmp_path, CONTAINERS[container]([METRICS]))
    counts = {row["platform"]: row for row in read.rows["viewer_counts"]}
    assert {name: row["viewer_count"] for name, row in counts.items()} == {
        "youtube": 0,
        "twitch": 120,
        "facebook": None,
    }
    twitch = counts["twitch"]
    assert (twitch["channel_id"], twitch["stream_id"], twitch["bitrate_kbps"]) == (f"stream:{LIVE}", LIVE, 6000)
    assert twitch["observed_at"] == datetime(2025, 6, 1, 18, 1)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_chat_event_is_a_message_in_every_container(tmp_path: Path, container: str) -> None:
    row = CHAT if container != "parquet" else {**CHAT, "data": json.dumps(CHAT["data"])}
    message = Read(tmp_path, CONTAINERS[container]([row])).one("chat_messages")
    assert message == {
        "platform": "twitch",
        "channel_id": f"stream:{LIVE}",
        "stream_id": LIVE,
        "message_id": "streampai:e1",
        "sent_at": datetime(2025, 6, 1, 18, 0, 1),
        "viewer_id": "1001",
        "viewer_login": "ann",
        "viewer_display_name": "Ann",
        "text": "hi 😀",
        "emotes": [],
        "message_type": "chat",
        "is_moderator": True,
    }


def test_event_data_may_be_a_struct_or_a_text_that_holds_json(tmp_path: Path) -> None:
    plain = event("follow", username="Bea", display_name="Bea")
    for rows in (as_parquet([plain]), as_jsonl([{**plain, "data": json.dumps(plain["data"])}])):
        row = Read(tmp_path, rows).one("stream_events")
        assert (row["event_type"], row["viewer_login"], row["viewer_id"]) == ("follow", "bea", "login:bea")


EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "donation": (
        {"donor_name": "Zed", "amount": "9.99", "amount_micros": "12340000", "amount_cents": 5, "currency": "eur"},
        {"amount": Decimal("12.3400"), "currency": "EUR", "extra": '{"donor_name":"Zed"}'},
    ),
    "raid": ({"raider_name": "Bea", "viewer_count": "56"}, {"raid_viewer_count": 56, "viewer_login": "bea"}),
    "cheer": ({"username": "Bea", "bits": 100}, {"viewer_login": "bea", "extra": '{"bits":100}'}),
    "patreon": ({"username": "Bea"}, {"viewer_id": "login:bea"}),
    "platform_started": ({"platform": "twitch"}, {"platform": "twitch"}),
    "something_new": ({"username": "Bea", "color": "red"}, {"extra": '{"color":"red"}'}),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_each_type_of_event_is_mapped_and_an_unknown_one_is_kept(tmp_path: Path, kind: str) -> None:
    data, expected = EVENTS[kind]
    row = Read(tmp_path, as_jsonl([event(kind, **data)])).one("stream_events")
    assert row["event_type"] == kind
    assert {name: row.get(name) for name in expected} == expected


def test_cents_come_before_the_amount_and_after_micros(tmp_path: Path) -> None:
    rows = [event("donation", 1, amount="1.00", amount_cents=250, currency="USD"), event("donation", 2, amount="7.5")]
    events = Read(tmp_path, as_jsonl(rows)).rows["stream_events"]
    assert [row["amount"] for row in events] == [Decimal("2.5000"), Decimal("7.5000")]


def test_a_subscription_of_more_than_one_month_is_a_resubscription(tmp_path: Path) -> None:
    rows = [event("subscription", n, username="A", tier="1000", months=m) for n, m in enumerate(("1", "12"))]
    events = Read(tmp_path, as_jsonl(rows)).rows["stream_events"]
    assert [(row["event_type"], row["month_count"]) for row in events] == [("subscription", 1), ("resubscription", 12)]


def test_an_update_of_the_stream_begins_a_segment(tmp_path: Path) -> None:
    rows = [event("stream_updated", 1, title="Now Go"), event("stream_metadata_changed", 2, category="Go")]
    segments = Read(tmp_path, as_jsonl(rows)).rows["stream_segments"]
    assert [(row["segment_started_at"].second, row["title"], row["category_name"]) for row in segments] == [
        (1, "Now Go", None),
        (2, None, "Go"),
    ]


def test_the_older_chat_table_is_read(tmp_path: Path) -> None:
    row = {
        "id": "m1",
        "message": "hi",
        "sender_username": "Ann",
        "sender_channel_id": "1001",
        "sender_is_moderator": False,
        "platform": "youtube",
        "livestream_id": LIVE,
        "user_id": OWNER,
        "inserted_at": "2025-06-01T18:00:01",
    }
    message = Read(tmp_path, as_csv([row])).one("chat_messages")
    assert (message["message_id"], message["platform"], message["viewer_id"]) == ("streampai:m1", "youtube", "1001")


def test_viewers_are_snapshots_at_their_last_sight(tmp_path: Path) -> None:
    row = {
        "viewer_id": "1001",
        "user_id": OWNER,
        "platform": "twitch",
        "display_name": "Ann_B",
        "first_seen_at": "2025-01-01T00:00:00",
        "last_seen_at": "2025-06-01T18:00:00",
        "is_moderator": True,
        "is_patreon": False,
        "ai_summary": None,
    }
    viewer = Read(tmp_path, as_csv([row])).one("viewers")
    assert (viewer["observed_at"], viewer["login"], viewer["is_moderator"], viewer["is_patron"]) == (
        datetime(2025, 6, 1, 18),
        "ann_b",
        True,
        False,
    )


def test_a_lifted_ban_is_a_ban_and_an_unban_and_one_with_an_end_is_a_timeout(tmp_path: Path) -> None:
    ban: dict[str, Any] = {
        "id": "b1",
        "user_id": OWNER,
        "platform": "twitch",
        "viewer_platform_id": "1001",
        "reason": "spam",
        "duration_seconds": None,
        "expires_at": None,
        "is_active": False,
        "unbanned_at": "2025-06-05T18:00:00",
        "banned_by_user_id": OWNER,
        "livestream_id": LIVE,
        "inserted_at": "2025-06-01T18:00:00",
    }
    timeout = {**ban, "id": "b2", "duration_seconds": 600, "unbanned_at": None}
    actions = Read(tmp_path, as_jsonl([ban, timeout])).rows["moderation_actions"]
    assert [
        (row["action_type"], row["action_id"], row["occurred_at"].day, row["duration_seconds"]) for row in actions
    ] == [
        ("ban", "streampai:b1", 1, None),
        ("timeout", "streampai:b2", 1, 600.0),
        ("unban", "streampai:b1:unban", 5, None),
    ]


def test_a_refund_takes_a_donation_back_and_unpaid_money_is_no_donation(tmp_path: Path) -> None:
    paid: dict[str, Any] = {
        "id": "d1",
        "user_id": OWNER,
        "livestream_id": None,
        "provider": "paypal",
        "amount": "1,012.62",
        "currency": "EUR",
        "status": "refunded",
        "net_amount": "11.95",
        "processing_fee": "0.67",
        "donor_name": "Zed",
        "donor_email": "zed@example.org",
        "payer_id": "PAYER-7",
        "refunded_at": "2025-06-03T18:00:00",
        "inserted_at": "2025-06-01T18:00:00",
    }
    pending = {**paid, "id": "d2", "status": "pending", "refunded_at": None}
    read = Read(tmp_path, as_csv([paid, pending]))
    events = {row["event_id"]: row for row in read.rows["stream_events"]}
    assert {name: (row["event_type"], row["amount"]) for name, row in events.items()} == {
        "streampai:d1": ("donation", Decimal("1012.6200")),
        "streampai:d2": ("donation_pending", Decimal("1012.6200")),
        "streampai:d1:refund": ("donation", Decimal("-1012.6200")),
    }
    assert events["streampai:d1"]["channel_id"] == f"owner:{OWNER}"


def test_an_account_is_a_snapshot_of_a_channel_and_of_its_owner(tmp_path: Path) -> None:
    row = {
        "user_id": OWNER,
        "platform": "twitch",
        "extra_data": {"uid": "42", "name": "TheHouse", "nickname": "TheHouse", "access_token": "SECRET"},
        "access_token": "SECRET",
        "refresh_token": "SECRET",
        "follower_count": 100,
        "sponsor_count": 3,
        "views_last_30d": 5000,
        "unique_viewers_last_30d": 800,
        "stats_last_refreshed_at": "2025-06-01T18:00:00",
    }
    bare = {**row, "platform": "youtube", "extra_data": None}
    read = Read(tmp_path, as_jsonl([row, bare]))
    assert [r["channel_id"] for r in read.rows["channel_owners"]] == ["42", f"owner:{OWNER}"]
    channel = read.rows["channels"][0]
    assert (channel["login"], channel["follower_count"], channel["subscriber_count"]) == ("thehouse", 100, 3)
    assert "SECRET" not in repr(read.rows)


@pytest.mark.parametrize("container", ["csv", "jsonl", "json"])
def test_private_fields_reach_neither_extra_nor_quarantine(tmp_path: Path, container: str) -> None:
    data = {"donor_name": "Zed", "amount": "1", "donor_email": "zed@example.org", "payer": {"payer_id": "PAYER-7"}}
    rows = [event("donation", 1, **data), {**event("donation", 2, **data), "inserted_at": "never"}, event("cheer", 3)]
    content = CONTAINERS[container](rows).replace(b'"cheer"', b'"che', 1).replace(b"cheer,", b'"cheer,', 1)
    read = Read(tmp_path, content)
    assert json.loads(read.rows["stream_events"][0]["extra"])["donor_name"] == "Zed"
    assert read.bad or read.problems
    for secret in ("zed@example.org", "PAYER-7"):
        assert secret not in repr((read.rows, read.bad, read.problems))


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a time that is a word": (LIVESTREAM, {"started_at": "soon"}, "started_at: 'soon' is not a time"),
    "an end before the start": (LIVESTREAM, {"ended_at": "2025-06-01T17:00:00"}, "ended_at lies before started_at"),
    "a stream of a week": (LIVESTREAM, {"ended_at": "2025-06-08T18:00:00"}, "lasts more than 48 hours"),
    "a sample that is a word": (METRICS, {"twitch_viewers": "many"}, "twitch_viewers: 'many' is not a count"),
    "a sample with a fraction": (METRICS, {"twitch_viewers": "1.5"}, "twitch_viewers: '1.5' is not a count"),
    "data that is no JSON": (CHAT, {"data": "{broken"}, "data is not a JSON object"),
    "a chat without text": (CHAT, {"data": {"username": "A"}}, "data.message is missing"),
    "an event without type": (CHAT, {"type": None}, "type is missing"),
    "an amount that is a word": (event("donation", amount="1"), {"data": {"amount": "much"}}, "amount: 'much' is not"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("container", ["csv", "jsonl", "json"])
def test_a_bad_value_is_told_with_row_and_text_and_costs_its_row_only(
    tmp_path: Path, case: str, container: str
) -> None:
    row, changes, reason = BAD[case]
    read = Read(tmp_path, CONTAINERS[container]([row, {**row, **changes}, row]))
    assert len(read.bad) == 1
    assert reason in read.bad[0]["_problem"]
    assert read.bad[0]["_text"]
    rows = [r["_row"] for rows in read.rows.values() for r in rows if r["platform"] not in ("youtube", "facebook")]
    assert len(set(rows)) == 2
    assert read.bad[0]["_row"] not in rows


def test_a_ragged_line_and_a_lost_quote_cost_their_rows_only(tmp_path: Path) -> None:
    rows = [event("follow", n, username=f"user{n}") for n in range(1, 8)]
    lines = as_csv(rows).decode().splitlines()
    lines[3] += ",one,too,many"
    lines[5] = lines[5].replace('"{', "{", 1)
    read = Read(tmp_path, "\n".join(lines).encode())
    assert sorted(row["viewer_login"] for row in read.rows["stream_events"]) == [
        "user1",
        "user2",
        "user4",
        "user6",
        "user7",
    ]
    assert {problem.row for problem in read.problems} | {row["_row"] for row in read.bad} == {4, 6}


def test_a_renamed_column_is_named(tmp_path: Path) -> None:
    renamed = [{("created" if k == "inserted_at" else k): v for k, v in CHAT.items()}]
    for container in CONTAINERS.values():
        read = Read(tmp_path, container(renamed))
        assert "the table stream_events lacks the column inserted_at; it has: " in read.problems[0].reason
        assert "created" in read.problems[0].reason


def test_each_table_is_recognised_by_its_columns_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "download (3).bin"
    for content, description in {
        as_csv([LIVESTREAM]): "Streampai table livestreams (CSV)",
        as_jsonl([CHAT]): "Streampai table stream_events (JSONL)",
        as_json([CHAT]): "Streampai table stream_events (JSON)",
        as_parquet([METRICS]): "Streampai table livestream_metrics (Parquet)",
        as_csv([{k.upper(): v for k, v in METRICS.items()}]): "Streampai table livestream_metrics (CSV)",
    }.items():
        path.write_bytes(content)
        assert recognise(path) == (SOURCE, description)


def test_a_damaged_parquet_file_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    content = as_parquet([{**METRICS, "twitch_viewers": n} for n in range(5_000)])
    for broken in (content[:200], content[: len(content) // 2], content[:50] + b"\0" * 400 + content[450:]):
        read = Read(tmp_path, broken)
        assert read.problems or read.bad


def test_utf16_and_gzip_exports_are_read(tmp_path: Path) -> None:
    for content in (as_csv([LIVESTREAM]).decode().encode("utf-16"), gzip.compress(as_jsonl([LIVESTREAM]))):
        assert Read(tmp_path, content).one("streams")["stream_id"] == LIVE
