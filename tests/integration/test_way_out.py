"""A wrong export, from the failed audit to the next publish, by the commands that the product and its runbook say."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from data_lake.landing import add
from data_lake.layout import Layout
from orchestration import terminal
from orchestration.cli import main
from orchestration.project import REPOSITORY
from tests.integration.lakes import query, run, run_well

RUNBOOK = REPOSITORY / "docs" / "runbooks" / "failed-audit.md"
MAPPING = """-- files: *.csv
select 'youtube' as platform, stream_id, channel_id, observed_at::timestamp as observed_at,
    timestamp '2026-01-20 10:00' as started_at, timestamp '2026-01-20 11:00' as ended_at from {file}
"""


def recordings(folder: Path, name: str, observed_at: str, *channels: str) -> Path:
    """A list of recordings as a tool writes it, two of each channel."""
    rows = [f"{channel}{n},{channel},{observed_at}" for channel in channels for n in (1, 2)]
    path = folder / name
    path.write_text("\n".join(["stream_id,channel_id,observed_at", *rows]))
    return path


@pytest.fixture
def folder(lake: Layout, tmp_path: Path) -> Path:
    """A folder of lists, of which the second lacks a channel."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "streams.sql").write_text(MAPPING)
    recordings(folder, "first.csv", "2026-01-26 20:00", "anna", "bert", "cora")
    recordings(folder, "second.csv", "2026-01-27 20:00", "anna", "cora")
    return folder


def commands(text: str) -> list[list[str]]:
    """The fullhouse commands in blocks of a runbook, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines() if "fullhouse " in line]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_the_message_of_a_failed_audit_and_the_runbook_lead_out_word_for_word(
    lake: Layout, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    for path in sorted(folder.glob("*.csv")):
        add(lake, path)
    failed = run(lake)
    assert not failed.succeeded
    printed = StringIO()
    terminal.show_run(Console(file=printed, width=200), failed)
    told = printed.getvalue()
    (file,) = re.findall(r"from (tabular/lists/\w+-second\.csv): 4 rows of streams, 2026-01-27 20:00:00 UTC", told)
    assert f"fullhouse forget {file}\n" in told
    assert "docs/runbooks/failed-audit.md" in told

    out = [command for command in commands(RUNBOOK.read_text()) if command[0] == "forget"]
    assert out == [["forget", "SOURCE/FILE", "--yes"]]
    done = CliRunner().invoke(main, [word.replace("SOURCE/FILE", file) for word in out[0]])
    assert done.exit_code == 0, done.output
    assert "raw/streams: 4 rows of 2026-01-27" in done.output
    run_well(lake)
    assert query(lake, "select count(distinct channel_id) from fct_stream_platforms") == [(3,)]
