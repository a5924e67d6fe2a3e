"""The plan of a run, made once: the command line, which needs it to choose the assets of the run, hands it on.

What a plan is and how it is made is `data_lake.planning`'s matter.
"""

from __future__ import annotations

from datetime import date, timedelta

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.planning import Plan, observed, plan
from orchestration.project import fingerprint
from orchestration.window import Window


def make_plan(layout: Layout, window: Window) -> Plan | None:
    """What to build now of the days asked for; None when raw/ is empty."""
    last = window.to_day
    if window.from_day and last and (days := observed(layout)):
        # A backfill of a month that is not over yet, or not observed to its end, does not move the clock.
        last = max(window.from_day, min(last, days[1]))
    return plan(layout, fingerprint(), from_day=window.from_day, to_day=last)


class Plans:
    """Plans of runs: the one that its process has made already, else one made when a step asks."""

    def __init__(self) -> None:
        self._made: Plan | None = None

    def use(self, made: Plan) -> None:
        """Answer with this plan from now on."""
        self._made = made

    def of(self, layout: Layout, window: Window) -> Plan | None:
        return self._made or make_plan(layout, window)


def worlds_with_rows(layout: Layout) -> set[str]:
    """The worlds that raw/ holds partitions of; of another nothing is built, and nothing audited."""
    contracts = load_contracts().values()
    return {c.world for c in contracts if any(layout.raw_entity(c.entity).glob("event_date=[12]*"))}


def planned_days(todo: Plan) -> list[date]:
    """The days a plan builds; for a plan of every day, those that raw/ has rows of."""
    if todo.days is None:
        return sorted({part.day for part in todo.partitions if part.day <= todo.as_of})
    return [first + timedelta(n) for first, last in todo.days for n in range((last - first).days + 1)]
