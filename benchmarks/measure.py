"""Run commands as whole processes, in turn, and report seconds and peak memory."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
# What `fullhouse run` prints without a terminal when a step ends: its name, what it did, its seconds.
STEP = re.compile(r"^(?P<name>.{24}) .*\([0-9.]+ s\)$")


@dataclass(frozen=True)
class Part:
    """What a process did until it printed a line: wall seconds, processor seconds of it and its children.

    Where the system has no /proc the processor seconds are 0.
    """

    name: str
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Run:
    """One finished process: wall seconds, processor seconds of it and its children, peak memory in MB, its output."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str = ""
    parts: Sequence[Part] = field(default=())


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end, its parts by the step lines it prints. Raises RuntimeError with its last lines when it
    fails."""
    started = before = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    lines, parts, cpu_before = [], list[Part](), 0.0
    for text in process.stdout:
        lines.append(text)
        if step := STEP.match(text):
            now, cpu = time.perf_counter(), _tree_cpu_seconds(process.pid)
            parts.append(Part(step["name"].strip(), now - before, cpu - cpu_before))
            before, cpu_before = now, cpu
    _, status, usage = os.wait4(process.pid, 0)
    ended, cpu = time.perf_counter(), usage.ru_utime + usage.ru_stime
    if parts:
        parts.append(Part("to its end", ended - before, cpu - cpu_before if cpu_before else 0.0))
    process.returncode = os.waitstatus_to_exitcode(status)
    output = "".join(lines)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n" + output[-3000:])
    return Run(ended - started, cpu, usage.ru_maxrss / 1024, output, parts)


def _tree_cpu_seconds(root: int) -> float:
    """Processor seconds so far of a process and of all below it, ended ones included; 0 without /proc."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            # The name stands in parentheses and may hold spaces: state, parent, ... follow (proc(5)).
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        pid = int(path.parent.name)
        # User and system time of its own, then of its children that it waited for.
        ticks[pid] = sum(map(int, fields[11:15]))
        children.setdefault(int(fields[1]), []).append(pid)
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += ticks.get(pid, 0)
        waiting += children.get(pid, [])
    return total / os.sysconf("SC_CLK_TCK")


def in_turn(
    first: Callable[[], Run], second: Callable[[], Run], repeat: int = 3
) -> tuple[list[Run], list[Run], list[float]]:
    """Run both `repeat` times, A B A B; returns their runs and the ratio first/second of each pair."""
    pairs = [(first(), second()) for _ in range(repeat)]
    return [a for a, _ in pairs], [b for _, b in pairs], [a.seconds / b.seconds for a, b in pairs]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def line(name: str, runs: Sequence[Run]) -> str:
    """Median and range of wall seconds, median of processor seconds, and the highest peak, as one line."""
    seconds = [r.seconds for r in runs]
    processor = median([r.cpu_seconds for r in runs])
    peak = max(r.peak_mb for r in runs)
    spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
    return f"{name:<44} {median(seconds):8.2f} s  {spread}  processor {processor:8.2f} s  peak {peak:7,.0f} MB"


def part_lines(run: Run) -> str:
    """The parts of a run, one a line: wall and processor seconds."""
    return "\n".join(f"    {p.name:<40} {p.seconds:8.2f} s  processor {p.cpu_seconds:8.2f} s" for p in run.parts)
