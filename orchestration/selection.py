"""Which part of the lake a run concerns: what is read, which models are built, what is published and scored.

The same answer for the command line, the schedule and the sensors. A run reads what is new; the run after it builds
what changed by that, which nobody knows before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import dagster as dg

from data_lake.landing import LandingFile, new_files
from data_lake.layout import Layout
from orchestration.graph import insights, names
from orchestration.partitions import run_tags
from orchestration.plans import planned_days
from orchestration.project import INSIGHTS, Manifest, is_published, load_manifest, models
from orchestration.stated_days import stated_days
from orchestration.window import Window
from orchestration.work import EXPECTATIONS_OF_RAW, Work, find_work

# What a run does; the build that follows a reading is started where the reading ended well.
STAGE, READ, BUILD = "fullhouse/stage", "read", "build"


def assets_to_read(assets: Collection[dg.AssetKey], files: Sequence[LandingFile]) -> list[dg.AssetKey]:
    """The raw assets of the sources of these new files: nothing is read for others."""
    sources = {file.source for file in files}
    return sorted(key for key in assets if key.path[0] == "raw" and key.path[1] in sources)


def assets_to_build(assets: Collection[dg.AssetKey], manifest: Manifest, work: Work) -> list[dg.AssetKey]:
    """The models to build, the tables of them to publish, and everything that is made from scores."""
    to_publish = {node["name"] for node in models(manifest) if is_published(node)}
    if work.models & to_publish:
        to_publish &= work.models
    elif work.is_published and not work.models:
        to_publish = set()
    scored = names(manifest, insights(manifest))

    def concerns(key: dg.AssetKey) -> bool:
        zone, name = key.path[0], key.path[-1]
        if zone in ("raw", "landing", "models"):
            return False
        if needs_scores(key.path, scored):
            return True
        return name in (to_publish if zone == "published" else work.models)

    return sorted(key for key in assets if concerns(key))


def checks_to_run(
    checks: Collection[dg.AssetCheckKey], assets: Collection[dg.AssetKey], entities: Collection[str] | None
) -> frozenset[dg.AssetCheckKey]:
    """The checks of these assets; of raw/ those of these entities, None for all."""
    chosen = set(assets)

    def concerns(check: dg.AssetCheckKey) -> bool:
        entity = check.name.removeprefix(EXPECTATIONS_OF_RAW)
        return check.asset_key in chosen and (entity == check.name or entities is None or entity in entities)

    return frozenset(check for check in checks if concerns(check))


def needs_scores(path: Sequence[str], scored: Collection[str]) -> bool:
    """Whether an asset is made from scores: predictions, the insight marts, and their published tables."""
    return path[0] in ("predictions", INSIGHTS) or (path[0] == "published" and path[-1] in scored)


def lake_request(layout: Layout, assets: Collection[dg.AssetKey], run_key: str | None = None) -> dg.RunRequest:
    """A run that reads what is new; where nothing is, one of everything over whatever changed."""
    files = new_files(layout)
    to_read = assets_to_read(assets, files)
    everything = sorted(key for key in assets if key.path[0] not in ("raw", "landing", "models"))
    return dg.RunRequest(
        run_key=run_key,
        tags={**run_tags(stated_days(layout, files)), STAGE: READ if to_read else BUILD},
        asset_selection=to_read or everything,
    )


def build_request(layout: Layout, assets: Collection[dg.AssetKey]) -> dg.RunRequest | None:
    """A run that builds, publishes and scores what changed; None when nothing did."""
    manifest = load_manifest()
    work = find_work(layout, manifest, Window())
    if work is None or work.is_done(with_scores=True):
        return None
    tags = {**run_tags(planned_days(work.todo)), STAGE: BUILD}
    return dg.RunRequest(tags=tags, asset_selection=assets_to_build(assets, manifest, work))
