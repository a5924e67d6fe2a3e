"""Comments, docstrings and descriptions point to pages that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# A page as a text names it; not the name of a file that the code writes, which stands in quotes.
PAGE = re.compile(r"(?<![\w./\"'-])[a-z][\w/-]*\.md\b(?!\()")


def lost_pages(text: str) -> list[str]:
    """The pages that a text names, from the root of the repository, and that are not there."""
    return [page for page in PAGE.findall(text) if not (REPOSITORY / page).exists()]


@pytest.mark.parametrize("text", ["(formats.md)", "see docs/nowhere.md.", "-- two messages stay two, contracts.md"])
def test_a_page_that_is_not_there_is_noticed(text: str) -> None:
    assert lost_pages(text)


def test_every_page_that_the_code_names_exists() -> None:
    listed = ["git", "ls-files", "*.py", "*.sql", "*.yml", "Makefile", ":!tests"]
    files = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    lost = {file: pages for file in files if (pages := lost_pages((REPOSITORY / file).read_text(encoding="utf-8")))}
    assert lost == {}
