"""The daily CSV of the Twitch dashboard, and its monthly look-alike."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources import UnknownFormat, recognise
from data_lake.sources.live.twitch_dashboard import SOURCE
from tests.unit.live_formats import Read

HEADER = (
    "Date,Average Viewers,Max Viewers,Minutes Streamed,Unique Viewers,Minutes Watched,Follows,Chat Messages,"
    "Sub Revenue,Prime Revenue,Gifted Subs Revenue,Bits Revenue,Ad Revenue,Turbo Revenue,Game Sales Revenue,"
    "Extensions Revenue,Bounties Revenue,Experimental Revenue,Other Bits Interactions Revenue"
)
DAY = 'Fri Sep 04 2026,3.2,7,800,"1,020",2560,-3,55,2.83,0,61.8,0.01,0.07,0.01,0,0,0,0,0'
MONTHLY = (
    "Date,Ad Breaks (Minutes),Minutes Streamed,Sub Revenue,Ad Revenue,Gifted Subs Revenue,Total Paid Subs,"
    "Total Gifted Subs\n"
    "Sat Aug 01 2026,0,6186,20.8,1.09,51.83,4,23\n"
)
SIDECAR = {"channel_id": "9", "currency": "usd", "exported_at": "2026-09-10T12:00:00Z"}


def read(tmp_path: Path, *lines: str, **sidecar: Any) -> Read:
    return Read(SOURCE, tmp_path, "\n".join(lines) + "\n", sidecar or SIDECAR)


def test_a_day_with_its_viewers_and_revenues(tmp_path: Path) -> None:
    parsed = read(tmp_path, HEADER, DAY)
    assert parsed.what
    (row,) = parsed.rows("channel_daily_metrics")
    assert (row["channel_id"], row["metric_date"], row["observed_at"], row["currency"]) == (
        "9",
        date(2026, 9, 4),
        None,
        "USD",
    )
    assert (row["average_viewers"], row["max_viewers"], row["unique_viewers"], row["follow_count"]) == (
        3.2,
        7,
        1020,
        -3,
    )
    assert (row["subscription_revenue"], row["other_revenue"]) == (Decimal("2.8300"), Decimal("0.0100"))
    assert json.loads(row["extra"])["Turbo Revenue"] == "0.01"


def test_the_total_is_the_sum_unless_it_is_stated(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER, DAY).rows("channel_daily_metrics")[0]["total_revenue"] == Decimal("64.7200")
    stated = read(tmp_path, HEADER + ",Total Revenue", DAY + ",9.25").rows("channel_daily_metrics")
    assert stated[0]["total_revenue"] == Decimal("9.2500")


def test_columns_in_any_order_and_few_of_them_are_enough(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "max viewers;Date;Average Viewers", "9;Thu Sep 03 2026;4.0").rows("channel_daily_metrics")
    assert (row["metric_date"], row["max_viewers"], row["total_revenue"]) == (date(2026, 9, 3), 9, None)


def test_a_file_that_does_not_say_when_it_was_exported_was_seen_after_its_last_day(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER, DAY, DAY.replace("Fri Sep 04", "Sat Sep 05"), channel_id="9").rows(
        "channel_daily_metrics"
    )
    assert {row["observed_at"] for row in rows} == {datetime(2026, 9, 6)}


def test_a_value_that_is_none_costs_its_row_only(tmp_path: Path) -> None:
    parsed = read(tmp_path, HEADER, DAY.replace("3.2", "many"), DAY, DAY.replace("Fri Sep 04 2026", "Someday"), "1,2")
    assert len(parsed.rows("channel_daily_metrics")) == 1
    assert parsed.reasons == [
        "Average Viewers: 'many' is not a number",
        "Date: 'Someday' is not a day such as Fri Sep 04 2026",
    ]
    assert parsed.bad[0]["_text"].startswith("Fri Sep 04 2026,many")
    assert [p.row for p in parsed.problems] == [5]


def test_the_monthly_summary_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "revenue.csv"
    path.write_text(MONTHLY)
    with pytest.raises(
        UnknownFormat, match=r"revenue.csv: this is Twitch's monthly revenue summary .* its rows are months"
    ):
        recognise(path)


def test_a_monthly_summary_put_into_the_folder_gives_no_row(tmp_path: Path) -> None:
    columns = MONTHLY.replace("Date,", "Date,", 1)
    path = tmp_path / "export"
    path.write_text(columns)
    from data_lake.sources.base import Export, Problem

    parts = list(SOURCE.parse(Export(path, SOURCE.name, path.name, SIDECAR)))
    assert [type(part) for part in parts] == [Problem]
    assert "monthly" in parts[0].reason


@pytest.mark.parametrize(
    ("sidecar", "sentence"),
    [
        ({"currency": "USD"}, "channel_id or channel_login"),
        ({"channel_id": "9"}, "currency (such as USD)"),
        ({"channel_id": "9", "currency": "gold"}, "ISO 4217"),
    ],
)
def test_what_the_sidecar_lacks_is_said(tmp_path: Path, sidecar: dict[str, str], sentence: str) -> None:
    assert sentence in read(tmp_path, HEADER, DAY, **sidecar).problems[0].reason


def test_another_csv_is_not_taken_for_it(tmp_path: Path) -> None:
    for content in ("Date,Views\n2026-01-01,5\n", "a,b\n1,2\n", "Content,Video title,Views\nTotal,,5\n"):
        assert Read(SOURCE, tmp_path, content, SIDECAR).what is None
