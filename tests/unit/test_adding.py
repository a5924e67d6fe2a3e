"""What `fullhouse add` does with folders of tables, with mappings beside the files or elsewhere, and with sidecars."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from data_lake.adding import add_path
from data_lake.ingest import ingest
from data_lake.landing import add, entries, read_sidecar, sidecar_path
from data_lake.layout import Layout
from data_lake.sources import UnknownFormat
from data_lake.store import scan
from orchestration.cli import main

VIEWERS = """-- files: */counts.csv, counts.csv
select 'twitch' as platform, split_part(_file, '/', 1) as channel_id, time as observed_at, viewers as viewer_count
from {file}
"""
COUNTS = "time,viewers\n2026-01-01 20:00:00,{}\n"
SIDECAR = "platform: twitch\nchannel_login: anna\nstream_started_at: 2026-01-01T20:00:00Z\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two channels with a file each, something nobody reads, and no mapping."""
    for channel, viewers in (("anna", 5), ("bert", 7)):
        (tmp_path / "exports" / channel).mkdir(parents=True)
        (tmp_path / "exports" / channel / "counts.csv").write_text(COUNTS.format(viewers))
    (tmp_path / "exports" / "notes.txt").write_text("nothing")
    return tmp_path / "exports"


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    folder = tmp_path / "house"
    (folder / "anna").mkdir(parents=True)
    (folder / "viewer_counts.sql").write_text(VIEWERS)
    (folder / "anna" / "counts.csv.yml").write_text("exported_at: 2026-01-02T00:00:00Z\n")
    return folder


def viewers(lake: Layout) -> list[tuple[str, int]]:
    return scan(lake, "viewer_counts").select("channel_id, viewer_count").order("all").fetchall()


def fullhouse(lake: Layout, *arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(a) for a in arguments], env={"LAKE_ROOT": str(lake.root)})
    return done.exit_code, done.output


def test_a_folder_is_filed_with_the_mappings_and_sidecars_that_lie_elsewhere(
    lake: Layout, data: Path, mappings: Path
) -> None:
    added = list(add_path(lake, data, mappings))
    assert [a.source for a in added] == ["tabular", "tabular"]
    assert all(a.path.parent.parent == lake.landing / "tabular" / "house" for a in added)
    sidecar = read_sidecar(sidecar_path(added[0].path))
    assert (sidecar["name"], sidecar["exported_at"].replace(tzinfo=None)) == ("counts.csv", datetime(2026, 1, 2))
    assert ingest(lake).problems == 0
    assert viewers(lake) == [("anna", 5), ("bert", 7)]
    assert not any(a.is_new for a in add_path(lake, data, mappings))


def test_a_file_beside_its_mapping_is_filed_with_it(lake: Layout, data: Path) -> None:
    (data / "viewer_counts.sql").write_text(VIEWERS)
    assert add(lake, data / "anna" / "counts.csv").source == "tabular"
    ingest(lake)
    assert viewers(lake) == [("anna", 5)]
    list(add_path(lake, data))
    ingest(lake)
    assert viewers(lake) == [("anna", 5), ("bert", 7)]


def test_a_changed_export_is_a_new_file_and_a_changed_mapping_reads_all_again(
    lake: Layout, data: Path, mappings: Path
) -> None:
    list(add_path(lake, data, mappings))
    ingest(lake)
    (data / "bert" / "counts.csv").write_text(COUNTS.format(8) + "2026-01-01 20:01:00,9\n")
    assert [a.is_new for a in add_path(lake, data, mappings)] == [False, True]
    ingest(lake)
    assert viewers(lake) == [("anna", 5), ("bert", 8), ("bert", 9)]
    assert len(entries(lake)) == 3
    (mappings / "viewer_counts.sql").write_text(VIEWERS.replace("viewers as", "viewers + 1 as"))
    list(add_path(lake, data, mappings))
    assert ingest(lake).files == 3
    assert viewers(lake) == [("anna", 6), ("bert", 9), ("bert", 10)]


def test_what_cannot_be_added_is_said_in_a_sentence(lake: Layout, data: Path, mappings: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"holds no mapping \(<entity>.sql\).*--beside"):
        list(add_path(lake, data))
    (tmp_path / "other").mkdir()
    with pytest.raises(UnknownFormat, match=r"is named by the '-- files:' line of a mapping \(viewer_counts.sql\)"):
        list(add_path(lake, tmp_path / "other", mappings))
    with pytest.raises(NotADirectoryError, match="should hold mappings or sidecars"):
        list(add_path(lake, data, tmp_path / "nowhere"))
    code, output = fullhouse(lake, "add", data)
    assert (code, "Traceback" in output) == (1, False)
    (mappings / "viewer_count.sql").write_text(VIEWERS)
    _, output = fullhouse(lake, "add", data, "--beside", mappings)
    assert "did you mean viewer_counts.sql?" in output


def test_a_chat_log_takes_its_sidecar_from_beside(lake: Layout, tmp_path: Path) -> None:
    log = tmp_path / "chat.txt"
    log.write_text("[0:00:01] anna: hello\n[0:00:02] bert: hi\n")
    (tmp_path / "sidecars").mkdir()
    (tmp_path / "sidecars" / "chat.txt.yml").write_text(SIDECAR)
    code, output = fullhouse(lake, "add", log, "--beside", tmp_path / "sidecars")
    assert code == 0
    assert output.startswith("added: chat.txt (a chat log")
    ingest(lake)
    assert len(scan(lake, "chat_messages").fetchall()) == 2
