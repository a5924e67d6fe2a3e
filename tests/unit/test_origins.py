"""Which landing files the rows of a failed check came from."""

from __future__ import annotations

from typing import Any

from data_lake.layout import Layout
from data_lake.origins import origins
from tests.builders import message, put, sample, stream


def files(lake: Layout, *rows: dict[str, Any], entity: str | None = None) -> list[tuple[str, str, int, str]]:
    return [(o.entity, o.file, o.row_count, f"{o.first} to {o.last}") for o in origins(lake, rows, entity)]


def test_an_id_names_its_rows_in_every_file(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-10 20:00", landing_file="one"), source="irc")
    put(lake, "chat_messages", message("a", "2026-01-11 21:00", landing_file="two"), source="streampai")
    put(lake, "chat_messages", message("b", "2026-01-12 20:00", landing_file="three"), source="streampai")
    assert files(lake, {"rule": "one row per id", "platform": "twitch", "message_id": "a", "row_count": 2}) == [
        ("chat_messages", "irc/one", 1, "2026-01-10 20:00:00 to 2026-01-10 20:00:00"),
        ("chat_messages", "streampai/two", 1, "2026-01-11 21:00:00 to 2026-01-11 21:00:00"),
    ]


def test_a_row_without_an_id_names_the_files_of_its_day_and_channel_the_fewest_rows_first(lake: Layout) -> None:
    put(lake, "viewer_counts", *(sample(f"2026-01-10 20:0{n}", 5, landing_file="many") for n in range(5)))
    put(lake, "chat_messages", message("a", "2026-01-10 20:00", landing_file="few"), source="irc")
    put(
        lake, "chat_messages", message("b", "2026-01-10 20:00", channel_id="c2", landing_file="other"), source="tabular"
    )
    place = {"event_date": "2026-01-10", "platform": "twitch", "channel_id": "c1"}
    assert [found[1:3] for found in files(lake, place)] == [
        ("irc/few", 1),
        ("streampai/many", 5),
    ]


def test_what_a_snapshot_lacks_names_the_snapshot(lake: Layout) -> None:
    for moment, channels in (("2026-01-10 12:00", ("c1", "c2")), ("2026-01-11 12:00", ("c1",))):
        rows = [stream(c, "2026-01-01 10:00", "2026-01-01 11:00", moment, channel_id=c) for c in channels]
        put(lake, "streams", *({**row, "landing_file": moment[:10]} for row in rows))
    lost = {"platform": "twitch", "source": "streampai", "observed_at": "2026-01-11 12:00:00", "channel_id": "c2"}
    assert files(lake, lost, entity="streams") == [
        ("streams", "streampai/2026-01-11", 1, "2026-01-11 12:00:00 to 2026-01-11 12:00:00")
    ]


def test_a_row_that_names_no_place_names_no_file(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-10 20:00"))
    assert files(lake, {"rule": "sums agree", "platform": "twitch", "difference": 3}) == []
