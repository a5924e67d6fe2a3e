"""Every question of docs/questions.md is answered by its SQL on what a run publishes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from data_lake.layout import Layout
from data_lake.sample_world import write_sample_world
from tests.integration.lakes import query, run_well

QUESTIONS = Path(__file__).parents[2] / "docs" / "questions.md"
BLOCK = re.compile(r"^### (?P<question>.+?)\n(?P<text>.*?)^```sql\n(?P<sql>.*?)^```", re.MULTILINE | re.DOTALL)


def questions() -> list[tuple[str, str]]:
    """Each question with its SQL."""
    return [(found["question"], found["sql"]) for found in BLOCK.finditer(QUESTIONS.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Six weeks of the sample world, published."""
    lake = Layout(tmp_path_factory.mktemp("questions") / "lake")
    write_sample_world(lake, seed=4, scale=0.08, days=42)
    run_well(lake)
    return lake


@pytest.mark.parametrize(("question", "sql"), questions(), ids=lambda text: text[:60] if text.endswith("?") else "")
def test_a_question_has_an_answer(lake: Layout, question: str, sql: str) -> None:
    assert query(lake, sql), question


def test_every_heading_that_asks_has_sql() -> None:
    asked = re.findall(r"^### (.+)$", QUESTIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert asked == [question for question, _ in questions()]
    assert len(set(asked)) == len(asked) >= 15
