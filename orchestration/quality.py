"""Great Expectations as asset checks: what contracts cannot say, of raw/ and of the tables about to be published.

One step between the marts and their publication, over the days that will be published, of the entities and tables that
the run concerns. Checks of raw/ hang on a model that every run of their world builds. A check fails as an error where a
blocking expectation failed, as a warning where another did.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from data_lake.contracts import load_contracts
from data_lake.expectations.audit import check_raw, check_tables
from data_lake.expectations.suites import table_suites, worlds
from data_lake.expectations.validation import write_data_docs
from data_lake.expectations.verdicts import Verdict
from data_lake.planning import Audit, built_as_of, end_audit, read_publication, unaudited
from orchestration.assets.marts import model_key
from orchestration.metadata import WORST_ROWS, table
from orchestration.project import Manifest, models
from orchestration.resources import LakeResource
from orchestration.work import EXPECTATIONS, EXPECTATIONS_OF_RAW


def expectation_checks(manifest: Manifest) -> dg.AssetChecksDefinition:
    """The suites of every entity and of every table that has one."""
    nodes = {node["name"]: node for node in models(manifest)}
    marts = {name: node for name, node in nodes.items() if name in table_suites()}
    specs = [_spec(model_key(node), EXPECTATIONS) for node in marts.values()]
    for entity, contract in load_contracts().items():
        specs.append(_spec(model_key(nodes[worlds()[contract.world].raw_checks_on]), EXPECTATIONS_OF_RAW + entity))

    @dg.multi_asset_check(name="expect", specs=specs, can_subset=True)
    def expect(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> Iterator[dg.AssetCheckResult]:
        layout = lake.layout
        as_of = built_as_of(layout)
        if as_of is None:
            raise dg.Failure("the marts are not built completely: run 'fullhouse run', which builds them")
        lake.wait_for_warehouse()
        keys = sorted(context.selected_asset_check_keys)
        days = read_publication(layout).waiting
        entities = {key.name.removeprefix(EXPECTATIONS_OF_RAW) for key in keys if key.name != EXPECTATIONS}
        # What was built since its expectations were last met; other tables are as they were then.
        built = {audit.model for audit in unaudited(layout)}
        relations = {name: node["relation_name"] for name, node in marts.items() if name in built}
        verdicts = check_raw(layout, as_of=as_of, days=days, entities=entities)
        verdicts += check_tables(layout, relations, as_of=as_of, days=days)
        write_data_docs(layout)
        results = [_result(key, [v for v in verdicts if v.subject == _subject(key)]) for key in keys]
        yield from results
        end_audit(layout, _passed(results))

    return expect


def _subject(key: dg.AssetCheckKey) -> str:
    """What the verdicts of this check are about."""
    if key.name == EXPECTATIONS:
        return key.asset_key.path[-1]
    return f"raw/{key.name.removeprefix(EXPECTATIONS_OF_RAW)}"


def _passed(results: Sequence[dg.AssetCheckResult]) -> Iterator[Audit]:
    """The checks whose blocking expectations were all met."""
    for result in results:
        if result.asset_key and result.check_name and (result.passed or result.severity != dg.AssetCheckSeverity.ERROR):
            yield Audit(result.asset_key.path[-1], result.check_name)


def _spec(key: dg.AssetKey, name: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name,
        asset=key,
        blocking=True,
        description="Plausible ranges, usual volume, snapshots that lost nothing, ids that some snapshot knows.",
    )


def _result(key: dg.AssetCheckKey, verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    failed = sorted((v for v in verdicts if not v.passed), key=lambda v: not v.blocking)
    metadata: dict[str, Any] = {"expectations_met": len(verdicts) - len(failed), "expectations_missed": len(failed)}
    if verdicts:
        metadata["expectations"] = table(
            [{"source": f.source, "says": f.sentence, "met": f.passed, "observed": f.observed} for f in verdicts]
        )
    if failed:
        metadata["message"] = "; ".join(f"{f.sentence}: {f.observed}" for f in failed)
        worst = [{"expectation": f.name, **row} for f in failed for row in f.worst][:WORST_ROWS]
        columns = {name: None for row in worst for name in row}
        metadata["worst_rows"] = table([{**columns, **row} for row in worst])
    is_blocking = any(f.blocking for f in failed)
    return dg.AssetCheckResult(
        passed=not failed,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
