"""Kill whole runs at random instants: `python -m tests.faults.crash --kills N` (`make crash-test N=...`).

A small sample world is run undisturbed once. Then, N times, a run of a lake with the same exports is killed with
SIGKILL after a random time, readers look at what it left, and the next run must end in the undisturbed lake's tables.
The seed is printed: the same seed tries the same instants.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from data_lake.layout import Layout
from data_lake.publish import current_version
from data_lake.sample_world import write_sample_world
from orchestration.project import REPOSITORY
from tests.integration.lakes import published

POLL_SECONDS = 0.02
RUN_SECONDS = 600


class Run:
    """A `fullhouse run` of a lake as a process of its own, without models: theirs are new versions in every run."""

    def __init__(self, lake: Layout, *arguments: str) -> None:
        self.lake = lake
        self.log = lake.root.with_name(lake.root.name + ".log")
        self._sink = self.log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", "run", "--no-models", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "LAKE_ROOT": str(lake.root), "PYTHONPATH": str(REPOSITORY)},
            stdout=self._sink,
            stderr=self._sink,
        )

    def wait(self) -> int:
        """Wait for the end; returns the exit code, or minus the signal that ended it."""
        with self._sink:
            return self.process.wait(RUN_SECONDS)

    def kill(self) -> None:
        """SIGKILL to the run alone: what it started has to notice by itself."""
        self.process.send_signal(signal.SIGKILL)

    def kill_when(self, due: Callable[[], bool]) -> None:
        """Kill it as soon as `due` says so. Raises TimeoutError when the run ends before."""
        while not due():
            if self.process.poll() is not None:
                raise TimeoutError(f"the run ended before it was killed:\n{self.log.read_text()}")
            time.sleep(POLL_SECONDS)
        self.kill()

    def children(self) -> list[str]:
        """The command lines of the processes it started (Linux)."""
        commands = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for pid in task.read_text().split():
                commands.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        return commands


def is_building(run: Run) -> bool:
    """Whether dbt has begun to write models: it alone writes a write-ahead log while it runs."""
    log = run.lake.warehouse.with_name(run.lake.warehouse.name + ".wal")
    return any("dbt_process" in command for command in run.children()) and log.exists() and log.stat().st_size > 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--folder", type=Path, default=None, help="Where the lakes are made; removed when all went well."
    )
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="full-house-crash-"))
    instants = random.Random(seed)
    whole = Layout(folder / "whole")
    write_sample_world(whole, scale=0.01, days=20)
    fresh = folder / "fresh"
    shutil.copytree(whole.root, fresh)
    started = time.monotonic()
    if Run(whole).wait():
        print(f"the undisturbed run failed; see {folder}/whole.log")
        return 1
    seconds = time.monotonic() - started
    expected = published(whole)
    print(f"seed {seed}; an undisturbed run took {seconds:.0f} s, {sum(map(len, expected.values())):,} rows published")
    failed = 0
    for n in range(1, options.kills + 1):
        after = instants.uniform(0, seconds)
        failed += not _one(folder, fresh, expected, n, after)
    if not failed:
        shutil.rmtree(folder)
    print(
        f"{options.kills - failed} of {options.kills} kills made good by the next run"
        + (f"; see {folder}" if failed else "")
    )
    return 1 if failed else 0


def _one(folder: Path, fresh: Path, expected: dict[str, list[tuple[object, ...]]], n: int, after: float) -> bool:
    """Kill one run `after` seconds and run again; says and returns whether the same tables came out."""
    lake = Layout(folder / f"killed-{n}")
    shutil.copytree(fresh, lake.root)
    run = Run(lake)
    time.sleep(after)
    run.kill()
    code = run.wait()
    seen = current_version(lake) is None or published(lake) == expected
    again = Run(lake).wait()
    good = seen and again == 0 and published(lake) == expected
    print(f"kill {n} after {after:5.1f} s ({code}): {'the same tables' if good else 'NOT the same tables'}", flush=True)
    if good:
        shutil.rmtree(lake.root)
    return good


if __name__ == "__main__":
    sys.exit(main())
