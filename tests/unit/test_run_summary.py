"""What a run leaves behind for people, read from Dagster's events and from the lake."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import dagster as dg

from data_lake.landing import Entry, write_entry
from data_lake.layout import Layout
from orchestration.metadata import table
from orchestration.run_summary import EventSummary, FailedCheck, RunSummary, describe_lake, summarize
from tests.builders import message, put


def judged(**results: dict[str, Any]) -> dg.AssetsDefinition:
    """An asset with a blocking check per name, each of which ends as it says."""

    @dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="marts", blocking=True) for name in results])
    def marts() -> Any:
        yield dg.MaterializeResult()
        for name, result in results.items():
            yield dg.AssetCheckResult(check_name=name, **result)

    return marts


def events_of(*assets: dg.AssetsDefinition) -> EventSummary:
    """One Dagster run over these assets in short."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(list(assets), instance=instance, raise_on_error=False)
    return summarize(result.all_events)


def test_a_failed_check_is_told_with_its_message_and_worst_rows_and_is_no_error_beside() -> None:
    failed = {
        "passed": False,
        "metadata": {"message": "2 rows twice", "worst_rows": table([{"word": "hello", "n": 2}])},
    }
    summary = events_of(judged(every_word_once=failed, words_are_known={"passed": True}))
    expected = FailedCheck("every_word_once", "marts", "2 rows twice", True, [{"word": "hello", "n": 2}])
    assert summary == EventSummary(checks_passed=1, failed_checks=(expected,), error=None)


def test_a_failed_check_without_words_says_its_numbers_and_a_warning_blocks_nothing() -> None:
    warned = {"passed": False, "severity": dg.AssetCheckSeverity.WARN, "metadata": {"failed_rows": 1200}}
    (check,) = events_of(judged(most_words_are_known=warned)).failed_checks
    assert (check.message, check.is_blocking, check.worst_rows) == ("failed rows 1,200", False, [])


def test_a_step_that_broke_says_what_it_says_itself_else_the_first_cause() -> None:
    @dg.asset
    def spoken() -> None:
        raise dg.Failure("the disk is full: make room")

    @dg.asset
    def broken() -> None:
        try:
            raise OSError("no such folder")
        except OSError as error:
            raise RuntimeError("could not be written") from error

    assert events_of(spoken).error == "the disk is full: make room"
    assert "no such folder" in (events_of(broken).error or "")
    assert "could not be written" not in (events_of(broken).error or "")


def test_the_first_error_of_several_runs_stands_and_else_the_checks_that_block() -> None:
    check = FailedCheck("grain", "marts/fct_words", "", True, [])
    warning = FailedCheck("volume", "marts/fct_words", "", False, [])
    summary = RunSummary("r", "the.log")
    summary.add(EventSummary(3, (check, warning)), False)
    assert (summary.succeeded, summary.checks_passed, summary.reason) == (False, 3, "grain on marts/fct_words")
    summary.add(EventSummary(2, (), "dbt stopped"), False)
    summary.add(EventSummary(0, (), "and again"), True)
    assert (summary.succeeded, summary.checks_passed, summary.reason) == (True, 5, "dbt stopped")


def test_what_was_set_aside_or_not_read_is_counted_over_all_files(lake: Layout) -> None:
    put(lake, "chat_messages", message("a", "2026-01-31 20:00"), message("b", "2026-02-01 20:00"))
    read = {"size": 1, "mtime_ns": 1, "version": 1, "context": "", "contracts": {}}
    bad = {"quarantined": {"chat_messages": {"text: is missing": 2}}}
    problem = {"row": 1, "reason": "broke off", "text": ""}
    for name, about in (
        ("one", bad),
        ("two", {**bad, "problems": [problem], "problem_count": 1200}),
        ("three", {"error": "is no chat"}),
    ):
        write_entry(lake, Entry("irc", name, **read, **about))
    summary = RunSummary("r", "the.log")
    describe_lake(lake, summary)
    assert summary.quarantined == Counter({("irc", "chat_messages", "text: is missing"): 4})
    assert dict(summary.failed_files) == {
        "irc/three": "is no chat",
        "irc/two": "1,200 parts, first: broke off",
    }
    assert summary.span == (date(2026, 1, 31), date(2026, 2, 1))
    assert (summary.published, summary.database) == (None, str(lake.analytics))
