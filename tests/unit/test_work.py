"""What a run builds: the models below what changed, those on the clock when it moved, what was never audited."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from data_lake.planning import TESTS, Audit, Plan
from orchestration.project import Manifest
from orchestration.work import audits_of, entities_to_judge, models_to_build


def model(name: str, *reads: str, layer: str = "marts", tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "unique_id": f"model.m.{name}",
        "name": name,
        "resource_type": "model",
        "fqn": ["m", layer, "live", name],
        "config": {"materialized": "table", "tags": list(tags)},
        "depends_on": {"nodes": list(reads)},
    }


def a_test(name: str, *reads: str, on: str) -> dict[str, Any]:
    return {
        "unique_id": f"test.m.{name}",
        "name": name,
        "resource_type": "test",
        "attached_node": on,
        "config": {},
        "depends_on": {"nodes": list(reads)},
    }


CHAT, FOLLOWS = "source.m.raw.chat_messages", "source.m.raw.follows"
NODES = [
    model("stg_chat", CHAT),
    model("fct_streams", "model.m.stg_chat"),
    model("stg_follows", FOLLOWS),
    model("dim_ages", "model.m.stg_follows", tags=("as_of",)),
    model("dim_old", "model.m.dim_ages"),
    model("at_risk", "model.m.dim_old", layer="insights"),
    a_test("every_age_has_a_follow", "model.m.dim_ages", "model.m.stg_follows", on="model.m.dim_ages"),
]


@pytest.fixture
def manifest() -> Manifest:
    children: dict[str, list[str]] = {}
    for node in NODES:
        for parent in node["depends_on"]["nodes"]:
            children.setdefault(parent, []).append(node["unique_id"])
    names = {CHAT: "chat_messages", FOLLOWS: "follows"}
    return {
        "nodes": {node["unique_id"]: node for node in NODES},
        "sources": {unique_id: {"name": name, "source_name": "raw"} for unique_id, name in names.items()},
        "child_map": children,
        "parent_map": {node["unique_id"]: node["depends_on"]["nodes"] for node in NODES},
    }


def planned(entities: set[str] | None, **more: Any) -> Plan:
    day = date(2026, 1, 10)
    known = None if entities is None else frozenset(entities)
    return Plan(day, ((day, day),), (), (), "f", "why", entities=known, **{"as_of_moved": False, **more})


def test_only_what_lies_below_a_changed_entity_is_built(manifest: Manifest) -> None:
    assert models_to_build(manifest, planned({"chat_messages"}), {"live"}) == {"stg_chat", "fct_streams"}


def test_the_model_that_expectations_of_raw_hang_on_is_built_with_every_change(manifest: Manifest) -> None:
    built = models_to_build(manifest, planned({"follows"}), {"live"})
    assert built == {"stg_follows", "dim_ages", "dim_old", "fct_streams"}


def test_models_on_the_clock_are_built_when_it_moved_and_those_below_are_not(manifest: Manifest) -> None:
    assert models_to_build(manifest, planned(set(), as_of_moved=True), {"live"}) == {"dim_ages"}


def test_a_model_that_was_never_audited_is_built_again_with_what_tests_beside_it_hang_on(manifest: Manifest) -> None:
    todo = planned(set(), unaudited=frozenset({Audit("stg_follows", TESTS)}))
    assert models_to_build(manifest, todo, {"live"}) == {"stg_follows", "dim_ages"}


def test_every_check_of_what_is_built_is_open_until_it_passes() -> None:
    audits = audits_of({"stg_chat", "fct_streams"}, {"follows", "bans"})
    of_streams = {audit.check for audit in audits if audit.model == "fct_streams"}
    assert of_streams == {"tests", "expectations", "expectations_of_raw_follows", "expectations_of_raw_bans"}
    assert {audit.check for audit in audits if audit.model == "stg_chat"} == {"tests"}
    assert Audit("fct_streams", "expectations_of_raw_chat_messages") in audits_of({"fct_streams"}, None)


def test_a_check_of_raw_that_did_not_pass_is_made_again_though_its_entity_has_not_changed() -> None:
    failed = frozenset({Audit("fct_streams", "expectations_of_raw_streams"), Audit("dim_ages", TESTS)})
    assert entities_to_judge(planned({"follows"}, unaudited=failed)) == {"follows", "streams"}
    assert entities_to_judge(planned(None, unaudited=failed)) is None


def test_a_backfill_builds_everything_but_the_insights(manifest: Manifest) -> None:
    everything = {"stg_chat", "fct_streams", "stg_follows", "dim_ages", "dim_old"}
    assert models_to_build(manifest, planned(None), {"live"}) == everything


def test_nothing_is_built_of_a_world_without_rows(manifest: Manifest) -> None:
    assert models_to_build(manifest, planned(None), set()) == set()
