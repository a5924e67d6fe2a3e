"""Models read what lies below them: staging, core, domains in their declared order, features, insights; worlds apart.

The place of a model is its folder, models/<layer>/<world>/<domain>; what a domain, a feature or an insight may read
beside staging and core is its `reads` in dbt_project.yml. What depends on the clock says so by a tag, because a run
builds only what changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import pytest

from data_lake.contracts import load_contracts
from orchestration.project import load_manifest

# Of no world: every world may read what lies there.
SHARED = "shared"
LAYERS = ("staging", "core", "marts", "features", "insights")
# What a layer reads without saying so; of its own world or of none.
BELOW = {
    "staging": {"raw", "seeds", "staging"},
    "core": {"staging", "core", "seeds"},
    "marts": {"staging", "core", "seeds"},
    "features": {"staging", "core", "seeds"},
    "insights": {"seeds"},
}

# Models with this tag read the clock; they and what lies below them are built when as_of moves.
AS_OF = "as_of"
# Macros that leave out later rows: entities of which some become visible are changed ones, so nobody needs the clock.
FILTERS = {"is_seen", "in_window"}
CLOCK = re.compile(
    r"""var\(\s*["']as_of["']|\b(current_date|current_timestamp|localtimestamp|run_started_at)\b|\bnow\("""
)

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where something that models read lies. Others name it by its `domain`: the folder of a mart, else its layer."""

    layer: str
    world: str
    domain: str


def place(manifest: Mapping[str, Any], unique_id: str) -> Place:
    if unique_id.startswith("source."):
        source = manifest["sources"][unique_id]
        world = source["fqn"][2] if source["source_name"] == "raw" else SHARED
        return Place(source["source_name"], world, source["source_name"])
    node = manifest["nodes"][unique_id]
    if node["resource_type"] == "seed":
        return Place("seeds", SHARED, "seeds")
    layer, world, *domain = node["fqn"][1:-1]
    return Place(layer, world, domain[0] if domain else layer)


def models(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Node]]:
    yield from ((key, node) for key, node in manifest["nodes"].items() if node["resource_type"] == "model")


def forbidden_reads(manifest: Mapping[str, Any]) -> list[str]:
    """One sentence per model and thing it reads that its layer, its world or its domain must not read."""
    sentences = []
    for unique_id, node in models(manifest):
        own = place(manifest, unique_id)
        declared = set(node["config"]["meta"].get("reads", []))
        for read_id in node["depends_on"]["nodes"]:
            read = place(manifest, read_id)
            name = read_id.split(".")[-1]
            if read.world not in (own.world, SHARED):
                sentences.append(f"{node['name']} of {own.world} reads {name} of {read.world}")
            is_below = read.layer in BELOW[own.layer] or read.domain in declared
            is_own = own.layer in ("marts", "features") and (read.layer, read.domain) == (own.layer, own.domain)
            if not is_below and not is_own:
                sentences.append(f"{node['name']} of {own.domain} reads {name} of {read.domain}, which it must not")
    return sorted(sentences)


def declared_reads(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """What each domain (and features and insights) of each world declares to read, as world/domain."""
    reads: dict[str, set[str]] = {}
    for unique_id, node in models(manifest):
        own = place(manifest, unique_id)
        names = node["config"]["meta"].get("reads", [])
        reads.setdefault(f"{own.world}/{own.domain}", set()).update(f"{own.world}/{name}" for name in names)
    return reads


@pytest.fixture(scope="module")
def manifest() -> Mapping[str, Any]:
    return load_manifest()


def test_every_model_lies_in_a_folder_of_its_layer_and_world(manifest: Mapping[str, Any]) -> None:
    worlds = {source["fqn"][2] for source in manifest["sources"].values() if source["source_name"] == "raw"}
    misplaced = []
    for _, node in models(manifest):
        layer, *folders = node["fqn"][1:-1]
        depth = 2 if layer == "marts" else 1
        if layer not in LAYERS or len(folders) != depth or folders[0] not in worlds | {SHARED}:
            misplaced.append(node["original_file_path"])
    assert misplaced == []


def test_models_read_only_what_lies_below_them(manifest: Mapping[str, Any]) -> None:
    assert forbidden_reads(manifest) == []


def test_domains_stand_in_an_order_and_declare_no_more_than_they_read(manifest: Mapping[str, Any]) -> None:
    reads = declared_reads(manifest)
    assert list(TopologicalSorter(reads).static_order())
    used: dict[str, set[str]] = {domain: set() for domain in reads}
    for unique_id, node in models(manifest):
        own = place(manifest, unique_id)
        for read_id in node["depends_on"]["nodes"]:
            used[f"{own.world}/{own.domain}"].add(f"{own.world}/{place(manifest, read_id).domain}")
    unread = {domain: sorted(names - used[domain]) for domain, names in reads.items() if names - used[domain]}
    assert unread == {}, "take these out of `reads` in dbt_project.yml"


@pytest.mark.parametrize(
    ("model", "reads", "sentence"),
    [
        ("int_streams", "model.full_house.fct_streams", "int_streams of core reads fct_streams of streams"),
        ("int_streams", "source.full_house.raw.streams", "int_streams of core reads streams of raw"),
        ("fct_chat_messages", "model.full_house.fct_viewer_days", "reads fct_viewer_days of viewers"),
        ("fct_streams", "model.full_house.fct_channel_days", "reads fct_channel_days of creators"),
        ("fct_streams", "model.full_house.feat_viewers", "fct_streams of streams reads feat_viewers of features"),
        ("stg_streams", "model.full_house.int_streams", "stg_streams of staging reads int_streams of core"),
        ("feat_viewers", "model.full_house.stream_insights", "reads stream_insights of insights"),
        ("model_scorecard", "model.full_house.topic_trends", "reads topic_trends of insights"),
        ("feat_viewers", "model.full_house.fct_copypastas", "reads fct_copypastas of chat"),
    ],
)
def test_a_read_across_or_upwards_is_found(manifest: Mapping[str, Any], model: str, reads: str, sentence: str) -> None:
    (reported,) = forbidden_reads(with_read(manifest, model, reads))
    assert sentence in reported


def test_a_read_of_another_world_is_found(manifest: Mapping[str, Any]) -> None:
    key = "model.full_house.fct_of_video"
    fact = {**manifest["nodes"]["model.full_house.fct_streams"], "name": "fct_of_video"}
    fact |= {"fqn": ["full_house", "marts", "video", "streams", "fct_of_video"], "depends_on": {"nodes": []}}
    both = {**manifest, "nodes": {**manifest["nodes"], key: fact}}
    assert forbidden_reads(with_read(both, "fct_channel_days", key)) == [
        "fct_channel_days of live reads fct_of_video of video"
    ]


def with_read(manifest: Mapping[str, Any], model: str, read: str) -> Mapping[str, Any]:
    """The manifest with one model that reads one thing more."""
    key = f"model.full_house.{model}"
    node = manifest["nodes"][key]
    nodes = [*node["depends_on"]["nodes"], read]
    return {**manifest, "nodes": {**manifest["nodes"], key: {**node, "depends_on": {"nodes": nodes}}}}


def tells_the_time(macro: Node) -> bool:
    return bool(CLOCK.search(macro["macro_sql"]))


def clock_readers(manifest: Mapping[str, Any]) -> set[str]:
    """Models whose SQL holds the clock for more than to leave out later rows, directly or through macros."""
    macros = manifest["macros"]

    def reads(macro_ids: Sequence[str]) -> bool:
        own = [macros[i] for i in macro_ids if i in macros and macros[i]["package_name"] == "full_house"]
        own = [macro for macro in own if macro["name"] not in FILTERS]
        return any(tells_the_time(macro) or reads(macro["depends_on"]["macros"]) for macro in own)

    return {
        node["name"]
        for _, node in models(manifest)
        if CLOCK.search(node["raw_code"]) or reads(node["depends_on"]["macros"])
    }


def test_a_model_that_reads_the_clock_is_tagged_as_of(manifest: Mapping[str, Any]) -> None:
    tagged = {node["name"] for _, node in models(manifest) if AS_OF in node["config"]["tags"]}
    assert tagged == clock_readers(manifest)
    assert "stg_incomplete_snapshots" in tagged


@pytest.mark.parametrize(
    "code", ["select {{ var('as_of') }}", "select current_date", "select * from t where day < now()"]
)
def test_a_clock_in_the_code_of_a_model_is_found(manifest: Mapping[str, Any], code: str) -> None:
    key = "model.full_house.fct_streams"
    nodes = {**manifest["nodes"], key: {**manifest["nodes"][key], "raw_code": code}}
    assert "fct_streams" in clock_readers({**manifest, "nodes": nodes})


def test_a_clock_behind_macros_is_found(manifest: Mapping[str, Any]) -> None:
    assert "fct_streams" not in clock_readers(manifest)
    key, macro = "model.full_house.fct_streams", "macro.full_house.local_time"
    nodes = {**manifest["nodes"], key: {**manifest["nodes"][key], "depends_on": {"nodes": [], "macros": [macro]}}}
    late = {**manifest["macros"][macro], "depends_on": {"macros": ["macro.full_house.as_of"]}}
    macros = {**manifest["macros"], macro: late}
    assert "fct_streams" in clock_readers({**manifest, "nodes": nodes, "macros": macros})


def test_every_entity_is_staged_as_the_kind_that_its_contract_says(manifest: Mapping[str, Any]) -> None:
    for entity, contract in load_contracts().items():
        event = "staged_events" if contract.has_ids else "staged_samples"
        macro = {"event": event, "state": "staged_states"}[contract.kind]
        assert f"{macro}('{entity}'" in manifest["nodes"][f"model.full_house.stg_{entity}"]["raw_code"]
