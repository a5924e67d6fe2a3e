"""The dbt models as assets: one step, one dbt process per run, whatever the run's days.

Facts kept by day are partitioned by day, all other models are not. What a model computes does not belong here, nor
which days a run builds (see `data_lake.planning`).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliInvocation, DbtProject, dbt_assets

from data_lake.contracts import load_contracts
from data_lake.expectations import preload
from data_lake.layout import Layout
from data_lake.planning import Plan, begin_build, built_as_of, end_audit, end_build, plan
from data_lake.store import ensure_readable
from orchestration import progress as steps
from orchestration.assets.outcomes import RESULTS, collect
from orchestration.assets.raw import raw_keys
from orchestration.home import home
from orchestration.partitions import Window, daily, report_days
from orchestration.progress import Progress
from orchestration.project import INSIGHTS, INSIGHTS_FOLDER, Manifest, fingerprint, is_daily, layer, models
from orchestration.resources import LakeDbt, LakeResource, environment


def model_key(node: Mapping[str, Any]) -> dg.AssetKey:
    return dg.AssetKey([layer(node), node["name"]])


class LakeTranslator(DagsterDbtTranslator):  # type: ignore[misc]
    """Names, groups and partitions of models, from their place in the project."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_metadata=False))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            # Named like the zones: raw and predictions.
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return model_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return "_".join(dbt_resource_props["fqn"][1:-1]) or layer(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props["description"] or "")

    def get_partitions_def(self, dbt_resource_props: Mapping[str, Any]) -> dg.PartitionsDefinition[str] | None:
        return daily() if dbt_resource_props["resource_type"] == "model" and is_daily(dbt_resource_props) else None

    def get_asset_spec(self, manifest: Manifest, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec: dg.AssetSpec = super().get_asset_spec(manifest, unique_id, project)
        keys = [key for dep in spec.deps for key in _raw_or_model(dep.asset_key)]
        return spec.replace_attributes(deps=keys)

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Manifest, unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        spec: dg.AssetCheckSpec | None = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        deps = [key for dep in spec.additional_deps for key in _raw_or_model(dep.asset_key)]
        description = manifest["nodes"][unique_id].get("description") or spec.description
        return spec._replace(additional_deps=[dg.AssetDep(key) for key in deps], description=description)


def _raw_or_model(key: dg.AssetKey) -> list[dg.AssetKey]:
    """A dbt source is read by one asset per source format: a model depends on all of them."""
    return raw_keys(key.path[-1]) if key.path[0] == "raw" else [key]


def with_owned_tests(manifest: Manifest) -> Manifest:
    """The manifest with every test that spans several models shown as a check of the last of them.

    dagster-dbt knows the model of a test only when the test has one parent or names one.
    """
    depth: dict[str, int] = {}

    def deep(unique_id: str) -> int:
        if unique_id not in depth:
            parents = manifest["parent_map"].get(unique_id, [])
            depth[unique_id] = 1 + max((deep(p) for p in parents), default=0)
        return depth[unique_id]

    nodes = dict(manifest["nodes"])
    for unique_id, node in manifest["nodes"].items():
        owners = [p for p in node["depends_on"].get("nodes", []) if p.startswith("model.")]
        if node["resource_type"] != "test" or node.get("attached_node") or len(owners) < 2:
            continue
        owner = manifest["nodes"][max(owners, key=lambda p: (deep(p), p))]
        meta = {**node["config"].get("meta", {}), "dagster": {"ref": {"name": owner["name"]}}}
        nodes[unique_id] = {**node, "config": {**node["config"], "meta": meta}}
    return {**manifest, "nodes": nodes}


def marts_assets(manifest: Manifest) -> dg.AssetsDefinition:
    """Every model of the project as one multi-asset."""
    every_model = {model_key(node) for node in models(manifest) if layer(node) != INSIGHTS}

    @dbt_assets(  # type: ignore[untyped-decorator]
        name="build_marts",
        manifest=with_owned_tests(manifest),
        # The insight marts read what models predict from these: they come after, in a process of their own.
        exclude=INSIGHTS_FOLDER,
        dagster_dbt_translator=LakeTranslator(),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def build(
        context: dg.AssetExecutionContext, lake: LakeResource, dbt: LakeDbt, progress: dg.ResourceParam[Progress]
    ) -> Iterator[Any]:
        layout = lake.hold(context.run_id, progress)
        window = Window.of(context.run)
        todo = plan(layout, fingerprint(), from_day=window.from_day, to_day=window.to_day)
        if todo is None:
            raise dg.Failure("raw/ holds no rows: add exports with 'fullhouse add FILE...' and run again")
        for entity in load_contracts():
            ensure_readable(layout, entity)
        lake.wait_for_warehouse()
        selected = {key.path[-1] for key in every_model & context.selected_asset_keys}
        begin_build(layout, todo, selected)
        progress.advance(steps.MARTS, 0.0, "starting dbt")
        progress.advance(steps.AUDIT, 0.0)
        preload()  # the audit that follows needs it, and here we wait for dbt
        outcome = collect(invoke(context, dbt, layout, dbt_vars(todo)), progress)
        # A run over some of the models leaves the rest as they were: what they were built from is not known then.
        if every_model <= context.selected_asset_keys and outcome.every_model_ran:
            end_build(layout, todo)
        progress.finish(steps.MARTS, _in_words(todo))
        progress.finish(steps.AUDIT, f"{outcome.tests_passed:,} passed, {len(outcome.failed_tests):,} failed")
        for key in sorted({model_key(node) for node in outcome.built if is_daily(node)}):
            report_days(context, key, built_days(todo), {"as_of": todo.as_of.isoformat()})
        with lake.warehouse() as warehouse:
            yield from outcome.events(context, warehouse)
        outcome.raise_if_failed()
        end_audit(layout, selected)

    definition: dg.AssetsDefinition = build
    return definition


def built_days(todo: Plan) -> Iterator[date]:
    """The days a plan builds; for a plan of every day, those that raw/ has rows of."""
    if todo.days is None:
        return (day for day in {p.day for p in todo.partitions} if day <= todo.as_of)
    return (first + timedelta(n) for first, last in todo.days for n in range((last - first).days + 1))


def invoke(
    context: dg.AssetExecutionContext, dbt: LakeDbt, layout: Layout, variables: Mapping[str, Any]
) -> DbtCliInvocation:
    """Start `dbt build` of the step's models in the lake's warehouse."""
    # Unit tests hold for the code, not for the data: `make test` runs them.
    arguments = ["build", "--exclude-resource-type", "unit_test", "--vars", json.dumps(variables)]
    environment(layout)
    # One target folder per lake: dbt's log is always in one place. What an earlier run left there says nothing.
    folder = home(layout) / "dbt"
    (folder / RESULTS).unlink(missing_ok=True)
    return dbt.cli(arguments, context=context, raise_on_error=False, target_path=folder)


def built_day(layout: Layout) -> date:
    """The as-of day of complete marts. Raises dg.Failure when a build of them did not end well."""
    as_of = built_as_of(layout)
    if as_of is None:
        raise dg.Failure("the marts are not built completely: run 'fullhouse run', which builds and publishes them")
    return as_of


def dbt_vars(todo: Plan) -> dict[str, Any]:
    """What dbt is told about a run: its clock, and the affected days as inclusive ranges (null: every day)."""
    ranges = [[first.isoformat(), last.isoformat()] for first, last in todo.days] if todo.days is not None else None
    return {"as_of": todo.as_of.isoformat(), "days": ranges}


def _in_words(todo: Plan) -> str:
    if todo.days is None:
        return f"every day up to {todo.as_of} ({todo.reason})"
    count = sum((last - first).days + 1 for first, last in todo.days)
    return f"{count:,} {'day' if count == 1 else 'days'} as of {todo.as_of} ({todo.reason})"
