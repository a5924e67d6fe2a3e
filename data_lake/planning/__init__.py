"""What a run builds: the days and entities in which raw/ differs from what the warehouse was last built from.

`plan` decides it, `begin_build`, `end_build`, `end_audit` and `end_publication` note in the warehouse how far a
run came. How far a row
of an entity reaches is said by its contract (`affected_days`), what a world adds to that by its module in `worlds`.
"""

from data_lake.planning.plan import TESTS, Audit, Plan
from data_lake.planning.planner import observed, outer_days, plan, stale
from data_lake.planning.ranges import Days, Range
from data_lake.planning.state import (
    BuildState,
    Publication,
    await_publication,
    begin_build,
    built_as_of,
    end_audit,
    end_build,
    end_publication,
    publication,
    read_publication,
    read_state,
    unaudited,
)
from data_lake.planning.world import PlanError

__all__ = [
    "TESTS",
    "Audit",
    "BuildState",
    "Days",
    "Plan",
    "PlanError",
    "Publication",
    "Range",
    "await_publication",
    "begin_build",
    "built_as_of",
    "end_audit",
    "end_build",
    "end_publication",
    "observed",
    "outer_days",
    "plan",
    "publication",
    "read_publication",
    "read_state",
    "stale",
    "unaudited",
]
