"""What a run leaves behind, for people: read from Dagster's events and from the lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from data_lake import landing
from data_lake.layout import Layout
from data_lake.planning import observed
from data_lake.publish import Version, current_version

if TYPE_CHECKING:
    import dagster as dg

    from data_lake.origins import Origin


OLD_MODEL_DAYS = 14


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass, with the worst rows it found."""

    name: str
    asset: str
    message: str
    is_blocking: bool
    worst_rows: Sequence[Mapping[str, Any]]
    origins: Sequence[Origin] = ()

    @property
    def entity(self) -> str | None:
        """The entity of raw/ that the check is about, None where it is about a table."""
        from orchestration.work import EXPECTATIONS_OF_RAW

        name = self.name.removeprefix(EXPECTATIONS_OF_RAW)
        return name if name != self.name else None


@dataclass(frozen=True)
class EventSummary:
    """What the events of one Dagster run say: its checks, and why its first failed step failed, unless a check does."""

    checks_passed: int = 0
    failed_checks: tuple[FailedCheck, ...] = ()
    error: str | None = None


@dataclass
class RunSummary:
    """What a run of the command line left behind.

    `old_models`: questions last trained over two weeks before the published day, and how many days before it.
    """

    run_id: str
    log: str
    succeeded: bool = False
    error: str | None = None
    checks_passed: int = 0
    failed_checks: list[FailedCheck] = field(default_factory=list)
    span: tuple[date, date] | None = None
    quarantined: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failed_files: list[tuple[str, str]] = field(default_factory=list)
    published: Version | None = None
    database: str = ""
    old_models: dict[str, int] = field(default_factory=dict)

    def add(self, events: EventSummary, succeeded: bool) -> None:
        """Take in one more Dagster run, after which the whole has succeeded or not."""
        self.succeeded = succeeded
        self.checks_passed += events.checks_passed
        self.failed_checks += events.failed_checks
        self.error = self.error or events.error

    @property
    def reason(self) -> str:
        """Why the run failed, in one line."""
        return self.error or "; ".join(f"{c.name} on {c.asset}" for c in self.failed_checks if c.is_blocking)


def summarize(events: Iterable[dg.DagsterEvent]) -> EventSummary:
    """The events of a run in short."""
    passed = 0
    failed: list[FailedCheck] = []
    error: str | None = None
    for event in events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation = event.asset_check_evaluation_data
            if evaluation.passed:
                passed += 1
            else:
                failed.append(_failed_check(evaluation))
        elif event.event_type_value == "STEP_FAILURE":
            error = error or _why(event.step_failure_data)
    return EventSummary(passed, tuple(failed), error)


def _failed_check(evaluation: dg.AssetCheckEvaluation) -> FailedCheck:
    metadata = evaluation.metadata
    rows = metadata["worst_rows"].records if "worst_rows" in metadata else []  # type: ignore[attr-defined]
    return FailedCheck(
        name=evaluation.check_name,
        asset=evaluation.asset_key.to_user_string(),
        message=str(metadata["message"].value) if "message" in metadata else _counts(metadata),
        is_blocking=evaluation.severity.value == "ERROR",
        worst_rows=[dict(record.data) for record in rows],
    )


def _counts(metadata: Mapping[str, Any]) -> str:
    numbers = {name: entry.value for name, entry in metadata.items() if isinstance(entry.value, int)}
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in numbers.items())


def _why(failure: Any) -> str | None:
    """The reason of a failed step in one paragraph; None when a check says it better."""
    raised = failure.user_failure_data
    if raised and raised.description:
        return str(raised.description)
    error = failure.error
    while error.cause:
        error = error.cause
    if error.cls_name == "DagsterAssetCheckFailedError":
        return None
    return str(error.message).strip()


def describe_lake(layout: Layout, summary: RunSummary) -> None:
    """Add what the lake holds after the run: its days, what was set aside or not read, what is published.

    And which files the rows came from that a blocking check found.
    """
    if not summary.succeeded:
        # Here and not above: it loads what reads Parquet.
        from data_lake.origins import origins

        summary.failed_checks = [
            replace(check, origins=origins(layout, check.worst_rows, check.entity)) if check.is_blocking else check
            for check in summary.failed_checks
        ]
    for entry in landing.entries(layout).values():
        for entity, reasons in entry.quarantined.items():
            for reason, count in reasons.items():
                summary.quarantined[entry.source, entity, reason] += count
        if entry.error:
            summary.failed_files.append((f"{entry.source}/{entry.name}", entry.error))
        elif entry.problem_count:
            first = f"{entry.problem_count:,} parts, first: {entry.problems[0]['reason']}"
            summary.failed_files.append((f"{entry.source}/{entry.name}", first))
    summary.span = summary.span or observed(layout)
    summary.published = current_version(layout)
    summary.database = str(layout.analytics)
    if summary.published:
        ages = {name: (summary.published.as_of - day).days for name, day in trained_as_of(layout).items()}
        summary.old_models = {name: days for name, days in ages.items() if days > OLD_MODEL_DAYS}


def trained_as_of(layout: Layout) -> dict[str, date]:
    """The last day each question was trained as of: said by the scorecard, without asking MLflow."""
    trained = sorted((layout.predictions / "model_versions").glob("as_of_date=[12]*/*.parquet"))
    return {path.stem: date.fromisoformat(path.parent.name.removeprefix("as_of_date=")) for path in trained}
