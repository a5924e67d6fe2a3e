"""How a run looks while it works: a bar per step in a terminal, a line per finished step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.markup import escape
from rich.table import Column

from orchestration.progress import Progress
from orchestration.terminal import print_text

STEP_WIDTH = 24


class Lines:
    """One line per finished step, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console, self._started = console, dict[str, float]()

    def advance(self, step: str, share: float, detail: str = "") -> None:
        self._started.setdefault(step, time.monotonic())

    def finish(self, step: str, detail: str = "") -> None:
        now = time.monotonic()
        # A step can come again in one run: the models are trained at two past cut-offs.
        seconds = now - self._started.pop(step, now)
        print_text(self._console, f"{step:<{STEP_WIDTH}} {detail or 'done'} ({seconds:.1f} s)")

    def notice(self, text: str) -> None:
        print_text(self._console, text)


class Bars:
    """One bar per step, drawn while the run works."""

    def __init__(self, drawn: bars.Progress) -> None:
        self._drawn, self._tasks = drawn, dict[str, bars.TaskID]()

    def advance(self, step: str, share: float, detail: str = "") -> None:
        self._drawn.update(self._task(step), completed=share, detail=escape(detail))

    def finish(self, step: str, detail: str = "") -> None:
        task = self._task(step)
        self._drawn.update(task, completed=1.0, detail=escape(detail))
        self._drawn.stop_task(task)

    def notice(self, text: str) -> None:
        print_text(self._drawn.console, text)

    def _task(self, step: str) -> bars.TaskID:
        if step not in self._tasks:
            self._tasks[step] = self._drawn.add_task(step, total=1.0, detail="")
        return self._tasks[step]


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """Progress drawn on this console: bars in a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        bars.TextColumn("{task.description}", table_column=Column(width=STEP_WIDTH, no_wrap=True)),
        bars.BarColumn(bar_width=20, table_column=Column(width=20)),
        bars.TaskProgressColumn(table_column=Column(width=4, no_wrap=True, justify="right")),
        bars.TimeElapsedColumn(table_column=Column(width=7, no_wrap=True)),
        bars.TextColumn("{task.fields[detail]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    # What libraries print goes to the log (see `cli`), not through the bars.
    with bars.Progress(*columns, console=console, expand=True, redirect_stdout=False, redirect_stderr=False) as drawn:
        yield Bars(drawn)
