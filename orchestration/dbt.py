"""dbt as a run asks it to build: one child process for all builds of a run, started before it is needed.

The child is `dbt_process.py serve`. It dies with this process, and has the warehouse open only while it builds.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_lake.layout import Layout
from orchestration.home import home
from orchestration.project import DBT, PROJECT

# What dbt says in detail is 50 lines a model, a tenth of its time; the SQL it ran lies beside its log. Nothing of
# ours reads the JSON files it writes after every command.
FLAGS = ("--no-use-colors", "--log-level-file", "info", "--no-write-json")


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test: dbt's status, its words, failing rows, the SQL as it ran."""

    unique_id: str
    status: str
    message: str | None = None
    failures: int | None = None
    query: str | None = None


@dataclass(frozen=True)
class Build:
    """What became of a build: `error` says why dbt ended before it was through."""

    success: bool
    error: str | None
    results: Sequence[NodeResult]
    log: str


# Told about every model and test that ended: its name, whether it is a test, the share of all that is done.
OnNode = Callable[[str, bool, float], None]


class Dbt:
    """Builds of one dbt project, in whichever lake."""

    def __init__(self, project: Path = PROJECT) -> None:
        self._project = project
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Have a child; returns at once, it loads by itself."""
        if self._process and self._process.poll() is None:
            return
        self.stop()
        # Said outright: a dbt environment of the person's own must not redirect ours.
        environment = {
            **os.environ,
            "DBT_PROJECT_DIR": str(self._project),
            "DBT_PROFILES_DIR": str(self._project),
        }
        environment.pop("DBT_TARGET_PATH", None)
        self._process = subprocess.Popen(
            [*DBT, "serve"],
            cwd=self._project,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def stop(self) -> None:
        """End the child, if there is one: it reads that no more requests come."""
        if self._process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
        self._process = None

    def build(self, layout: Layout, names: Collection[str], variables: Mapping[str, Any], on_node: OnNode) -> Build:
        """Build these models and seeds in the lake's warehouse, and run every test that reads one of them.

        Unit tests hold for the code, not for the data: `make test` runs them.
        """
        arguments = ["build", "--exclude-resource-type", "unit_test", "--vars", json.dumps(variables)]
        return self.run(layout, arguments, on_node, names)

    def run(
        self, layout: Layout, arguments: Sequence[str], on_node: OnNode, names: Collection[str] | None = None
    ) -> Build:
        """A dbt command on the lake's warehouse, over these models and seeds when they are given."""
        self.start()
        folder = home(layout) / "dbt"
        flags = [*FLAGS, *arguments, "--target-path", str(folder), "--log-path", str(folder)]
        log = str(folder / "dbt.log")
        answer: dict[str, Any] | None = None
        for line in self._ask(layout, flags, names):
            if "node" in line:
                on_node(line["node"], line["is_test"], line["share"])
            elif "success" in line:
                answer = line
        if answer is None:
            code = self._process.wait() if self._process else None
            return Build(False, f"its process ended with {code}", [], log)
        results = [NodeResult(**result) for result in answer["results"]]
        return Build(answer["success"], answer["error"], results, log)

    def _ask(self, layout: Layout, arguments: Sequence[str], names: Collection[str] | None) -> Iterator[dict[str, Any]]:
        """The lines of the child's answer; it ends before its last line when the child does."""
        assert self._process, "started above"
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            return
        try:
            selected = None if names is None else sorted(names)
            request = {"lake": str(layout.root), "arguments": arguments, "names": selected}
            requests.write(json.dumps(request) + "\n")
            requests.flush()
        except BrokenPipeError:
            return
        for text in answers:
            line = json.loads(text)
            if "closed" in line:
                return
            yield line
