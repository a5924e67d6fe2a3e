"""From landing to raw: read once, checked, merged, indexed; the order in which files arrive does not matter."""

from __future__ import annotations

import gzip
import itertools
import json
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_lake.contracts import contract
from data_lake.documents import DocumentError
from data_lake.ingest import ingest, quarantined
from data_lake.landing import add, entries, new_files, read_sidecar, sidecar_path
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.sources import UnknownFormat
from data_lake.store import contract_of, scan
from tests.builders import twitch_chat

CHAT = [(1, "anna", "hello"), (2, "bert", "hi"), (14_500, "anna", "after midnight")]


def messages(lake: Layout) -> list[tuple[str, str]]:
    rows = scan(lake, "chat_messages").select("sent_at::varchar, text").order("all").fetchall()
    return [(sent_at, text) for sent_at, text in rows]


def everything(lake: Layout) -> dict[str, list[tuple[object, ...]]]:
    names = sorted({p.entity for p in partitions(lake)})
    return {name: scan(lake, name).order("all").fetchall() for name in names}


def test_an_export_is_filed_once_under_its_content_with_its_sidecar(lake: Layout, tmp_path: Path) -> None:
    file = twitch_chat(tmp_path / "chat.json", CHAT)
    added = add(lake, file)
    assert (added.source, added.is_new) == ("twitch_downloader", True)
    assert added.path.name.endswith("-chat.json")
    assert len(added.path.name.split("-")[0]) == 16
    content = read_sidecar(sidecar_path(added.path))
    assert content["name"] == "chat.json"
    assert isinstance(content["exported_at"], datetime)
    copy = tmp_path / "the same under another name.json"
    copy.write_bytes(file.read_bytes())
    assert not add(lake, copy).is_new


def test_an_unknown_file_is_refused_with_what_was_looked_for(lake: Layout, tmp_path: Path) -> None:
    file = tmp_path / "holiday.txt"
    file.write_text("dear diary")
    with pytest.raises(UnknownFormat, match=r"holiday\.txt") as refused:
        add(lake, file)
    assert "TwitchDownloader" in str(refused.value)
    assert "\n" not in str(refused.value).strip()


def test_messages_land_in_the_day_they_were_sent(lake: Layout, tmp_path: Path) -> None:
    add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    report = ingest(lake)
    assert report.rows["twitch_downloader", "chat_messages"] == 3
    assert messages(lake) == [
        ("2026-01-31 20:00:01", "hello"),
        ("2026-01-31 20:00:02", "hi"),
        ("2026-02-01 00:01:40", "after midnight"),
    ]
    days = [str(p.day) for p in partitions(lake, "chat_messages")]
    assert days == ["2026-01-31", "2026-02-01"]


def test_a_file_is_read_once(lake: Layout, tmp_path: Path) -> None:
    add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    assert ingest(lake).files == 1
    assert new_files(lake) == []
    assert ingest(lake).files == 0


def test_shuffled_and_duplicated_exports_end_in_the_same_rows(tmp_path: Path) -> None:
    files = [
        twitch_chat(tmp_path / "one.json", CHAT[:2]),
        twitch_chat(tmp_path / "longer.json", CHAT, exported="2026-02-05T00:00:00Z"),
        twitch_chat(tmp_path / "other.json", [(5, "carl", "elsewhere")], video="200", start="2026-01-20T10:00:00Z"),
    ]
    seen = []
    for number, order in enumerate(itertools.permutations(files)):
        lake = Layout(tmp_path / f"lake-{number}")
        for file in order:
            add(lake, file)
            ingest(lake)
        seen.append(everything(lake))
    all_at_once = Layout(tmp_path / "lake-once")
    for file in files:
        add(all_at_once, file)
    ingest(all_at_once)
    assert all(lake_content == seen[0] for lake_content in [*seen, everything(all_at_once)])
    assert len(seen[0]["chat_messages"]) == 4


def test_deleting_raw_and_reading_again_brings_the_same_rows(lake: Layout, tmp_path: Path) -> None:
    add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    ingest(lake)
    before = everything(lake)
    for part in list(partitions(lake)):
        part.path.unlink()
    for entry in lake.index.rglob("*.json"):
        entry.unlink()
    ingest(lake)
    assert everything(lake) == before


def test_a_bad_row_is_set_aside_with_file_row_reason_and_text_and_the_rest_is_kept(
    lake: Layout, tmp_path: Path
) -> None:
    file = twitch_chat(tmp_path / "chat.json", CHAT)
    content = json.loads(file.read_text())
    content["comments"][1]["content_offset_seconds"] = "soon"
    file.write_text(json.dumps(content))
    added = add(lake, file)
    report = ingest(lake)
    assert [text for _, text in messages(lake)] == ["hello", "after midnight"]
    assert sum(n for (_, entity, _), n in report.quarantined.items() if entity == "chat_messages") == 1
    bad = [row for row in quarantined(lake) if row["entity"] == "chat_messages"]
    assert [(b["landing_file"], b["row"]) for b in bad] == [(added.path.name, 2)]
    assert "content_offset_seconds" in bad[0]["reason"]
    assert '"soon"' in bad[0]["text"]


def test_a_truncated_gzip_keeps_what_could_be_read_and_says_so(lake: Layout, tmp_path: Path) -> None:
    many = [(n, f"viewer{n % 7}", f"message {n * 7919 % 1000003}") for n in range(4000)]
    whole = gzip.compress(twitch_chat(tmp_path / "chat.json", many).read_bytes())
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    add(lake, cut)
    report = ingest(lake)
    assert 1000 < len(messages(lake)) < 4000
    assert report.problems
    (entry,) = entries(lake).values()
    assert any("gzip" in p["reason"] for p in entry.problems)


def test_a_sidecar_that_is_not_yaml_is_a_failed_file_with_a_remedy(lake: Layout, tmp_path: Path) -> None:
    added = add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    sidecar_path(added.path).write_text("exported_at: [broken")
    report = ingest(lake)
    assert list(report.failed) == [f"twitch_downloader/{added.path.name}"]
    assert "correct it or remove it" in next(iter(report.failed.values()))
    sidecar_path(added.path).write_text("exported_at: 2026-02-03T00:00:00Z\n")
    ingest(lake)
    assert len(messages(lake)) == 3


def test_a_sidecar_with_a_time_that_is_none_names_file_field_and_remedy(lake: Layout, tmp_path: Path) -> None:
    added = add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    sidecar_path(added.path).write_text("exported_at: yesterday")
    (error,) = ingest(lake).failed.values()
    assert error == (
        f"{added.path.name}.yml: exported_at is 'yesterday' (write it as 2026-01-31T12:00:00Z); "
        "correct the sidecar and run again"
    )


def test_an_index_entry_that_is_damaged_names_file_field_and_remedy(lake: Layout, tmp_path: Path) -> None:
    add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    ingest(lake)
    (path,) = lake.index.rglob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "size": "large"}))
    with pytest.raises(
        DocumentError, match=rf"{path.name}: size is 'large' .*delete this file: its landing file is read"
    ):
        entries(lake)
    path.unlink()
    ingest(lake)
    assert len(messages(lake)) == 3


def test_an_index_entry_written_by_an_earlier_version_is_read(lake: Layout, tmp_path: Path) -> None:
    add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    ingest(lake)
    (path,) = lake.index.rglob("*.json")
    before = entries(lake)
    content = json.loads(path.read_text())
    later = {name: content.pop(name) for name in ("problem_count", "error", "problems")}
    assert later == {"problem_count": 0, "error": None, "problems": []}
    path.write_text(json.dumps({**content, "a_field_of_long_ago": 1}, sort_keys=True))
    assert entries(lake) == before
    assert new_files(lake) == []


def test_the_files_of_an_entity_that_was_renamed_are_read_again_and_its_folder_stops_nothing(
    lake: Layout, tmp_path: Path
) -> None:
    add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    ingest(lake)
    before = messages(lake)
    # As an older version left it: rows, index and quarantine under the older name.
    lake.raw_entity("chat_messages").rename(lake.raw_entity("chat_lines"))
    for path in lake.index.rglob("*.json"):
        path.write_text(path.read_text().replace("chat_messages", "chat_lines"))
    assert len(new_files(lake)) == 1
    assert ingest(lake).failed == {}
    assert messages(lake) == before
    assert "chat_lines" not in {part.entity for part in partitions(lake)}
    assert ingest(lake).files == 0


def test_a_landing_file_that_was_deleted_leaves_its_rows(lake: Layout, tmp_path: Path) -> None:
    added = add(lake, twitch_chat(tmp_path / "chat.json", CHAT))
    ingest(lake)
    added.path.unlink()
    ingest(lake)
    assert len(messages(lake)) == 3


def test_rows_of_a_file_that_is_gone_outlive_a_changed_contract(lake: Layout, tmp_path: Path) -> None:
    for name, chat in {"gone.json": CHAT, "kept.json": [(5, "cid", "another export")]}.items():
        add(lake, twitch_chat(tmp_path / name, chat))
    ingest(lake)
    before = messages(lake)
    # As an older contract would have left them: no column for the badges, another stamp, an index that says so.
    for part in partitions(lake, "chat_messages"):
        table = pq.read_table(part.path, partitioning=None).drop_columns(["badges"])
        pq.write_table(table.replace_schema_metadata({"contract": "older"}), part.path)
    for path in lake.index.rglob("*.json"):
        content = json.loads(path.read_text())
        path.write_text(json.dumps({**content, "contracts": dict.fromkeys(content["contracts"], "older")}))
    (gone,) = lake.landing.rglob("*-gone.json")
    gone.unlink()
    ingest(lake)
    assert messages(lake) == before
    assert {contract_of(p.path) for p in partitions(lake, "chat_messages")} == {contract("chat_messages").hash}
    assert ingest(lake).files == 0


def test_a_highlight_adds_no_message_of_its_broadcast_and_takes_none(lake: Layout, tmp_path: Path) -> None:
    broadcast = twitch_chat(tmp_path / "broadcast.json", [(60, "anna", "hello"), (120, "bert", "hi")])
    content = json.loads(broadcast.read_text())
    content["video"] |= {"id": "200", "created_at": "2026-02-05T09:17:00Z"}
    content["FileInfo"] |= {"CreatedAt": "2026-02-06T00:00:00Z", "UpdatedAt": "2026-02-06T00:00:00Z"}
    content["comments"] = [content["comments"][1] | {"content_offset_seconds": 3, "content_id": "200"}]
    highlight = tmp_path / "highlight.json"
    highlight.write_text(json.dumps(content))
    for order in ((broadcast, highlight), (highlight, broadcast)):
        other = Layout(tmp_path / order[0].stem)
        for file in order:
            add(other, file)
            ingest(other)
        rows = scan(other, "chat_messages").select("sent_at::varchar, text, stream_id").order("all").fetchall()
        assert rows == [("2026-01-31 20:01:00", "hello", "vod:100"), ("2026-01-31 20:02:00", "hi", "vod:100")]
        assert scan(other, "streams").select("stream_id, started_at::varchar").fetchall() == [
            ("vod:100", "2026-01-31 20:00:00")
        ]
