"""Training, scoring and the insight marts as assets, made from what the questions of ml/ declare.

Training is partitioned by Monday: a week's version knows what was known at the end of it. Scoring is partitioned by
month. Both can be backfilled, each day with the newest version whose data end by then. MLflow and scikit-learn are
imported inside the steps.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from data_lake.layout import Layout
from data_lake.planning import await_publication
from data_lake.publish import PublishError
from ml.question import Question
from ml.questions import QUESTIONS, SCORECARD
from orchestration import progress as steps
from orchestration.alerts import Alert, record
from orchestration.assets.dbt_results import dagster_events, read_results
from orchestration.assets.marts import LakeTranslator, built_day
from orchestration.assets.publish import published_key
from orchestration.dbt import Dbt
from orchestration.graph import insights, names, with_owned_tests
from orchestration.partitions import FIRST_DAY, monthly
from orchestration.progress import Progress
from orchestration.project import INSIGHTS_FOLDER, Manifest
from orchestration.resources import LakeResource
from orchestration.window import Window

GATE, SCORED = "gate", "scored"


def model_key(question: str) -> dg.AssetKey:
    return dg.AssetKey(["models", question])


def prediction_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["predictions", table])


def weekly() -> dg.WeeklyPartitionsDefinition:
    """Weeks that start on a Monday, which names them."""
    return dg.WeeklyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), day_offset=1, end_offset=1)


CADENCES = {"weekly": weekly}


def training_assets() -> list[dg.AssetsDefinition]:
    return [_training(question) for question in QUESTIONS.values()]


def _training(question: Question) -> dg.AssetsDefinition:
    key = model_key(question.name)

    @dg.multi_asset(
        name=f"train_{question.name}",
        specs=[
            dg.AssetSpec(
                key,
                group_name=f"models_{question.name}",
                description=question.sentence,
                kinds={"mlflow", "scikitlearn"},
                deps=[published_key(table) for table in question.reads],
                partitions_def=CADENCES[question.cadence](),
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                GATE,
                asset=key,
                blocking=True,
                description="Better than the baseline, no worse than the champion, calibrated, no slice falls.",
            )
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def train_question(
        context: dg.AssetExecutionContext, lake: LakeResource, progress: dg.ResourceParam[Progress]
    ) -> Iterator[Any]:
        from ml.training import train

        layout = lake.hold(context.run_id, progress)
        step = steps.training(question.name)
        passed, lines = True, []
        weeks = [date.fromisoformat(key) for key in context.partition_keys]
        for place, monday in enumerate(weeks):
            progress.advance(step, place / len(weeks), f"as of {monday}")
            result = train(question, layout, monday)
            passed &= result.gate is None or result.gate.passed
            lines.append(f"{monday}: {result.sentence}")
        message = "; ".join(lines)
        progress.finish(step, message)
        metadata = {"weeks": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))}
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        # A refused challenger changes nothing that is served: the champion stays, and the run says so by failing.
        yield dg.AssetCheckResult(passed=passed, asset_key=key, check_name=GATE, metadata={"message": message})

    return train_question


def scoring_assets() -> dg.AssetsDefinition:
    """Every prediction table: scores of the run's days, then what became of earlier ones."""
    reads = {table: question.reads for question in QUESTIONS.values() for table in question.writes}
    everything = tuple(dict.fromkeys(table for question in QUESTIONS.values() for table in question.reads))

    @dg.multi_asset(
        name="score",
        specs=[
            dg.AssetSpec(
                prediction_key(table),
                group_name="predictions",
                kinds={"parquet"},
                partitions_def=monthly(),
                deps=[published_key(read) for read in reads.get(table, everything)],
            )
            for table in (*reads, *SCORECARD)
        ],
        check_specs=[
            dg.AssetCheckSpec(
                SCORED,
                asset=prediction_key(question.answers),
                description=f"The question {question.name} was scored; where it fails, its earlier answers stay.",
            )
            for question in QUESTIONS.values()
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def score_questions(
        context: dg.AssetExecutionContext, lake: LakeResource, progress: dg.ResourceParam[Progress]
    ) -> Iterator[Any]:
        from ml.predictions import ensure_readable
        from ml.scoring import score_all

        layout = lake.hold(context.run_id, progress)
        ensure_readable(layout)
        days = days_to_score(layout, Window.of(context.run))
        place = {name: n / len(QUESTIONS) for n, name in enumerate(QUESTIONS)}
        results = score_all(
            QUESTIONS.values(),
            layout,
            days,
            lambda question: progress.advance(steps.SCORE, place[question.name], question.name),
        )
        progress.finish(steps.SCORE, "; ".join(f"{r.question.name}: {r.sentence}" for r in results))
        failed = [result for result in results if result.error]
        if failed:
            message = "; ".join(f"{result.question.name} {result.sentence}" for result in failed)
            record(layout, Alert.now(layout, context.run_id, "score", message))
        for result in results:
            # Also of a question that failed: an output that is missing would skip the insights of all the others.
            metadata: dict[str, Any] = {"rows": result.sentence, "processor_seconds": result.seconds}
            for table in result.question.writes:
                yield dg.MaterializeResult(asset_key=prediction_key(table), metadata=metadata)
            yield dg.AssetCheckResult(
                passed=result.error is None,
                asset_key=prediction_key(result.question.answers),
                check_name=SCORED,
                metadata={"message": result.sentence},
            )
        for table in SCORECARD:
            yield dg.MaterializeResult(asset_key=prediction_key(table))

    return score_questions


def days_to_score(layout: Layout, window: Window) -> list[date]:
    """The days of a backfill that features are held for (Mondays and the latest day), else the latest day alone."""
    from ml.published import Published

    try:
        with Published(layout) as published:
            last = published.last_eventful_day
    except PublishError as error:
        raise dg.Failure(f"{error}, then models can score") from error
    if window.from_day is None or window.to_day is None:
        return [last]
    span = (window.from_day + timedelta(n) for n in range((min(window.to_day, last) - window.from_day).days + 1))
    return [day for day in span if day.weekday() == 0 or day == last]


def insights_assets(manifest: Manifest) -> dg.AssetsDefinition:
    """The models over predictions/ as a second dbt process, after scoring."""

    @dbt_assets(  # type: ignore[untyped-decorator]
        name="build_insights",
        manifest=with_owned_tests(manifest),
        select=INSIGHTS_FOLDER,
        dagster_dbt_translator=LakeTranslator(),
    )
    def build(
        context: dg.AssetExecutionContext,
        lake: LakeResource,
        dbt: dg.ResourceParam[Dbt],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[Any]:
        from ml.predictions import ensure_readable

        layout = lake.hold(context.run_id, progress)
        ensure_readable(layout)
        as_of = built_day(layout)
        lake.wait_for_warehouse()
        progress.advance(steps.INSIGHTS, 0.0, "building")
        selected = {key.path[-1] for key in context.selected_asset_keys} & names(manifest, insights(manifest))
        build = dbt.build(
            layout,
            selected,
            {"as_of": as_of.isoformat(), "days": None},
            lambda name, is_test, share: progress.advance(steps.INSIGHTS, share, name),
        )
        results = read_results(build, manifest)
        await_publication(layout, results.built_names)
        progress.finish(steps.INSIGHTS, f"{len(results.built)} tables, {results.tests_passed:,} checks passed")
        with lake.warehouse() as warehouse:
            checks = {key.name: key for key in context.selected_asset_check_keys}
            yield from dagster_events(results, manifest, checks, warehouse)
        results.raise_if_failed()

    definition: dg.AssetsDefinition = build
    return definition
