"""kill -9 at the writes of every zone and in the dbt step: readers see whole tables, and the next run ends the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from data_lake.landing import add
from data_lake.layout import Layout
from data_lake.publish import current_version
from orchestration.project import REPOSITORY
from tests.builders import EXPORTED, twitch_chat
from tests.faults.crash import Run, is_building
from tests.integration.lakes import published


def test_a_kill_at_a_write_of_any_zone_leaves_whole_tables_and_the_next_run_ends_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.killed", str(tmp_path), "--every", "8"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert said["failures"] == []
    assert said["kills"] > 15


def test_a_run_killed_while_dbt_writes_is_made_good_by_the_next(tmp_path: Path) -> None:
    chat = twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello"), (2, "bert", "hi"), (14_500, "anna", "later")])
    whole, cut = Layout(tmp_path / "whole"), Layout(tmp_path / "cut")
    for lake in (whole, cut):
        add(lake, chat, sidecar={"exported_at": EXPORTED})
    assert Run(whole).wait() == 0
    first = Run(cut)
    first.kill_when(lambda: is_building(first))
    assert first.wait() == -signal.SIGKILL
    assert current_version(cut) is None
    # Two runs at once: the second waits for the first; one that may not wait is told who holds the lake.
    one, two = Run(cut), Run(cut)
    while not any("dbt_process" in command for command in one.children() + two.children()):
        assert one.process.poll() is None or two.process.poll() is None
        time.sleep(0.1)
    refused = Run(cut, "--no-wait")
    assert refused.wait() == 1
    assert f"the lake {cut.root} is being written by process" in " ".join(refused.log.read_text().split())
    assert (one.wait(), two.wait()) == (0, 0)
    assert published(cut) == published(whole)
