"""What models read: churn's labels, statuses of days without a model, rates of chat; of a published few rows."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from data_lake.publish import Version
from ml.published import Published
from ml.questions.churn import dataset
from ml.questions.next_stream.score import SCORER as NEXT_STREAM
from ml.questions.topics.dataset import chat_rates
from ml.splits import LabelWindow, SplitError
from tests.model.conftest import ROWS


def published(last_day: date, tables: dict[str, pd.DataFrame]) -> Published:
    made = Published.__new__(Published)
    made.version = Version(1, last_day, pd.Timestamp("2026-01-01").to_pydatetime(), "r")
    made._connection = duckdb.connect()
    for name, rows in tables.items():
        made._connection.register(f"_{name}", rows)
        made._connection.execute(f"create table {name} as from _{name}")
    return made


AS_OF = date(2026, 3, 2)


def small_world(activity: list[tuple[str, int]], streams: int = 5) -> Published:
    """Viewers with activity so many days after AS_OF; so many streams in the label window."""
    features = pd.DataFrame(
        {
            "as_of_date": AS_OF,
            "creator_id": "c",
            "platform": "twitch",
            "viewer_id": ["a", "b", "login:x"],
            "is_churn_eligible": [True, True, True],
            **dict.fromkeys([*dataset.SPEC.columns, dataset.SPEC.visits], 1.0),
        }
    )
    days = pd.DataFrame(
        [
            {"event_date": AS_OF + timedelta(d), "platform": "twitch", "channel_id": "1", "viewer_id": v}
            for v, d in activity
        ]
    )
    on_air = pd.DataFrame(
        {
            "creator_id": "c",
            "platform": "twitch",
            "stream_count": 1,
            "started_at": [pd.Timestamp(AS_OF) + pd.Timedelta(days=9 + n) for n in range(streams)],
        }
    )
    return published(
        date(2026, 6, 1),
        {
            "feat_viewers": features,
            "fct_viewer_days": days,
            "fct_stream_platforms": on_air,
            "dim_channels": pd.DataFrame({"platform": ["twitch"], "channel_id": ["1"], "creator_id": ["c"]}),
            "dim_viewers": pd.DataFrame(
                {"platform": ["twitch", "twitch"], "viewer_id": ["login:x", "7"], "canonical_viewer_id": ["7", "7"]}
            ),
        },
    )


def label(world: Published) -> dict[str, int]:
    rows = dataset.labelled(world, [dataset.window_of(AS_OF)])
    return dict(zip(rows["viewer_id"], rows["churned"], strict=True))


@pytest.mark.parametrize(("day", "churned"), [(7, 1), (8, 0), (35, 0), (36, 1)])
def test_the_label_window_is_the_28_days_after_a_gap_of_7(day: int, churned: int) -> None:
    assert label(small_world([("a", day)]))["a"] == churned


def test_a_viewer_known_by_login_comes_back_under_the_id() -> None:
    assert label(small_world([("7", 10)])) == {"a": 1, "b": 1, "login:x": 0}


def test_nobody_is_labelled_on_a_channel_that_hardly_streamed() -> None:
    assert label(small_world([("a", 10)], streams=3)) == {}


def test_labels_that_are_not_complete_are_refused() -> None:
    with pytest.raises(SplitError, match="after the last observed day"):
        dataset.labelled(small_world([("a", 10)]), [LabelWindow(date(2026, 5, 1), 7, 28)])


def test_a_day_without_a_model_gets_no_row_and_says_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.questions.next_stream.dataset.options", lambda *_: ROWS)
    answers = NEXT_STREAM.score(small_world([("a", 10)]), date(2026, 1, 5), None)
    assert (answers.tables, answers.counts) == ({}, {"no_model": 10})


def test_rates_of_chat_divide_what_was_said_by_who_watched_where_both_are_known() -> None:
    """A minute of both platforms known, one of a platform unknown, one unknown and one of a platform never counted."""
    moments = pd.to_datetime(["2026-03-01 20:00", "2026-03-01 20:01", "2026-03-01 20:02", "2026-03-01 20:03"])
    minutes = pd.DataFrame(
        {
            "platform": ["twitch"] * 4 + ["youtube"] * 4,
            "channel_id": "ch",
            "event_date": date(2026, 3, 1),
            "minute_at": [*moments, *moments],
            "message_count": pd.array([10, 10, None, 10, 5, None, None, 5], dtype="Int64"),
            "average_viewers": pd.array([100, 100, 100, 100, 50, 50, 50, None], dtype="Float64"),
        }
    )
    platforms = pd.DataFrame(
        {
            "platform": ["twitch", "youtube"],
            "channel_id": "ch",
            "creator_id": "c",
            "broadcast_id": "b",
            "started_at": moments[0],
            "ended_at": moments[-1] + timedelta(minutes=1),
        }
    )
    tables = {"fct_stream_minutes": minutes, "fct_stream_platforms": platforms}
    rates = chat_rates(published(AS_OF, tables), AS_OF)
    assert rates[["minute_at", "messages", "viewers"]].to_numpy().tolist() == [
        [moments[0], 15.0, 150.0],
        [moments[1], 10.0, 100.0],
        [moments[3], 10.0, 100.0],
    ]
