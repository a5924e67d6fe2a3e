"""Run commands as whole processes, in turn, and report seconds and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One finished process: wall seconds, processor seconds of it and its children, peak memory in MB, its output."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str = ""


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end. Raises RuntimeError with its last lines when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n" + said[-3000:])
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


def in_turn(
    first: Callable[[], Run], second: Callable[[], Run], repeat: int = 3
) -> tuple[list[Run], list[Run], list[float]]:
    """Run both `repeat` times, A B A B; returns their runs and the ratio first/second of each pair."""
    pairs = [(first(), second()) for _ in range(repeat)]
    return [a for a, _ in pairs], [b for _, b in pairs], [a.seconds / b.seconds for a, b in pairs]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def line(name: str, runs: Sequence[Run]) -> str:
    """Median and range of seconds, and the highest peak, as one line."""
    seconds = [r.seconds for r in runs]
    peak = max(r.peak_mb for r in runs)
    return f"{name:<44} {median(seconds):8.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})  peak {peak:7,.0f} MB"
