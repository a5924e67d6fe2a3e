"""The dbt manifest as a graph: what lies below what, which model a test hangs on, which world a model is of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from data_lake.contracts import load_contracts
from orchestration.project import INSIGHTS, Manifest, layer, models

RAW = "raw"


def raw_sources(manifest: Manifest) -> dict[str, str]:
    """The id of each raw entity in the manifest."""
    sources = manifest["sources"].items()
    return {source["name"]: unique_id for unique_id, source in sources if source["source_name"] == RAW}


def models_of_worlds(manifest: Manifest, worlds: Collection[str]) -> set[str]:
    """Ids of the models of these worlds (models/<layer>/<world>/...), and of those that are of no world, with seeds."""
    every_world = {contract.world for contract in load_contracts().values()}
    chosen = {
        node["unique_id"] for node in models(manifest) if node["fqn"][2] in worlds or node["fqn"][2] not in every_world
    }
    return chosen | {unique_id for unique_id, node in manifest["nodes"].items() if node["resource_type"] == "seed"}


def below(manifest: Manifest, roots: Iterable[str]) -> set[str]:
    """Ids of everything that reads one of these nodes, directly or not; without the nodes themselves."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        new = [child for child in manifest["child_map"].get(waiting.pop(), []) if child not in found]
        found.update(new)
        waiting += new
    return found


def owners_of_tests(manifest: Manifest) -> dict[str, str]:
    """The id of the model that each test hangs on: the one it is attached to, else the last of those it reads."""
    depth: dict[str, int] = {}

    def deep(unique_id: str) -> int:
        if unique_id not in depth:
            parents = manifest["parent_map"].get(unique_id, [])
            depth[unique_id] = 1 + max((deep(parent) for parent in parents), default=0)
        return depth[unique_id]

    owners = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "test":
            continue
        read = models_read(node)
        attached = node.get("attached_node")
        if attached or read:
            owners[unique_id] = attached or max(read, key=lambda parent: (deep(parent), parent))
    return owners


def models_read(node: Mapping[str, Any]) -> list[str]:
    """Ids of the models that a test reads."""
    return [parent for parent in node["depends_on"].get("nodes", []) if parent.startswith("model.")]


def with_owned_tests(manifest: Manifest) -> Manifest:
    """The manifest with every test that spans several models shown as a check of the one it hangs on.

    dagster-dbt knows the model of a test only when the test has one parent or names one.
    """
    nodes = dict(manifest["nodes"])
    for unique_id, owner in owners_of_tests(manifest).items():
        node = nodes[unique_id]
        if not node.get("attached_node") and len(models_read(node)) > 1:
            ref = {"dagster": {"ref": {"name": manifest["nodes"][owner]["name"]}}}
            nodes[unique_id] = {**node, "config": {**node["config"], "meta": {**node["config"].get("meta", {}), **ref}}}
    return {**manifest, "nodes": nodes}


def names(manifest: Manifest, ids: Iterable[str]) -> frozenset[str]:
    return frozenset(manifest["nodes"][unique_id]["name"] for unique_id in ids)


def insights(manifest: Manifest) -> set[str]:
    """Ids of the models over predictions/, which are built after scoring."""
    return {node["unique_id"] for node in models(manifest) if layer(node) == INSIGHTS}
