"""Training, scoring and the insight marts as assets. What a model is does not belong here (see `ml`).

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
from data_lake.publish import PublishError
from ml.families import FAMILIES, SCORECARD, TABLES, judge, score, train, unscored
from orchestration import progress as steps
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

GATE = "gate"

# What the families read; a model depends on these published tables.
READ = (
    "feat_viewers",
    "feat_channel_days",
    "feat_stream_starts",
    "fct_viewer_days",
    "fct_stream_platforms",
    "fct_streams",
    "fct_chat_messages",
    "fct_stream_minutes",
    "dim_channels",
    "dim_viewers",
)


def model_key(family: str) -> dg.AssetKey:
    return dg.AssetKey(["models", family])


def prediction_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["predictions", table])


def weekly() -> dg.WeeklyPartitionsDefinition:
    """Weeks that start on a Monday, which names them."""
    return dg.WeeklyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), day_offset=1, end_offset=1)


def training_assets() -> list[dg.AssetsDefinition]:
    return [_training(family, meaning) for family, meaning in FAMILIES.items()]


def _training(family: str, meaning: str) -> dg.AssetsDefinition:
    key = model_key(family)

    @dg.multi_asset(
        name=f"train_{family}",
        specs=[
            dg.AssetSpec(
                key,
                group_name=f"models_{family}",
                description=meaning,
                kinds={"mlflow", "scikitlearn"},
                deps=[published_key(table) for table in READ],
                partitions_def=weekly(),
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
    def train_family(
        context: dg.AssetExecutionContext, lake: LakeResource, progress: dg.ResourceParam[Progress]
    ) -> Iterator[Any]:
        layout = lake.hold(context.run_id, progress)
        step = steps.training(family)
        passed, said = True, []
        weeks = [date.fromisoformat(key) for key in context.partition_keys]
        for place, monday in enumerate(weeks):
            progress.advance(step, place / len(weeks), f"as of {monday}")
            outcome = train(family, layout, monday)
            passed &= outcome.gate is None or outcome.gate.passed
            said.append(_in_words(monday, outcome))
        progress.finish(step, "; ".join(said))
        metadata = {"weeks": dg.MetadataValue.md("\n".join(f"- {line}" for line in said))}
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        # A refused challenger changes nothing that is served: the champion stays, and the run says so by failing.
        yield dg.AssetCheckResult(passed=passed, asset_key=key, check_name=GATE, metadata={"message": "; ".join(said)})

    return train_family


def _in_words(monday: date, outcome: Any) -> str:
    if outcome.trained is None:
        return f"{monday}: {outcome.status}, {outcome.message}"
    what = "champion" if outcome.promoted else "passed" if outcome.gate.passed else f"refused: {outcome.message}"
    return f"{monday}: version {outcome.trained.version} {what}"


def scoring_assets() -> dg.AssetsDefinition:
    """Every prediction table: scores of the run's days, then what became of earlier ones."""
    tables = [table for family in FAMILIES for table in TABLES[family]] + list(SCORECARD)

    @dg.multi_asset(
        name="score",
        specs=[
            dg.AssetSpec(
                prediction_key(table),
                group_name="predictions",
                kinds={"parquet"},
                partitions_def=monthly(),
                deps=[published_key(read) for read in READ],
            )
            for table in tables
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def score_families(
        context: dg.AssetExecutionContext, lake: LakeResource, progress: dg.ResourceParam[Progress]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        from ml.predictions import ensure_readable

        layout = lake.hold(context.run_id, progress)
        ensure_readable(layout)
        said: dict[str, str] = {}
        asked = days_to_score(layout, Window.of(context.run))
        for place, family in enumerate(FAMILIES):
            progress.advance(steps.SCORE, place / len(FAMILIES), family)
            counts: dict[str, int] = {}
            for day in sorted({*asked, *unscored(family, layout)}):
                # The counts of the latest day are what the line says.
                counts = score(family, layout, day)
            judged = judge(family, layout)
            said[family] = ", ".join(f"{n:,} {status}" for status, n in sorted(counts.items())) or "nothing to score"
            said[family] += f"; {judged} past {'day' if judged == 1 else 'days'} judged"
        progress.finish(steps.SCORE, "; ".join(f"{family}: {text}" for family, text in said.items()))
        owner = {table: family for family in FAMILIES for table in TABLES[family]}
        for table in tables:
            yield dg.MaterializeResult(
                asset_key=prediction_key(table), metadata={"rows": said.get(owner.get(table, ""), "")}
            )

    return score_families


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
        progress.finish(steps.INSIGHTS, f"{len(results.built)} tables, {results.tests_passed:,} checks passed")
        with lake.warehouse() as warehouse:
            checks = {key.name: key for key in context.selected_asset_check_keys}
            yield from dagster_events(results, manifest, checks, warehouse)
        results.raise_if_failed()

    definition: dg.AssetsDefinition = build
    return definition
