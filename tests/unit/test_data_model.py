"""docs/data-model.md is what the dbt project says, and every published table says enough to be written down."""

from __future__ import annotations

import re

import pytest

from orchestration.data_model import PAGE, data_model, key_of
from orchestration.project import PUBLISHED_LAYERS, Manifest, layer, load_manifest, models

SUM = re.compile(r"\bsum\(\s*(?:\w+\.)?(\w+)\s*(?:::[\w(), ]+?)?\)")
ADDITIVITY = {"additive", "semi_additive", "non_additive", "ratio"}


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest()


def test_the_page_is_current(manifest: Manifest) -> None:
    assert PAGE.read_text(encoding="utf-8") == data_model(manifest), "run 'make data-model' and commit the page"


def test_every_published_table_is_a_contract_with_its_grain_first(manifest: Manifest) -> None:
    for node in models(manifest):
        if layer(node) in PUBLISHED_LAYERS:
            assert node["config"]["contract"]["enforced"], node["name"]
            assert node["description"].startswith("One row per "), node["name"]
            assert set(key_of(manifest, node)) <= set(node["columns"]), node["name"]
            assert all(c["description"] and c["data_type"] for c in node["columns"].values()), node["name"]


def test_every_count_and_ratio_says_how_it_adds_up(manifest: Manifest) -> None:
    for node in models(manifest):
        if layer(node) not in PUBLISHED_LAYERS:
            continue
        for name, column in node["columns"].items():
            meta = column["config"].get("meta", {})
            if (
                name.endswith(("_count", "_ratio", "_usd", "_seconds", "_hours_watched"))
                and column["data_type"] != "boolean"
            ):
                assert meta.get("additivity") in ADDITIVITY, (node["name"], name)
            if meta.get("additivity") == "ratio":
                assert {meta["numerator"], meta["denominator"]} <= set(node["columns"]), (node["name"], name)


def test_no_model_sums_what_is_not_additive(manifest: Manifest) -> None:
    """By name: of a column that several tables a model reads have, one that may be summed is taken to be the one."""
    nodes = manifest["nodes"]
    for node in models(manifest):
        parents = [nodes[p] for p in node["depends_on"]["nodes"] if p in nodes]
        for name in SUM.findall(node["raw_code"]):
            said = [
                p["columns"][name]["config"].get("meta", {}).get("additivity") for p in parents if name in p["columns"]
            ]
            assert not said or set(said) - {"non_additive", "ratio"}, (
                f"{node['name']} sums {name}, which does not add up"
            )
