"""The dbt command as a child of ours: it dies with its parent, and does not parse twice what did not change.

A run that is killed must not leave a dbt behind that goes on writing the warehouse while the next run starts: the
lake's lock is free from the moment the run dies. And dbt parses the whole project again (4 s) whenever --vars differ,
as they do in every run, although vars are read here only when a model runs; so the parsed project is kept by its
content.

`python -P dbt_process.py <dbt arguments>` is one dbt command. `python -P dbt_process.py serve` answers requests, one
JSON object a line, and has dbt loaded before the first one comes: see `dbt.Dbt`, its other end. Imports nothing of
ours, to start fast; what it reaches into of dbt is in `patches/dbt_internals.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

PARENT_CHECK_SECONDS = 0.2
PROJECT = Path(os.environ.get("DBT_PROJECT_DIR", Path(__file__).parents[1] / "dbt_project"))
KEEP_PARSED = 5
PARSED_FOLDERS = ("models", "macros", "tests", "seeds")
# The sources hold the lake's path. Projects are parsed with this in its place, so that one parse serves every lake.
LAKE = "LAKE_ROOT"
ANY_LAKE = "/lake-of-the-run"
# A tag of no model: those that a request selects get it.
OF_THE_REQUEST = "of-the-request"
NODE_EVENTS = ("LogModelResult", "LogSeedResult", "LogTestResult")


def main(arguments: list[str]) -> int:
    """Run dbt with these arguments; returns its exit code. Exits at once when the parent process does."""
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    if arguments == ["serve"]:
        return serve()
    # Here and not above: dbt takes seconds to import, and the watch must be on before.
    from dbt.cli.main import dbtRunner

    internals = _internals()
    internals.drop_events_early()
    parsed = _parsed_path()
    if "parse" in arguments:
        done = _parse(arguments, parsed)
    else:
        done = dbtRunner(manifest=_in_lake(_load(parsed))).invoke(arguments)
    if done.exception:
        print(done.exception, file=sys.stderr)
    return 0 if done.success else 1


def serve() -> int:
    """Answer requests from the standard input until it ends.

    A request is `{"lake": its folder, "arguments": [...], "names": models and seeds to select, or null}`. Its answer
    is a line `{"node", "is_test", "share"}` for every model and test that ended, then one `{"success", "error",
    "results"}`. What dbt prints goes to the standard error.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    internals = _internals()
    parsed = _parsed_path()
    manifest = _load(parsed)
    if manifest:
        _warm_up(manifest)
        internals.close_warehouse()  # dbt's adapter knows the lake of its first command
    for line in sys.stdin:
        request = json.loads(line)
        os.environ[LAKE] = request["lake"]
        arguments = request["arguments"]
        if manifest and request["names"] is not None:
            _tag(manifest, set(request["names"]))
            arguments = [*arguments, "--select", f"tag:{OF_THE_REQUEST}"]
        _answer(answers, _invoke(arguments, _in_lake(manifest), answers))
        internals.close_warehouse()
        _answer(answers, {"closed": True})
        # dbt writes into the project it builds: the next request gets one of its own, made while nobody waits.
        manifest = _load(parsed)
    return 0


def _warm_up(manifest: Any) -> None:
    """Have dbt load what it loads with its first command, while the parent reads files; opens no warehouse."""
    from dbt.cli.main import dbtRunner

    nothing = f"tag:{OF_THE_REQUEST}"
    flags = ["--quiet", "--log-level-file", "none", "--no-write-json"]
    dbtRunner(manifest=manifest).invoke([*flags, "list", "--select", nothing])


def _tag(manifest: Any, names: set[str]) -> None:
    """Mark what a request selects: dbt compares every name it is given with every node, three times."""
    for node in manifest.nodes.values():
        if node.resource_type in ("model", "seed") and node.name in names:
            node.tags.append(OF_THE_REQUEST)


def _invoke(arguments: list[str], manifest: Any, answers: TextIO) -> dict[str, Any]:
    from dbt.cli.main import dbtRunner

    def tell(event: Any) -> None:
        if event.info.name in NODE_EVENTS:
            is_test = event.info.name == "LogTestResult"
            # dbt numbers models and tests together.
            share = event.data.index / (event.data.num_models if is_test else event.data.total)
            _answer(answers, {"node": event.data.node_info.node_name, "is_test": is_test, "share": share})

    _internals().drop_events_early()
    done = dbtRunner(manifest=manifest, callbacks=[tell]).invoke(arguments)
    results = getattr(done.result, "results", None) or []
    return {
        "success": done.success,
        "error": str(done.exception) if done.exception else None,
        "results": [
            {
                "unique_id": result.node.unique_id,
                "status": str(result.status),
                "message": result.message,
                "failures": result.failures,
                "query": getattr(result.node, "compiled_code", None),
            }
            for result in results
        ],
    }


def _answer(answers: TextIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _internals() -> Any:
    """The module beside us, by its path: this script is not part of a package when it runs."""
    import importlib.util

    path = Path(__file__).parent / "patches" / "dbt_internals.py"
    spec = importlib.util.spec_from_file_location("dbt_internals", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def _parsed_path() -> Path:
    """Where the parsed project is kept: named by the project's files, dbt and its adapter."""
    from importlib.metadata import version

    content = hashlib.sha256()
    for text in (version("dbt-core"), version("dbt-duckdb"), sys.version):
        content.update(text.encode() + b"\0")
    files = [p for folder in PARSED_FOLDERS for p in sorted((PROJECT / folder).rglob("*")) if p.is_file()]
    for path in [*files, PROJECT / "dbt_project.yml", PROJECT / "profiles.yml"]:
        content.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return PROJECT / "target" / f"parsed-{content.hexdigest()[:16]}.msgpack"


def _parse(arguments: list[str], path: Path) -> Any:
    """dbt's answer to a parse for any lake, whose result is kept at `path`."""
    from dbt.cli.main import dbtRunner

    lake = os.environ.get(LAKE)
    os.environ[LAKE] = ANY_LAKE
    try:
        done = dbtRunner().invoke(arguments)
    finally:
        del os.environ[LAKE]
        if lake is not None:
            os.environ[LAKE] = lake
    if done.success:
        _keep(path, _internals().packed(done.result))
    return done


def _load(path: Path) -> Any:
    """The project as kept at `path`; parsed and kept now when there is none."""
    if not path.exists() and not _parse(["--quiet", "parse"], path).success:
        return None  # dbt says what is wrong when it parses again for the command itself
    return _internals().unpacked(path.read_bytes())


def _in_lake(project: Any) -> Any:
    """The project with its sources in the lake of this process' environment."""
    # As dbt_project.yml renders it: the path stands in quotes, in a text that is formatted with %.
    lake = os.environ.get(LAKE, "../data_lake/storage").replace("%", "%%").replace("'", "''")
    for source in project.sources.values() if project else ():
        for meta in (source.meta, source.config.meta):
            if "external_location" in meta:
                meta["external_location"] = meta["external_location"].replace(ANY_LAKE, lake)
    return project


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
    kept = sorted(path.parent.glob("parsed-*.msgpack"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in kept[KEEP_PARSED:]:
        old.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
