"""Questions of ml/ lie apart: none imports another, and what they share imports none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.test_layers import REPOSITORY, imports

ML = REPOSITORY / "ml"
QUESTIONS = sorted(p.parent.name for p in (ML / "questions").glob("*/__init__.py"))
MODULES = sorted(ML.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_a_question_imports_itself_and_what_is_shared(path: Path) -> None:
    parts = path.relative_to(ML).parts
    own = parts[1] if parts[0] == "questions" and len(parts) > 2 else None
    of_questions = {n.split(".")[2] for n in imports(path) if n.startswith("ml.questions.")}
    assert of_questions <= {own}


def test_every_question_has_the_same_modules() -> None:
    assert QUESTIONS
    for name in QUESTIONS:
        modules = {p.name for p in (ML / "questions" / name).glob("*.py")}
        assert {"__init__.py", "dataset.py", "fit.py", "train.py", "score.py"} <= modules, name
