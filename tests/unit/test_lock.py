"""One writer per lake."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from data_lake.layout import Layout
from data_lake.lock import LakeBusy, LakeLock

HOLD = """
import sys, time
from pathlib import Path
from data_lake.layout import Layout
from data_lake.lock import LakeLock
with LakeLock(Layout(Path(sys.argv[1])), "the-other-run"):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(lake: Layout) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(lake.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_lake(lake: Layout) -> None:
    process = holder(lake)
    try:
        with pytest.raises(LakeBusy, match=rf"process {process.pid} \(run the-other-run"):
            LakeLock(lake, "mine", wait=False).acquire()
    finally:
        process.kill()
        process.wait()


def test_a_killed_holder_leaves_nothing_behind(lake: Layout) -> None:
    process = holder(lake)
    process.kill()
    process.wait()
    with LakeLock(lake, "mine", wait=False):
        pass


def test_a_waiting_run_says_so_once_and_goes_on(lake: Layout) -> None:
    process = holder(lake)
    said: list[str] = []

    def on_wait(message: str) -> None:
        said.append(message)
        process.kill()

    started = time.monotonic()
    with LakeLock(lake, "mine", on_wait=on_wait):
        assert time.monotonic() - started < 30
    process.wait()
    assert len(said) == 1
    assert "the-other-run" in said[0]


def test_one_process_may_take_it_twice(lake: Layout) -> None:
    with LakeLock(lake, "mine"), LakeLock(lake, "mine", wait=False):
        pass
    process = holder(lake)
    process.kill()
    process.wait()
