"""The dbt command as a child of ours: it dies with its parent, and does not parse twice what did not change.

A run that is killed must not leave a dbt behind that goes on writing the warehouse while the next run starts: the
lake's lock is free from the moment the run dies. And dbt parses the whole project again (4 s) whenever --vars differ,
as they do in every run, although vars are read here only when a model runs; so the parsed project is kept by its
content. Started as `python -P dbt_process.py <dbt arguments>`; imports nothing of ours, to start fast.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

PARENT_CHECK_SECONDS = 0.2
PROJECT = Path(os.environ.get("DBT_PROJECT_DIR", Path(__file__).parents[1] / "dbt_project"))
KEEP_PARSED = 5
PARSED_FOLDERS = ("models", "macros", "tests", "seeds")
# Environment variables that are read while parsing: the sources hold the lake's path.
PARSED_VARIABLES = ("LAKE_ROOT",)


def main(arguments: list[str]) -> int:
    """Run dbt with these arguments; returns its exit code. Exits at once when the parent process does."""
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    # Here and not above: dbt takes seconds to import, and the watch must be on before.
    from dbt.cli.main import dbtRunner

    parsed = PROJECT / "target" / f"parsed-{_content_key()}.msgpack"
    is_parse = "parse" in arguments
    reusable = None if is_parse else _load(parsed)
    done = dbtRunner(manifest=reusable).invoke(arguments)
    if done.exception:
        print(done.exception, file=sys.stderr)
    elif is_parse and done.success:
        _keep(parsed, done.result)
    return 0 if done.success else 1


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def _content_key() -> str:
    """Names what a parse depends on: the project's files, the environment, dbt and its adapter."""
    from importlib.metadata import version

    content = hashlib.sha256()
    environment = [os.environ.get(name, "") for name in PARSED_VARIABLES]
    for text in (*environment, version("dbt-core"), version("dbt-duckdb"), sys.version):
        content.update(text.encode() + b"\0")
    files = [p for folder in PARSED_FOLDERS for p in sorted((PROJECT / folder).rglob("*")) if p.is_file()]
    for path in [*files, PROJECT / "dbt_project.yml", PROJECT / "profiles.yml"]:
        content.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:16]


def _load(path: Path) -> Any:
    """The parsed project kept at `path`; parsed and kept now when there is none."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    if path.exists():
        return Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    done = dbtRunner().invoke(["--quiet", "parse"])
    if not done.success:
        return None  # dbt says what is wrong when it parses again for the command itself
    _keep(path, done.result)
    return done.result


def _keep(path: Path, manifest: Any) -> None:
    from dbt.parser.manifest import extended_mashumaro_encoder

    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(manifest.to_msgpack(extended_mashumaro_encoder))
    beside.replace(path)
    kept = sorted(path.parent.glob("parsed-*.msgpack"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in kept[KEEP_PARSED:]:
        old.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
