"""The `fullhouse` command: what it prints, and what it exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from data_lake import publish
from data_lake.layout import Layout
from data_lake.planning import begin_build, plan
from data_lake.publish import Table, Version
from orchestration import terminal
from orchestration.cli import main
from orchestration.progress_bars import progress_on
from orchestration.project import REPOSITORY
from orchestration.run_summary import FailedCheck, RunSummary, describe_lake
from tests.builders import message, put, twitch_chat


@pytest.fixture(autouse=True)
def here(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


def fullhouse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def publish_words(lake: Layout, *words: str) -> Version:
    """A published version with one table."""
    put(lake, "chat_messages", message("m1", "2026-01-10 10:00"))
    todo = plan(lake, "f")
    assert todo
    begin_build(lake, todo, ())
    with duckdb.connect(str(lake.warehouse)) as connection:
        connection.execute("create or replace table words (word varchar, length int)")
        connection.executemany("insert into words values (?, ?)", [(word, len(word)) for word in words])
    table = Table("words", "words", "One row per word.", {"word": "The word.", "length": "Its letters."})
    now = datetime(2026, 1, 11, tzinfo=UTC)
    return publish.publish(lake, [table], as_of=date(2026, 1, 10), run_id="r", created_at=now)


def test_add_files_an_export_by_its_content(lake: Layout, tmp_path: Path) -> None:
    chat = twitch_chat(tmp_path / "anything.bin", [(1.0, "ann", "hello")])
    first, again = fullhouse("add", chat), fullhouse("add", chat)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "added: anything.bin" in first.output
    assert "next: fullhouse run" in first.output
    assert "already there" in again.output
    assert len([p for p in (lake.landing / "twitch_downloader").iterdir() if p.suffix != ".yml"]) == 1


def test_add_refuses_an_unknown_file_in_a_sentence_and_files_the_others(lake: Layout, tmp_path: Path) -> None:
    unknown = tmp_path / "letter.txt"
    unknown.write_text("Dear Sir or Madam")
    chat = twitch_chat(tmp_path / "chat.json", [(1.0, "ann", "hello")])
    done = fullhouse("add", unknown, tmp_path / "nowhere.json", chat)
    assert done.exit_code == 1
    assert "letter.txt" in done.output
    assert "nowhere.json: there is no such file" in done.output
    assert "Traceback" not in done.output
    assert (lake.landing / "twitch_downloader").exists()


def test_running_an_empty_lake_says_what_to_do() -> None:
    done = fullhouse("run")
    assert done.exit_code == 1
    assert "landing/ is empty: add exports with 'fullhouse add FILE...'" in done.output


def test_days_in_the_wrong_order_are_refused() -> None:
    done = fullhouse("run", "--from", "2026-02-01", "--to", "2026-01-01")
    assert done.exit_code == 2
    assert "--from 2026-02-01 is after --to 2026-01-01" in done.output


def test_a_second_run_that_does_not_wait_names_the_first(lake: Layout) -> None:
    lake.root.mkdir(parents=True)
    script = (
        "import sys, time; from pathlib import Path; from data_lake.layout import Layout; "
        "from data_lake.lock import LakeLock; LakeLock(Layout(Path(sys.argv[1])), 'the-first').acquire(); "
        "print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(lake.root)]
    holder = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline().strip() == "held"
        done = fullhouse("run", "--no-wait")
    finally:
        holder.kill()
        holder.wait()
    assert done.exit_code == 1
    assert f"process {holder.pid} (run the-first" in done.output


def test_training_an_unknown_question_names_those_there_are() -> None:
    done = fullhouse("train", "weather")
    assert done.exit_code == 2
    assert "no question weather; there are churn, forecast, next_stream, topics" in done.output


def test_training_before_anything_is_published_says_what_to_do(lake: Layout) -> None:
    lake.root.mkdir(parents=True)
    done = fullhouse("train", "churn")
    assert done.exit_code == 1
    assert "nothing is published yet: 'fullhouse run' publishes" in done.output


def test_sql_answers_as_table_csv_or_json(lake: Layout) -> None:
    publish_words(lake, "hello", "hi")
    query = "select word, length, null as nothing from words order by word"
    assert "│ hello   │      5 │    NULL │" in fullhouse("sql", query).output
    assert fullhouse("sql", query, "--format", "csv").output == "word,length,nothing\nhello,5,\nhi,2,\n"
    rows = json.loads(fullhouse("sql", query, "--format", "json").output)
    assert rows[0] == {"word": "hello", "length": 5, "nothing": None}


def test_a_row_too_wide_for_the_terminal_is_shown_one_value_a_line(
    lake: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_words(lake, "hello", "hi")
    wide = ", ".join(f"length as length_in_letters_{n}" for n in range(20))
    query = f"select word, {wide} from words order by word"
    monkeypatch.setenv("COLUMNS", "100")
    lines = fullhouse("sql", query).output.splitlines()
    assert lines[0].startswith("── row 1 ─")
    assert lines[1].split() == ["word", "hello"]
    assert lines[21].split() == ["length_in_letters_19", "5"]
    assert lines[23].split() == ["word", "hi"]
    monkeypatch.setenv("COLUMNS", "1000")
    assert "length_in_letters_19 │" in fullhouse("sql", query).output.splitlines()[1]
    assert "word" not in fullhouse("sql", query, "--format", "csv").output.splitlines()[1]


def test_a_table_rounds_floats_for_the_eye_and_no_other_format_does(lake: Layout) -> None:
    publish_words(lake, "hello")
    query = "select 1e6 / 7 as a, 1e-3 / 7 as b, 0::double as c, 'inf'::double as d, 2.50::decimal(18, 4) as e"
    assert "│ 142857.14 │ 0.0001429 │    0.0 │    inf │        2.5000 │" in fullhouse("sql", query).output
    assert (
        "142857.14285714287,0.00014285714285714287,0.0,inf,2.5000" in fullhouse("sql", query, "--format", "csv").output
    )


def test_a_query_of_a_moved_lake_is_answered_and_says_how_other_programs_read_it(
    lake: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_words(lake, "hello")
    moved = lake.root.with_name("moved")
    lake.root.rename(moved)
    monkeypatch.setenv("LAKE_ROOT", str(moved))
    done = fullhouse("sql", "from words")
    assert "hello" in done.output
    assert f"was moved or copied from {lake.root}: 'fullhouse publish --repair'" in done.output
    fullhouse("publish", "--repair")
    assert "moved" not in fullhouse("sql", "from words").output


def test_a_file_that_a_query_does_not_find_is_no_sign_of_a_moved_lake(lake: Layout) -> None:
    publish_words(lake, "hello")
    done = fullhouse("sql", "from 'nowhere.csv'")
    assert (done.exit_code, "nowhere.csv" in done.output, "repair" in done.output) == (1, True, False)


def test_a_query_is_answered_beside_a_client_that_opened_what_is_published_to_write(lake: Layout) -> None:
    publish_words(lake, "hello")
    lake.analytics.chmod(0o644)  # as it is for root, whom no mode stops
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(lake.analytics)]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout
        assert client.stdout.readline() == "held\n"
        assert "hello" in fullhouse("sql", "from words").output
    finally:
        client.communicate()


def test_a_wrong_query_is_answered_in_words(lake: Layout) -> None:
    publish_words(lake, "hello")
    done = fullhouse("sql", "from nowhere")
    assert done.exit_code == 1
    assert "show tables" in done.output
    assert "Traceback" not in done.output


def test_nothing_published_is_said_and_not_shown_as_an_error_of_duckdb() -> None:
    for arguments in (["sql", "select 1"], ["versions"], ["publish", "--repair"], ["rollback"]):
        done = fullhouse(*arguments)
        assert done.exit_code == 1
        assert "nothing is published yet" in done.output or "no earlier version" in done.output


def test_versions_are_listed_and_rolled_back(lake: Layout) -> None:
    publish_words(lake, "hello")
    publish_words(lake, "hello", "again")
    assert [line[0] for line in fullhouse("versions").output.splitlines()] == [" ", "*"]
    assert "people query version 1" in fullhouse("rollback").output
    assert [line[0] for line in fullhouse("versions").output.splitlines()] == ["*", " "]
    assert "rewrote the views of 2 versions" in fullhouse("publish", "--repair").output
    refused = fullhouse("rollback", "9")
    assert (refused.exit_code, "there is no published version 9" in refused.output) == (1, True)


def test_status_tells_what_is_where(lake: Layout, tmp_path: Path) -> None:
    assert "landing      empty" in fullhouse("status").output
    publish_words(lake, "hello")
    fullhouse("add", twitch_chat(tmp_path / "chat.json", [(1.0, "ann", "hello")]))
    said = fullhouse("status").output
    assert "1 twitch_downloader; 1 not read yet" in said
    assert "chat_messages" in said
    assert "version 1 of 2026-01-11" in said


def test_a_fault_of_ours_is_a_sentence_unless_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the wires are crossed")

    monkeypatch.setattr("data_lake.status.collect", broken)
    done = fullhouse("status")
    assert done.exit_code == 1
    assert "RuntimeError: the wires are crossed" in done.output
    assert "fullhouse --debug" in done.output
    debugged = fullhouse("--debug", "status")
    assert isinstance(debugged.exception, RuntimeError)


@pytest.mark.parametrize("command", [["status"], ["versions"], ["--help"]])
def test_commands_that_need_no_dagster_do_not_import_it(command: list[str]) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from orchestration.cli import main; "
        "CliRunner().invoke(main, sys.argv[1:]); print([m for m in ('dagster', 'dbt', 'mlflow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def shown(summary: RunSummary) -> str:
    out = StringIO()
    terminal.show_run(Console(file=out, width=100), summary)
    return out.getvalue()


def test_the_summary_of_a_run_says_what_to_query_and_what_to_type_next(lake: Layout) -> None:
    summary = RunSummary("r", "the.log", succeeded=True, checks_passed=12, database="/lake/analytics.duckdb")
    summary.published = publish_words(lake, "hello")
    summary.span = (date(2026, 1, 1), date(2026, 1, 10))
    summary.quarantined = Counter({("streampai", "viewer_counts", "viewer_count: … is below 0"): 3})
    said = shown(summary)
    assert "version 1, as of 2026-01-10" in said
    assert "│ words │    1 │" in said
    assert "2026-01-01 to 2026-01-10 (10 days)" in said
    assert "3 rows (3 streampai viewer_counts: viewer_count: … is below 0)" in said
    assert "12 passed, 0 failed" in said
    assert "duckdb -readonly /lake/analytics.duckdb" in said
    assert 'fullhouse sql "from words limit 5"' in said
    assert "fullhouse add FILE" in said


def test_the_summary_says_which_models_are_over_two_weeks_old_and_what_to_type(lake: Layout) -> None:
    publish_words(lake, "hello")
    for day, question in (("2025-12-01", "churn"), ("2025-12-26", "churn"), ("2025-12-27", "topics")):
        file = lake.prediction_file("model_versions", date.fromisoformat(day), question)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    summary = RunSummary("r", "the.log", succeeded=True)
    describe_lake(lake, summary)
    assert "models       over two weeks old (churn 15 days): fullhouse train" in shown(summary)


def test_the_summary_of_a_failed_run_names_the_check_its_worst_rows_and_the_log(lake: Layout) -> None:
    summary = RunSummary("r", "the.log", succeeded=False, checks_passed=1)
    summary.published = publish_words(lake, "hello")
    check = FailedCheck("unique_words", "marts/fct_words", "Got 2 results", True, [{"word": "hello", "n": 2}])
    summary.failed_checks = [check]
    said = shown(summary)
    assert "FAILED: unique_words on marts/fct_words: Got 2 results" in said
    assert "│ hello │ 2 │" in said
    assert "still version 1" in said
    assert "the.log" in said
    assert "duckdb " not in said


def test_without_a_terminal_every_step_is_one_line() -> None:
    out = StringIO()
    with progress_on(Console(file=out, width=40)) as progress:
        progress.advance("read chat", 0.5)
        progress.advance("read chat", 1.0)
        progress.finish("read chat", "1 file, and a detail that is longer than the console is wide")
    [line] = out.getvalue().splitlines()
    assert line.startswith("read chat")
    assert "longer than the console is wide" in line
