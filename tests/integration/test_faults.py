"""A full disk, a clock set back, a lake that was moved, landing files that are gone: no zone is damaged.

Every zone is written as `tests.faults.killed` does it, in forks, so that limits and failures stay in one process.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from data_lake import publish
from data_lake.ingest import ingest
from data_lake.landing import add, entries, landing_files, missing_files
from data_lake.layout import Layout
from data_lake.lock import LakeLock
from orchestration.cli import main
from tests.builders import twitch_chat
from tests.faults.killed import content_of, forked, prepare, published, run_all, seen_and_again


class Two:
    """A lake that has published once, the export that comes next, and what the lake says after it undisturbed."""

    def __init__(self, folder: Path) -> None:
        self.lake, self.kept, self.export = prepare(folder)
        self.old = forked(lambda: published(self.lake))[1]
        ended, self.new = forked(lambda: seen_and_again(self.lake, self.export)[1])
        assert ended == 0
        shutil.rmtree(self.lake.root)
        shutil.copytree(self.kept, self.lake.root, symlinks=True)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def failing(lake: Layout, export: Path, limit: int | None = None) -> str:
    """Run under a limit on the size of a file; returns the error as a person would see it, empty without one."""
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        run_all(lake, export)
    except Exception as error:
        return str(error)
    return ""


@pytest.mark.parametrize("limit", [300, 3_000, 12_000])
def test_a_file_that_cannot_be_written_whole_stops_the_run_in_words_and_the_next_ends_the_same(
    two: Two, limit: int
) -> None:
    _, error = forked(lambda: failing(two.lake, two.export, limit))
    assert "File too large" in error or "Could not write" in error, error
    ended, states = forked(lambda: seen_and_again(two.lake, two.export))
    assert (ended, states) == (0, [two.old, two.new])
    assert [p for p in two.lake.landing.rglob(".*") if p.is_file()] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_stops_the_run_in_words_and_the_next_ends_the_same(small_disk: Path) -> None:
    two = Two(small_disk)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 10_000)
        except OSError:
            pass
    _, error = forked(lambda: failing(two.lake, two.export))
    assert "No space left on device" in error, error
    assert forked(lambda: published(two.lake)) == (0, two.old)
    ballast.unlink()
    ended, states = forked(lambda: seen_and_again(two.lake, two.export))
    assert (ended, states) == (0, [two.old, two.new])


def test_a_clock_that_was_set_back_changes_no_table_and_loses_no_version(two: Two) -> None:
    earlier = datetime(2025, 1, 1, tzinfo=UTC)

    def work() -> Any:
        run_all(two.lake, two.export, earlier)
        return content_of(two.lake), [v.number for v in publish.versions(two.lake)]

    assert forked(work) == (0, [two.new, [1, 2]])
    for entry in two.lake.raw.rglob("*.parquet"):
        os.utime(entry, (0, 0))
    ended, states = forked(lambda: seen_and_again(two.lake, two.export))
    assert (ended, states) == (0, [two.new["published"], two.new])


@pytest.mark.parametrize("keeps_times", [True, False])
def test_a_lake_that_was_moved_or_copied_goes_on(two: Two, tmp_path: Path, keeps_times: bool) -> None:
    moved = Layout(tmp_path / "somewhere" / "else")
    copy = shutil.copy2 if keeps_times else shutil.copyfile
    shutil.copytree(two.lake.root, moved.root, symlinks=True, copy_function=copy)
    shutil.rmtree(two.lake.root)
    shown = CliRunner().invoke(main, ["sql", "from fct_messages"], env={"LAKE_ROOT": str(moved.root)})
    # We answer from where the files are now; other programs read views with the old paths.
    assert shown.exit_code == 0
    assert "fullhouse publish --repair" in shown.output
    assert forked(lambda: len(publish.repair(moved))) == (0, 1)
    ended, states = forked(lambda: seen_and_again(moved, two.export))
    assert (ended, states) == (0, [two.old, two.new])


def test_landing_files_that_are_gone_keep_their_rows_and_raw_is_not_made_again_without_them(two: Two) -> None:
    (export,) = (p for p in two.lake.landing.rglob("*one.json") if p.is_file())
    export.unlink()
    assert missing_files(landing_files(two.lake), entries(two.lake)) == [f"twitch_downloader/{export.name}"]
    _, states = forked(lambda: seen_and_again(two.lake, two.export))
    assert states[1]["published"] == two.new["published"]
    done = CliRunner().invoke(main, ["run", "--rebuild", "raw"], env={"LAKE_ROOT": str(two.lake.root)})
    assert done.exit_code == 1
    output = " ".join(done.output.split())
    assert f"rows of 1 file that landing/ no longer has (twitch_downloader/{export.name})" in output
    assert two.lake.raw.exists()
    LakeLock(two.lake, "").release()


def test_a_lock_file_left_by_another_machine_locks_nothing(lake: Layout) -> None:
    lake.root.mkdir(parents=True)
    for text in ("", "not json", '{"pid": 1, "run_id": "r", "started": "2020-01-01"}'):
        lake.lock.write_text(text)
        with LakeLock(lake, "mine", wait=False):
            pass


def test_an_export_from_the_future_and_one_of_long_ago_end_in_the_same_rows(lake: Layout, tmp_path: Path) -> None:
    file = twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello")])
    for shift in (timedelta(days=-9000), timedelta(days=900)):
        moment = (datetime(2026, 3, 1) + shift).timestamp()
        os.utime(file, (moment, moment))
        add(lake, file)
        ingest(lake)
    assert len(list(lake.raw_entity("chat_messages").glob("event_date=2*"))) == 1
