"""Every question of docs/questions.md is answered by its SQL on the published tables."""

from __future__ import annotations

import re

import pytest

from data_lake.layout import Layout
from data_lake.publish import current_version, publish, utc_now
from data_lake.sample_world import write_sample_world
from orchestration.project import insight_tables, load_manifest, published_tables
from orchestration.window import Window
from orchestration.work import find_work
from tests.conftest import REPOSITORY
from tests.integration.lakes import query, run_well

PAGE = REPOSITORY / "docs" / "questions.md"
QUESTION = re.compile(
    r"^### (?P<question>[^\n]+)\n+(?:(?!#|```)[^\n]*\n)*```sql\n(?P<sql>.+?)^```", re.MULTILINE | re.DOTALL
)
# What a small sample world has no rows of.
UNANSWERED = {
    "Who changed their name, and what were they called before?",
    "Which VIPs and regulars should I greet again: silent for over a month of air time?",
}


def questions() -> dict[str, str]:
    return {match["question"]: match["sql"] for match in QUESTION.finditer(PAGE.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    lake = Layout(tmp_path_factory.mktemp("questions") / "lake")
    write_sample_world(lake, seed=11, scale=0.05, days=150)
    run_well(lake, models=True)
    return lake


def is_done(lake: Layout, *, with_scores: bool) -> bool:
    work = find_work(lake, load_manifest(), Window())
    assert work is not None
    return work.is_done(with_scores=with_scores)


def test_scores_older_than_the_marts_are_made_again(built: Layout) -> None:
    shown = current_version(built)
    assert shown is not None
    assert shown.is_scored
    assert is_done(built, with_scores=True)
    # What a run leaves that is killed before it scores, and a run without models: the insights of an earlier scoring.
    tables = [*published_tables(load_manifest()), *insight_tables(load_manifest())]
    publish(built, tables, as_of=shown.as_of, run_id="killed", created_at=utc_now())
    assert not is_done(built, with_scores=True)
    assert is_done(built, with_scores=False)


def test_every_question_has_its_sql() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(questions()) == page.count("\n### ") == page.count("\n```sql\n")
    assert len(questions()) >= 30


@pytest.mark.parametrize("question", questions())
def test_a_question_is_answered(built: Layout, question: str) -> None:
    rows = query(built, questions()[question])
    assert rows or question in UNANSWERED
