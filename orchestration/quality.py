"""Great Expectations as asset checks: what contracts cannot say, of raw/ and of the tables about to be published.

One step between the marts and their publication, over the days that will be published. Checks of raw/ hang on
`fct_streams`, which every entity leads to: a run that read no new file still has to judge the snapshots it can see as
of its day. A check fails as an error where a blocking expectation failed, as a warning where another did. What is
expected does not belong here (see `data_lake.expectations`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from data_lake.contracts import load_contracts
from data_lake.expectations import Verdict, check_raw, check_tables, table_suites, write_data_docs
from data_lake.planning import built_as_of, unpublished
from orchestration.assets.marts import model_key
from orchestration.assets.outcomes import WORST_ROWS, table
from orchestration.project import Manifest, models
from orchestration.resources import LakeResource

EXPECTATIONS = "expectations"
OF_RAW = "expectations_of_raw_"
RAW_HANGS_ON = "fct_streams"


def expectation_checks(manifest: Manifest) -> dg.AssetChecksDefinition:
    """The suites of every entity and of every table that has one."""
    marts = {node["name"]: node for node in models(manifest) if node["name"] in table_suites()}
    hook = model_key(marts[RAW_HANGS_ON])
    specs = [_spec(model_key(node), EXPECTATIONS) for node in marts.values()]
    specs += [_spec(hook, OF_RAW + entity) for entity in load_contracts()]

    @dg.multi_asset_check(name="expect", specs=specs, can_subset=True)
    def expect(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> Iterator[dg.AssetCheckResult]:
        layout = lake.layout
        as_of = built_as_of(layout)
        if as_of is None:
            raise dg.Failure("the marts are not built completely: run 'fullhouse run', which builds them")
        lake.wait_for_warehouse()
        relations = {name: node["relation_name"] for name, node in marts.items()}
        days = unpublished(layout)
        found = check_raw(layout, as_of=as_of, days=days) + check_tables(layout, relations, as_of=as_of, days=days)
        write_data_docs(layout)
        for key in sorted(context.selected_asset_check_keys):
            subject = f"raw/{key.name.removeprefix(OF_RAW)}" if key.name != EXPECTATIONS else key.asset_key.path[-1]
            yield _result(key, [f for f in found if f.subject == subject])

    return expect


def _spec(key: dg.AssetKey, name: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name,
        asset=key,
        blocking=True,
        description="Plausible ranges, usual volume, snapshots that lost nothing, ids that some snapshot knows.",
    )


def _result(key: dg.AssetCheckKey, found: Sequence[Verdict]) -> dg.AssetCheckResult:
    failed = sorted((f for f in found if not f.passed), key=lambda f: not f.blocking)
    metadata: dict[str, Any] = {"expectations_met": len(found) - len(failed), "expectations_missed": len(failed)}
    if found:
        metadata["expectations"] = table(
            [{"source": f.source, "says": f.sentence, "met": f.passed, "observed": f.observed} for f in found]
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
