"""The dbt project as files: where it is, whether its manifest is there and current, what it publishes.

Imports neither Dagster nor dbt, so that `fullhouse status` starts fast. Running dbt does not belong here (see
`dbt` and `dbt_process`).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_lake.contracts import load_contracts
from data_lake.errors import LakeError
from data_lake.publish import Table

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / "dbt_project"
MANIFEST = PROJECT / "target" / "manifest.json"
# What models call beside DuckDB's own functions (see `dbt_texts`).
FUNCTIONS = REPOSITORY / "data_lake" / "texts.py"
# How dbt is started. -P: the script's own folder must not be searched for modules.
DBT = (sys.executable, "-P", str(Path(__file__).with_name("dbt_process.py")))

# Models with this tag are day-local facts, built incrementally; every other model is rebuilt whole.
DAILY = "daily"
# Models with this tag depend on the clock by more than leaving out later rows.
AS_OF = "as_of"
# Tables of marts/ and features/ that people may query, by the first word of their name; others are steps on the way.
PUBLISHED_KINDS = ("dim", "fct", "agg", "feat")
# The models over predictions/: built by a dbt process of their own after scoring, published beside the marts.
INSIGHTS = "insights"
# By folder name: a path selector depends on the working directory.
INSIGHTS_FOLDER = f"fqn:{INSIGHTS}"

Manifest = Mapping[str, Any]


class ManifestMissing(LakeError):
    """The dbt manifest has not been made yet."""


def load_manifest(path: Path = MANIFEST) -> Manifest:
    """The dbt manifest. Raises ManifestMissing with what to do when there is none."""
    if not path.exists():
        raise ManifestMissing(f"the dbt manifest {path} is missing: run 'make setup' to make it")
    manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def project_files(project: Path = PROJECT) -> Iterator[Path]:
    """Every file a manifest is made from."""
    yield from (path for path in (project / "dbt_project.yml", project / "profiles.yml") if path.exists())
    for folder in ("models", "macros", "tests", "seeds"):
        yield from sorted(p for p in (project / folder).rglob("*") if p.suffix in {".sql", ".yml", ".csv", ".md"})


def is_stale(path: Path = MANIFEST, project: Path = PROJECT) -> bool:
    """Whether the manifest is missing or older than a file it is made from."""
    if not path.exists():
        return True
    made = path.stat().st_mtime_ns
    return any(file.stat().st_mtime_ns > made for file in project_files(project))


def fingerprint(project: Path = PROJECT) -> str:
    """Changes with anything that changes what models compute: their SQL and its functions, macros, vars, seeds, the raw
    contracts."""
    content = hashlib.sha256()
    for entity, contract in load_contracts().items():
        content.update(f"{entity} {contract.hash}\n".encode())
    for path in project_files(project):
        relative = path.relative_to(project)
        if relative.parts[0] != "tests" and (path.suffix in {".sql", ".csv"} or path.name == "dbt_project.yml"):
            content.update(relative.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    content.update(FUNCTIONS.read_bytes())
    return content.hexdigest()[:16]


def models(manifest: Manifest) -> list[Mapping[str, Any]]:
    """The models that become assets, in order of their ids."""
    nodes = (node for _, node in sorted(manifest["nodes"].items()))
    return [n for n in nodes if n["resource_type"] == "model" and n["config"]["materialized"] != "ephemeral"]


def layer(node: Mapping[str, Any]) -> str:
    """The folder of models/ a model lies in: staging, core, marts, features or insights; seeds for a seed."""
    return "seeds" if node["resource_type"] == "seed" else str(node["fqn"][1])


def is_daily(node: Mapping[str, Any]) -> bool:
    return DAILY in node["config"].get("tags", [])


def is_published(node: Mapping[str, Any]) -> bool:
    """Whether a model is a table that a version holds before models have scored."""
    return str(node["name"]).partition("_")[0] in PUBLISHED_KINDS


def published_tables(manifest: Manifest) -> Sequence[Table]:
    """What a version holds: every mart and feature table with its description and those of its columns."""
    return _tables(node for node in models(manifest) if is_published(node))


def insight_tables(manifest: Manifest) -> Sequence[Table]:
    """What completes a version once models have scored."""
    return _tables(node for node in models(manifest) if layer(node) == INSIGHTS)


def _tables(nodes: Iterable[Mapping[str, Any]]) -> Sequence[Table]:
    return [
        Table(
            name=node["name"],
            relation=node["relation_name"],
            description=node["description"],
            columns={name: column["description"] for name, column in node["columns"].items()},
            by_day=is_daily(node),
        )
        for node in nodes
    ]
