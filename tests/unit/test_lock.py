"""One writer per lake."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from data_lake.layout import Layout
from data_lake.lock import LakeBusy, LakeLock, LockBusy, ProcessLock

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
            LakeLock(lake, "this-run", wait=False).acquire()
    finally:
        process.kill()
        process.wait()


def test_a_killed_holder_leaves_nothing_behind(lake: Layout) -> None:
    process = holder(lake)
    process.kill()
    process.wait()
    with LakeLock(lake, "this-run", wait=False):
        pass


def test_a_waiting_run_says_so_once_and_goes_on(lake: Layout) -> None:
    process = holder(lake)
    messages: list[str] = []

    def on_wait(message: str) -> None:
        messages.append(message)
        process.kill()

    started = time.monotonic()
    with LakeLock(lake, "this-run", on_wait=on_wait):
        assert time.monotonic() - started < 30
    process.wait()
    assert len(messages) == 1
    assert "the-other-run" in messages[0]


def test_one_process_may_take_it_twice(lake: Layout) -> None:
    with LakeLock(lake, "this-run"), LakeLock(lake, "mine", wait=False):
        pass
    process = holder(lake)
    process.kill()
    process.wait()


def test_what_else_one_process_does_has_a_lock_of_its_own_and_the_same_process_has_no_second(lake: Layout) -> None:
    def pulls(path: str = "pulls", *, wait: bool = False) -> ProcessLock:
        return ProcessLock(lake.root / path, "twitch is being pulled", "a pull", wait=wait)

    held = rf"twitch is being pulled by process {os.getpid()} \(run a pull, since .*wait for it to end"
    with LakeLock(lake, "a run"), pulls(), pulls("others"), pytest.raises(LockBusy, match=held):
        pulls().acquire()
    with pulls(wait=True):
        pass
