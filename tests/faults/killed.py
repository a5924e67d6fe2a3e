"""Kill a lake at each of its writes and let it run again: `python -m tests.faults.killed FOLDER [--every N]`.

A small lake that has published once gets another export: added, read, built, published. The process kills itself with
SIGKILL before its n-th write, so nothing is tidied up; what readers see must be whole then, and a run after it must end
in the tables of an undisturbed lake. A write is a call that changes what is on disk, as the interpreter's profiler sees
it: of files, folders and links, and every statement to DuckDB. Each attempt is a fork, so that nothing of one process
reaches another. dbt is stood in for by two statements; whole runs are killed by `tests.faults.crash`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from data_lake import planning, publish
from data_lake.contracts import load_contracts
from data_lake.ingest import ingest
from data_lake.landing import add, landing_files, read_sidecar, sidecar_path
from data_lake.layout import Layout
from data_lake.lock import LakeLock
from data_lake.partitions import partitions
from data_lake.sql import connect, literal
from data_lake.store import scan
from tests.builders import EXPORTED, PLANNED_MODELS, twitch_chat

WRITES = {
    *("replace", "rename", "link", "symlink", "unlink", "rmdir", "mkdir", "ftruncate", "pwrite"),
    *("BufferedWriter.write", "TextIOWrapper.write"),
}
CHAT = [(1, "anna", "hello"), (2, "bert", "hi"), (14_500, "anna", "after midnight")]
MORE = [(3, "carl", "late"), (14_600, "anna", "and later")]
TABLES = [
    publish.Table("fct_messages", "fct_messages", "One row per message.", {"event_date": "Day."}, by_day=True),
    publish.Table("dim_chatters", "dim_chatters", "One row per viewer.", {"viewer_id": "Who."}),
]


def run_all(lake: Layout, export: Path, now: datetime = datetime(2026, 3, 1, tzinfo=UTC)) -> None:
    """What a run does to every zone, with two statements in the place of dbt."""
    with LakeLock(lake, "a test"):
        add(lake, export, sidecar={"exported_at": EXPORTED})
        ingest(lake)
        todo = planning.plan(lake, "models")
        assert todo
        planning.begin_build(lake, todo, [planning.Audit(table.name, planning.TESTS) for table in TABLES])
        with connect(lake, str(lake.warehouse)) as connection:
            rows = f"read_parquet({literal(lake.raw_glob('chat_messages'))}, hive_partitioning = true)"
            connection.execute(f"create or replace table fct_messages as from {rows} where event_date is not null")
            connection.execute("create or replace table dim_chatters as select distinct viewer_id from fct_messages")
            for model, rows in PLANNED_MODELS.items():
                connection.execute(f"create or replace table {model} as {rows}")
        planning.end_build(lake, todo)
        planning.end_audit(lake)
        publish.publish(lake, TABLES, as_of=todo.as_of, run_id="r", created_at=now)


def content_of(lake: Layout) -> dict[str, Any]:
    """Everything in the lake that must be the same whatever happened on the way."""
    content: dict[str, Any] = {
        "landing": [(f.source, f.name, f.size, read_sidecar(sidecar_path(f.path))) for f in landing_files(lake)],
        "index": {p.relative_to(lake.index).as_posix(): json.loads(p.read_text()) for p in lake.index.rglob("*.json")},
        "raw": {e: rows(scan(lake, e)) for e in sorted({p.entity for p in partitions(lake)})},
        "published": published(lake),
    }
    for entry in content["index"].values():
        del entry["mtime_ns"]
    with connect(lake) as connection:
        files = sorted(map(str, lake.quarantine.rglob("*.parquet")))
        content["quarantine"] = rows(connection.sql(f"from read_parquet({files})")) if files else []
    return content


def published(lake: Layout) -> dict[str, Any]:
    with connect(lake, str(lake.analytics), read_only=True) as connection:
        return {table.name: rows(connection.sql(f"from {table.name}")) for table in TABLES}


def rows(relation: Any) -> list[Any]:
    return [list(map(str, row)) for row in relation.order("all").fetchall()]


class Killer:
    """Counts the writes of this process and ends it before one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at, self.count = kill_at, 0

    def watch(self) -> None:
        threading.setprofile(self)
        sys.setprofile(self)

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call":
            return
        name = getattr(called, "__qualname__", "")
        if name in WRITES or name.endswith((".execute", ".executemany")):
            self.count += 1
            if self.count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do something in a fork; returns how it ended (0, or minus the signal) and what it returned, as JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            answer = json.dumps(work(), default=str).encode()
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(answer)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(answer) if answer else None


def counted(lake: Layout, export: Path) -> int:
    killer = Killer()
    killer.watch()
    run_all(lake, export)
    sys.setprofile(None)
    return killer.count


def killed(lake: Layout, export: Path, at: int) -> None:
    Killer(at).watch()
    run_all(lake, export)


def seen_and_again(lake: Layout, export: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What readers see now, and everything after another run."""
    seen = published(lake)
    run_all(lake, export)
    return seen, content_of(lake)


def prepare(folder: Path) -> tuple[Layout, Path, Path]:
    """A lake that has published once, a copy of it to go back to, and the export that comes next."""
    first = twitch_chat(folder / "one.json", CHAT)
    second = twitch_chat(folder / "two.json", [*MORE, (-1e9, "dora", "long before")], video="200")
    lake, kept = Layout(folder / "lake"), folder / "kept"
    assert forked(lambda: run_all(lake, first))[0] == 0
    shutil.copytree(lake.root, kept, symlinks=True)
    return lake, kept, second


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="Kill at every n-th write only.")
    options = parser.parse_args()
    # Read once here and not in every fork; pyarrow imports pandas when it first converts a value.
    load_contracts()
    importlib.import_module("pandas")
    lake, kept, export = prepare(options.folder)
    _, old = forked(lambda: published(lake))
    _, writes = forked(lambda: counted(lake, export))
    _, expected = forked(lambda: content_of(lake))
    assert expected["quarantine"], "the second export holds a bad row"
    failures = []
    points = range(1, writes + 1, options.every)
    for at in points:
        shutil.rmtree(lake.root)
        shutil.copytree(kept, lake.root, symlinks=True)
        code, _ = forked(lambda at=at: killed(lake, export, at))  # type: ignore[misc]
        ended, states = forked(lambda: seen_and_again(lake, export))
        if code != -signal.SIGKILL:
            failures.append(f"write {at}: ended with {code} instead of being killed")
        if ended:
            failures.append(f"write {at}: what it left cannot be read or run again")
            continue
        seen, after = states
        if seen not in (old, expected["published"]):
            failures.append(f"write {at}: readers saw neither the old tables nor the new ones")
        if after != expected:
            failures.append(f"write {at}: other {[part for part in expected if after[part] != expected[part]]}")
    print(json.dumps({"writes": writes, "kills": len(points), "failures": failures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
