"""The contract of an entity, read from its dbt source file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data_lake.contracts import AffectedDays, ContractError, contract, read_contract

CONTRACT = """
sources:
  - name: raw
    tables:
      - name: views
        description: One row per view.
        config: {meta: {kind: event, key: [view_id], event_time: seen_at%s}}
        columns:
          - {name: view_id, data_type: varchar}
          - {name: seen_at, data_type: timestamp}
"""


def read(folder: Path, affected_days: str) -> AffectedDays:
    path = folder / "views.yml"
    path.write_text(CONTRACT % (f", affected_days: {affected_days}" if affected_days else ""))
    return read_contract(path).affected_days


def test_a_contract_says_how_far_a_row_reaches(tmp_path: Path) -> None:
    assert read(tmp_path, "{before: 2, after: 1}") == AffectedDays(2, 1)
    assert read(tmp_path, "{before: 0, after: 0, all_if_changed: [view_id]}").all_if_changed == ("view_id",)


@pytest.mark.parametrize(
    ("affected_days", "says"),
    [
        ("", "KeyError\\('affected_days'\\) is missing"),
        ("{before: 2}", "KeyError\\('after'\\) is missing"),
        ("{before: 2, after: 1, ever: true}", "unknown keys \\['ever'\\]"),
        ("{before: 2, after: 1, interval_if_changed: [title]}", "\\['title'\\], which are no columns"),
    ],
)
def test_a_contract_that_does_not_say_so_is_refused(tmp_path: Path, affected_days: str, says: str) -> None:
    with pytest.raises(ContractError, match=f"views.yml: .*{says}"):
        read(tmp_path, affected_days)


def test_how_far_a_row_reaches_does_not_change_how_it_is_stored() -> None:
    streams = contract("streams")
    assert replace(streams, affected_days=AffectedDays(0, 0)).hash == streams.hash
    assert streams.hash == "6a71c7a0f7a57692"
