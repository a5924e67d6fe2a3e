"""published/: the marts that passed the audit, as one version that readers switch to at once.

How a version is written and switched to does not belong here (see `data_lake.publish`).
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from data_lake.layout import Layout
from data_lake.planning import unaudited
from data_lake.publish import PublishError, Table, publish, utc_now
from orchestration import progress as steps
from orchestration.assets.marts import built_day, model_key
from orchestration.graph import models_of_worlds, names
from orchestration.plans import worlds_with_rows
from orchestration.progress import Progress
from orchestration.project import INSIGHTS, Manifest, insight_tables, is_published, models, published_tables
from orchestration.resources import LakeResource
from orchestration.work import audits_of

# The schedule is daily: a table is late when a day was missed, and stale when two were.
FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))


def published_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["published", table])


def published_assets(manifest: Manifest) -> dg.AssetsDefinition:
    """Every published table; they are written together or not at all.

    One mart that fails a blocking test fails the step that builds them all, so no table is published then.
    """
    tables = published_tables(manifest)
    keys = {node["name"]: model_key(node) for node in models(manifest) if is_published(node)}
    specs = [published_spec(table, keys[table.name]) for table in tables]
    return _publishing("publish", specs, tables, manifest, steps.PUBLISH, is_scored=False)


def published_insights(manifest: Manifest) -> dg.AssetsDefinition:
    """The published version completed by the insight marts, and switched over to once more."""
    tables = insight_tables(manifest)
    specs = [published_spec(t, dg.AssetKey([INSIGHTS, t.name]), "published_insights") for t in tables]
    return _publishing("publish_insights", specs, tables, manifest, steps.PUBLISH_INSIGHTS, is_scored=True)


def _publishing(
    name: str, specs: Sequence[dg.AssetSpec], tables: Sequence[Table], manifest: Manifest, step: str, *, is_scored: bool
) -> dg.AssetsDefinition:
    """The step that writes the next version, of complete marts only, and tells Dagster of `tables`."""

    @dg.multi_asset(name=name, specs=specs, can_subset=True)
    def write(
        context: dg.AssetExecutionContext, lake: LakeResource, progress: dg.ResourceParam[Progress]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        layout = lake.hold(context.run_id, progress)
        as_of = built_day(layout)
        progress.advance(step, 0.0)
        lake.wait_for_warehouse()
        # What is left of a model or an entity that is no more keeps nothing back.
        if unproven := unaudited(layout) & audits_of(names(manifest, manifest["nodes"]), None):
            first = ", ".join(sorted({audit.model for audit in unproven})[:5])
            raise dg.Failure(f"not every check of {first} passed since it was built: run 'fullhouse run'")
        every = tables_to_publish(layout, manifest, lake, is_scored=is_scored)
        try:
            version = publish(
                layout, every, as_of=as_of, run_id=context.run_id, created_at=utc_now(), is_scored=is_scored
            )
        except PublishError as error:
            raise dg.Failure(str(error)) from error
        progress.finish(step, f"version {version.number}, {len(version.rows)} tables")
        for table in tables:
            if published_key(table.name) not in context.selected_asset_keys:
                continue
            metadata: dict[str, Any] = {
                "dagster/row_count": version.rows.get(table.name, 0),
                "version": version.number,
                "as_of": as_of.isoformat(),
                "path": dg.MetadataValue.path(str(layout.published_version(version.number))),
            }
            yield dg.MaterializeResult(asset_key=published_key(table.name), metadata=metadata)

    return write


def tables_to_publish(layout: Layout, manifest: Manifest, lake: LakeResource, *, is_scored: bool) -> list[Table]:
    """The tables of the worlds that have rows. The insights of the last scoring stay readable until this run's replace
    them; their as-of day says how old they are."""
    with lake.warehouse() as warehouse:
        built = {name for (name,) in warehouse.execute("select table_name from duckdb_tables()").fetchall()}
    of_worlds = names(manifest, models_of_worlds(manifest, worlds_with_rows(layout)))
    insights = [table for table in insight_tables(manifest) if is_scored or table.name in built]
    return [*(table for table in published_tables(manifest) if table.name in of_worlds), *insights]


def published_spec(table: Table, mart: dg.AssetKey, group: str = "published") -> dg.AssetSpec:
    """A published table as an asset: fresh every day."""
    return dg.AssetSpec(
        published_key(table.name),
        group_name=group,
        description=table.description,
        deps=[mart],
        freshness_policy=FRESH,
        kinds={"parquet", "duckdb"},
    )
