"""The dbt models as assets: one step, one dbt build per run, whatever the run's days.

Facts kept by day are partitioned by month, all other models are not. Which days a run builds is `data_lake.planning`'s
matter, which models `selection`'s.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from importlib import import_module
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.planning import TESTS, Audit, Plan, begin_build, built_as_of, end_audit, end_build, read_publication
from data_lake.planning.ranges import Range, ranges_of, span
from data_lake.store import ensure_readable
from orchestration import progress as steps
from orchestration.assets.dbt_results import BuildResults, dagster_events, read_results
from orchestration.assets.raw import raw_keys
from orchestration.dbt import Dbt
from orchestration.graph import models_of_worlds, names, with_owned_tests
from orchestration.partitions import monthly, report_months
from orchestration.plans import Plans, planned_days, worlds_with_rows
from orchestration.progress import Progress
from orchestration.project import INSIGHTS_FOLDER, Manifest, is_daily, layer
from orchestration.resources import LakeResource
from orchestration.window import Window
from orchestration.work import audits_of, models_to_build

BUILD_STEP = "build_marts"
# What later steps take seconds to import.
IMPORTED_LATER = {"expect": "great_expectations", "score": "skops.io"}


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
        return monthly() if dbt_resource_props["resource_type"] == "model" and is_daily(dbt_resource_props) else None

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


def marts_assets(manifest: Manifest) -> dg.AssetsDefinition:
    """Every model of the project as one multi-asset."""

    @dbt_assets(  # type: ignore[untyped-decorator]
        name=BUILD_STEP,
        manifest=with_owned_tests(manifest),
        # The insight marts read what models predict from these: they come after, in a build of their own.
        exclude=INSIGHTS_FOLDER,
        dagster_dbt_translator=LakeTranslator(),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def build(
        context: dg.AssetExecutionContext,
        lake: LakeResource,
        dbt: dg.ResourceParam[Dbt],
        plans: dg.ResourceParam[Plans],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[Any]:
        layout = lake.hold(context.run_id, progress)
        todo = plans.of(layout, Window.of(context.run))
        if todo is None:
            raise dg.Failure("raw/ holds no rows: add exports with 'fullhouse add FILE...' and run again")
        for entity in load_contracts():
            ensure_readable(layout, entity)
        lake.wait_for_warehouse()
        worlds = worlds_with_rows(layout)
        selected = {key.path[-1] for key in context.selected_asset_keys}
        building = selected & names(manifest, models_of_worlds(manifest, worlds))
        begin_build(layout, todo, audits_of(building, todo.entities))
        threading.Thread(target=_import_ahead, args=(context.run.step_keys_to_execute,), daemon=True).start()
        variables = dbt_vars(todo, read_publication(layout).waiting)
        results = read_results(dbt.build(layout, building, variables, _bars(progress)), manifest)
        # A run over fewer models leaves the rest as they were: what they were built from is not known then.
        if models_to_build(manifest, todo, worlds) <= results.built_names:
            end_build(layout, todo)
        # Expectations come later, in a step of their own.
        end_audit(layout, [Audit(name, TESTS) for name in results.tested(manifest)])
        progress.finish(steps.MARTS, _in_words(todo, results))
        progress.finish(steps.AUDIT, f"{results.tests_passed:,} passed, {results.tests_failed:,} failed")
        _report(context, results, todo)
        with lake.warehouse() as warehouse:
            checks = {key.name: key for key in context.selected_asset_check_keys}
            yield from dagster_events(results, manifest, checks, warehouse)
        yield from _left_out(context, selected - building)
        results.raise_if_failed()

    definition: dg.AssetsDefinition = build
    return definition


def _import_ahead(step_keys: Collection[str] | None) -> None:
    """Import what later steps of this run need, while dbt is waited for."""
    for step, module in IMPORTED_LATER.items():
        if step_keys is None or step in step_keys:
            import_module(module)


def _bars(progress: Progress) -> Any:
    progress.advance(steps.MARTS, 0.0, "starting dbt")
    progress.advance(steps.AUDIT, 0.0)
    return lambda name, is_test, share: progress.advance(steps.AUDIT if is_test else steps.MARTS, share, name)


def _report(context: dg.AssetExecutionContext, results: BuildResults, todo: Plan) -> None:
    """Mark the other months of the plan, of models kept by day."""
    days = planned_days(todo)
    for key in sorted(model_key(node) for node in results.built if is_daily(node)):
        report_months(context, key, days, {"as_of": todo.as_of.isoformat()})


def _left_out(context: dg.AssetExecutionContext, models: Collection[str]) -> Iterator[dg.MaterializeResult[Any]]:
    """Models of worlds without rows: their tables are not made, and what comes after them goes on without."""
    for key in sorted(context.selected_asset_keys):
        if key.path[-1] in models:
            yield dg.MaterializeResult(asset_key=key, metadata={"rebuilt": False, "reason": "no rows of its world"})


def built_day(layout: Layout) -> date:
    """The as-of day of complete marts. Raises dg.Failure when a build of them did not end well."""
    as_of = built_as_of(layout)
    if as_of is None:
        raise dg.Failure("the marts are not built completely: run 'fullhouse run', which builds and publishes them")
    return as_of


def dbt_vars(todo: Plan, unpublished_days: tuple[Range, ...] | None) -> dict[str, Any]:
    """What dbt is told about a run: its clock, and the affected days as inclusive ranges (null: every day).

    Days that an earlier run built and did not publish are among them: their tests have to see them again.
    """
    ranges = None
    if todo.days is not None and unpublished_days is not None:
        days = set[date]().union(*(span(first, last) for first, last in (*todo.days, *unpublished_days)))
        ranges = [[first.isoformat(), last.isoformat()] for first, last in ranges_of(days)]
    return {"as_of": todo.as_of.isoformat(), "days": ranges}


def _in_words(todo: Plan, results: BuildResults) -> str:
    models = f"{len(results.built):,} models"
    if todo.days is None:
        return f"every day up to {todo.as_of} ({todo.reason}), {models}"
    count = sum((last - first).days + 1 for first, last in todo.days)
    return f"{count:,} {'day' if count == 1 else 'days'} as of {todo.as_of} ({todo.reason}), {models}"
