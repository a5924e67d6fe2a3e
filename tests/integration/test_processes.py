"""Runs as processes: one chat of four tools counts once, and kill -9 anywhere leaves whole tables and ends the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_lake.landing import add
from data_lake.layout import Layout
from data_lake.publish import current_version
from orchestration.project import REPOSITORY
from tests import four_tools
from tests.faults.crash import Run, is_building
from tests.integration.lakes import published, query


def test_a_kill_at_a_write_of_any_zone_leaves_whole_tables_and_the_next_run_ends_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.killed", str(tmp_path), "--every", "8"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["failures"] == []
    assert outcome["kills"] > 15


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return four_tools.export(tmp_path_factory.mktemp("exports"))


def filed(lake: Layout, exports: list[Path]) -> set[str]:
    return {add(lake, path, sidecar=four_tools.STATED).source for path in exports}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, exports: list[Path]) -> Layout:
    """The lake after a run that nobody disturbed."""
    lake = Layout(tmp_path_factory.mktemp("whole") / "lake")
    assert filed(lake, exports) == {"twitch_downloader", "irc", "chat_downloader", "chat_text"}
    assert Run(lake).wait() == 0
    return lake


def test_one_chat_of_four_tools_counts_once(whole: Layout) -> None:
    messages = query(whole, "select viewer_login, text from fct_chat_messages order by sent_at, message_id")
    assert messages == [(who, text) for _, who, text in four_tools.SAID]
    assert query(whole, "select sum(donation_count) from fct_stream_minutes") == [(1,)]


def test_a_run_killed_while_dbt_writes_is_made_good_by_the_next(
    lake: Layout, whole: Layout, exports: list[Path]
) -> None:
    filed(lake, exports)
    first = Run(lake)
    first.kill_when(lambda: is_building(first))
    assert first.wait() == -signal.SIGKILL
    assert current_version(lake) is None
    # Two runs at once: the second waits for the first; one that may not wait is told who holds the lake.
    one, two = Run(lake), Run(lake)
    while not any("dbt_process" in command for command in one.children() + two.children()):
        assert one.process.poll() is None or two.process.poll() is None
        time.sleep(0.1)
    refused = Run(lake, "--no-wait")
    assert refused.wait() == 1
    assert f"the lake {lake.root} is being written by process" in " ".join(refused.log.read_text().split())
    assert (one.wait(), two.wait()) == (0, 0)
    assert published(lake) == published(whole)
