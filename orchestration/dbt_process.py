"""The dbt command as a child of ours: it dies with its parent, and does not parse twice what did not change.

A run that is killed must not leave a dbt behind that goes on writing the warehouse while the next run starts: the
lake's lock is free from the moment the run dies. And dbt parses the whole project again (4 s) whenever --vars differ,
as they do in every run, although vars are read here only when a model runs; so the parsed project is kept by its
content. Started as `python -P dbt_process.py <dbt arguments>`; imports nothing of ours, to start fast.

A log's level counts before a line is made for it: dbt makes the line of each debug event, 6,600 a run, for the
terminal and for the file, and then throws it away (a fifth of a run over few rows).
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
# The sources hold the lake's path. Projects are parsed with this in its place, so that one parse serves every lake.
LAKE = "LAKE_ROOT"
ANY_LAKE = "/lake-of-the-run"


def main(arguments: list[str]) -> int:
    """Run dbt with these arguments; returns its exit code. Exits at once when the parent process does."""
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    # Here and not above: dbt takes seconds to import, and the watch must be on before.
    from dbt.cli.main import dbtRunner

    _drop_early()
    parsed = PROJECT / "target" / f"parsed-{_content_key()}.msgpack"
    done = _parse(arguments, parsed) if "parse" in arguments else dbtRunner(manifest=_load(parsed)).invoke(arguments)
    if done.exception:
        print(done.exception, file=sys.stderr)
    return 0 if done.success else 1


def _drop_early() -> None:
    """Let dbt drop what is below the level of every log before it makes a message of it."""
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    order = list(EventLevel)

    class EarlyDropping(EventManager):  # type: ignore[misc]
        def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *args: Any, **more: Any) -> None:
            least = min((order.index(logger.level) for logger in self.loggers), default=0)
            if order.index(level or e.level_tag()) >= least:
                super().fire_event(e, level, *args, **more)

    ctx_set_event_manager(EarlyDropping())


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def _content_key() -> str:
    """Names what a parse depends on: the project's files, dbt and its adapter."""
    from importlib.metadata import version

    content = hashlib.sha256()
    for text in (version("dbt-core"), version("dbt-duckdb"), sys.version):
        content.update(text.encode() + b"\0")
    files = [p for folder in PARSED_FOLDERS for p in sorted((PROJECT / folder).rglob("*")) if p.is_file()]
    for path in [*files, PROJECT / "dbt_project.yml", PROJECT / "profiles.yml"]:
        content.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:16]


def _parse(arguments: list[str], path: Path) -> Any:
    """dbt's answer to a parse for any lake, whose result is kept at `path`."""
    from dbt.cli.main import dbtRunner

    ours = os.environ.get(LAKE)
    os.environ[LAKE] = ANY_LAKE
    try:
        done = dbtRunner().invoke(arguments)
    finally:
        del os.environ[LAKE]
        if ours is not None:
            os.environ[LAKE] = ours
    if done.success:
        _keep(path, done.result)
    return done


def _load(path: Path) -> Any:
    """The project for this lake as kept at `path`; parsed and kept now when there is none."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    if not path.exists() and not _parse(["--quiet", "parse"], path).success:
        return None  # dbt says what is wrong when it parses again for the command itself
    project = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    # As dbt_project.yml renders it: the path stands in quotes, in a text that is formatted with %.
    lake = os.environ.get(LAKE, "../data_lake/storage").replace("%", "%%").replace("'", "''")
    for source in project.sources.values():
        for meta in (source.meta, source.config.meta):
            if "external_location" in meta:
                meta["external_location"] = meta["external_location"].replace(ANY_LAKE, lake)
    return project


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
