"""What is expected of the live world."""

from data_lake.expectations.live.coverage import know_snapshots
from data_lake.expectations.live.entities import ENTITIES
from data_lake.expectations.live.tables import TABLES
from data_lake.expectations.suites import WorldSuites

SUITES = WorldSuites(
    ENTITIES, TABLES, raw_checks_on="fct_streams", reads=("channels", "streams"), prepare=know_snapshots
)
