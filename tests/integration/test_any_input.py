"""Whatever file `fullhouse add` accepts, the next run publishes, and no row is lost without a reason."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from data_lake import landing
from data_lake.adding import add_path
from data_lake.layout import Layout
from data_lake.sources import SOURCES
from tests.integration.lakes import query, run
from tests.odd_files import SOUND, OddFile, odd_files, put

# A whole run is dear, and a smaller example tells no more: `python -m benchmarks.damaged` tries many.
whole_runs = settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def add(lake: Layout, folder: Path, files: list[OddFile]) -> set[str]:
    """Add files as a person does; returns the sources that took them."""
    taken = set()
    for number, file in enumerate(files):
        path, beside = put(folder / str(number), file)
        taken |= {added.source for added in add_path(lake, path, beside)}
    return taken


@whole_runs
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_is_added_the_next_run_publishes_and_no_sound_row_is_lost(seed: int) -> None:
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        lake = Layout(Path(folder) / "lake")
        sound: list[str] = []
        for batch in ("first", "second"):
            files = odd_files(rng)
            assert add(lake, Path(folder) / batch, files) == SOURCES.keys()
            sound += [text for file in files for text in file.sound]
            summary = run(lake)
            blocking = [(c.asset, c.name, c.message, c.worst_rows) for c in summary.failed_checks if c.is_blocking]
            assert summary.succeeded, (summary.error, blocking)
            published = query(lake, f"select text from fct_chat_messages where starts_with(text, '{SOUND}')")
            assert sorted(text for (text,) in published) == sorted(sound)
        for entry in landing.entries(lake).values():
            # What became of each row is counted by the blocking check rows_reconcile of the run.
            assert entry.error is None, entry
            assert entry.rows or entry.quarantined or entry.problem_count, entry
