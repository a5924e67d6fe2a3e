"""`fullhouse forget`: a landing file and its rows leave the lake, and what it had replaced comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from data_lake.ingest import ingest
from data_lake.landing import add, entries, new_files
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.store import scan
from orchestration.cli import main
from tests.builders import twitch_chat


@pytest.fixture(autouse=True)
def here(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))


def fullhouse(*arguments: str | Path, answer: str = "") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=answer)


def everything(lake: Layout) -> dict[str, list[tuple[object, ...]]]:
    return {name: scan(lake, name).order("all").fetchall() for name in sorted({p.entity for p in partitions(lake)})}


@pytest.fixture
def exports(lake: Layout, tmp_path: Path) -> tuple[Path, Path]:
    """An export in the lake, and a later one of the same VOD with other words and one message more."""
    first = twitch_chat(tmp_path / "first.json", [(1, "ann", "hello"), (2, "bob", "hi")])
    second = twitch_chat(
        tmp_path / "second.json",
        [(1, "ann", "HELLO"), (14_500, "cid", "after midnight")],
        exported="2026-02-03T00:00:00Z",
    )
    add(lake, first)
    ingest(lake)
    return first, second


def test_what_a_forgotten_file_had_replaced_comes_back(lake: Layout, exports: tuple[Path, Path]) -> None:
    before = everything(lake)
    add(lake, exports[1])
    ingest(lake)
    assert everything(lake) != before
    done = fullhouse("forget", "second.json", "--yes")
    assert done.exit_code == 0, done.output
    assert "raw/chat_messages: 2 rows of 2026-01-31 to 2026-02-01" in done.output
    assert "-first.json is read again: rows of it had given way" in done.output
    assert [file.name.split("-", 1)[1] for file in new_files(lake)] == ["first.json"]
    ingest(lake)
    assert everything(lake) == before
    assert len(entries(lake)) == 1
    assert [p.name for p in (lake.landing / "twitch_downloader").iterdir() if "second" in p.name] == []


def test_forgetting_lists_asks_and_without_a_yes_changes_nothing(lake: Layout, exports: tuple[Path, Path]) -> None:
    before = everything(lake)
    done = fullhouse("forget", exports[0], answer="n\n")
    assert done.exit_code == 1
    assert "raw/chat_messages: 2 rows of 2026-01-31\n" in done.output
    assert everything(lake) == before
    assert fullhouse("forget", exports[0], answer="y\n").exit_code == 0
    assert everything(lake) == {}
    assert (new_files(lake), entries(lake)) == ([], {})


def test_a_name_of_no_file_or_of_several_is_refused_with_the_names_there_are(
    lake: Layout, exports: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = twitch_chat(tmp_path / "elsewhere" / "first.json", [(5, "ann", "other")], video="200")
    add(lake, other)
    names = sorted(p.name for p in (lake.landing / "twitch_downloader").iterdir() if p.suffix != ".yml")
    for wanted, words in (("nothing.json", "is no file of landing/"), ("first.json", "may be any of")):
        done = fullhouse("forget", wanted, "--yes")
        assert done.exit_code == 1
        assert words in done.output
        assert all(f"twitch_downloader/{name}" in done.output for name in names)
    assert fullhouse("forget", f"twitch_downloader/{names[0]}", "--yes").exit_code == 0


def test_a_file_that_landing_lost_and_rows_in_quarantine_are_forgotten_too(lake: Layout, tmp_path: Path) -> None:
    chat = twitch_chat(tmp_path / "bad.json", [(1, "ann", "hello"), (999_999, "bob", "too late")])
    filed = add(lake, chat).path
    ingest(lake)
    assert list(lake.quarantine.rglob("*.parquet"))
    filed.unlink()
    assert "fullhouse forget twitch_downloader/" in fullhouse("status").output
    done = fullhouse("forget", "bad.json", "--yes")
    assert "quarantine/: 1 row\n" in done.output
    assert "(gone already)" in done.output
    assert (list(lake.quarantine.rglob("*.parquet")), everything(lake), entries(lake)) == ([], {}, {})
