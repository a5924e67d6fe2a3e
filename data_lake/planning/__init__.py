"""What a run builds: the days and entities in which raw/ differs from what the warehouse was last built from.

`plan` decides it, `begin_build`, `end_build` and `end_audit` note in the warehouse how far a run came. How far a row
of an entity reaches is said by its contract (`affected_days`), what a world adds to that by its module in `worlds`.
"""

from data_lake.planning.plan import Plan
from data_lake.planning.planner import observed, plan, stale
from data_lake.planning.ranges import Days, Range
from data_lake.planning.state import begin_build, built_as_of, end_audit, end_build, unaudited, unpublished
from data_lake.planning.world import PlanError

__all__ = [
    "Days",
    "Plan",
    "PlanError",
    "Range",
    "begin_build",
    "built_as_of",
    "end_audit",
    "end_build",
    "observed",
    "plan",
    "stale",
    "unaudited",
    "unpublished",
]
