"""raw/: one asset per source and entity, read from landing/ by one step per source.

How a file is read and merged does not belong here (see `data_lake.ingest`).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from data_lake.contracts import contract
from data_lake.ingest import IngestReport, ingest
from data_lake.landing import Entry, entries
from data_lake.layout import Layout
from data_lake.sources import SOURCES, Source
from orchestration.partitions import monthly, report_months
from orchestration.progress import Progress, reading
from orchestration.resources import LakeResource

# What the last reading changed, for the checks after it.
CHANGED_FROM, CHANGED_TO = "changed_from", "changed_to"


def raw_key(source: str, entity: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", source, entity])


def raw_keys(entity: str) -> list[dg.AssetKey]:
    """The assets that together hold an entity: one per source that knows it."""
    return [raw_key(name, entity) for name, source in SOURCES.items() if entity in source.entities]


def raw_assets() -> list[dg.AssetsDefinition]:
    """One multi-asset per source."""
    return [_source_assets(source) for source in SOURCES.values()]


def _source_assets(source: Source) -> dg.AssetsDefinition:
    specs = [
        dg.AssetSpec(
            raw_key(source.name, entity),
            group_name=f"raw_{source.name}",
            description=f"{contract(entity).description} As {source.name} exports say it.",
            kinds={"parquet"},
        )
        for entity in source.entities
    ]

    @dg.multi_asset(
        name=f"read_{source.name}",
        specs=specs,
        can_subset=True,
        partitions_def=monthly(),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def read(
        context: dg.AssetExecutionContext, lake: LakeResource, progress: dg.ResourceParam[Progress]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        layout = lake.hold(context.run_id, progress)
        step = reading(source.name)
        report = ingest(layout, sources=[source.name], on_file=lambda _, share: progress.advance(step, share))
        progress.finish(step, _in_words(report))
        held = rows_by_entity(layout, source.name)
        for key in sorted(context.selected_asset_keys):
            entity = key.path[-1]
            changed = report.changed.get((source.name, entity), set())
            metadata = _metadata(report, source.name, entity, held.get(entity, {}), changed)
            report_months(context, key, changed, metadata)
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return read


def _in_words(report: IngestReport) -> str:
    rows = sum(report.rows.values())
    if not report.files:
        return "nothing new"
    return f"{report.files:,} {'file' if report.files == 1 else 'files'}, {rows:,} rows"


def rows_by_entity(layout: Layout, source: str) -> Mapping[str, Counter[date]]:
    """Rows read from the landing files of a source, by entity and day, as the index counts them."""
    held: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for entry in of_source(entries(layout), source):
        for entity, by_day in entry.rows.items():
            held[entity].update({date.fromisoformat(day): rows for day, rows in by_day.items()})
    return held


def of_source(index: Mapping[tuple[str, str], Entry], source: str) -> Iterable[Entry]:
    return (entry for entry in index.values() if entry.source == source)


def _metadata(
    report: IngestReport, source: str, entity: str, held: Mapping[date, int], changed: Collection[date]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": sum(held.values()),
        "days": len(held),
        "rows_read_now": report.rows[source, entity],
        "days_changed_now": len(changed),
        "rows_quarantined_now": sum(n for key, n in report.quarantined.items() if key[:2] == (source, entity)),
    }
    if days := sorted(changed):
        metadata |= {CHANGED_FROM: days[0].isoformat(), CHANGED_TO: days[-1].isoformat()}
    if held:
        metadata |= {"first_day": min(held).isoformat(), "last_day": max(held).isoformat()}
    failed = {name: error for name, error in report.failed.items() if name.startswith(f"{source}/")}
    return metadata | ({"failed_files": dg.MetadataValue.json(failed)} if failed else {})
