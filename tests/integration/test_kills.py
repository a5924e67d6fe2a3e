"""kill -9 at a write of a zone: readers see whole tables, and the next run ends in the same ones."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data_lake.ingest import ingest
from data_lake.landing import add
from data_lake.layout import Layout
from data_lake.store import partitions, scan
from tests.builders import EXPORTED, twitch_chat

CHAT = [(1, "anna", "hello"), (2, "bert", "hi"), (14_500, "anna", "after midnight")]


def killed(lake: Layout, *more: str) -> int:
    command = [sys.executable, "-m", "tests.faults.killed", str(lake.root), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if "--count" in more else done.returncode


def landed(folder: Path) -> Layout:
    lake = Layout(folder / "lake")
    stated = {"exported_at": EXPORTED}
    add(lake, twitch_chat(folder / "one.json", CHAT), sidecar=stated)
    add(lake, twitch_chat(folder / "two.json", CHAT[:2], video="200", start="2026-01-20T10:00:00Z"), sidecar=stated)
    return lake


def everything(lake: Layout) -> dict[str, list[tuple[object, ...]]]:
    names = sorted({p.entity for p in partitions(lake)})
    return {name: scan(lake, name).order("all").fetchall() for name in names}


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_kill_while_reading_leaves_whole_partitions_and_the_next_read_ends_the_same(
    share: float, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, cut = landed(tmp_path / "a"), landed(tmp_path / "b")
    writes = killed(whole, "--count")
    assert killed(cut, "--kill-at", str(max(1, int(writes * share)))) == -signal.SIGKILL
    everything(cut)  # every partition that is there can be read
    ingest(cut)
    assert everything(cut) == everything(whole)
