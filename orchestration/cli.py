"""The `fullhouse` command. Each command is a few lines over data_lake, and imports what it needs when it is called: all
of them are declared each time, and none needs what another does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_lake.errors import LakeError
from data_lake.layout import REBUILDABLE, Layout
from data_lake.sample_world import world_names
from orchestration import client_commands
from orchestration.forget_command import forget

if TYPE_CHECKING:
    from rich.console import Console

    from orchestration.progress import Progress

# What a person can act on: shown as a sentence. Anything else is a fault of ours, and --debug shows where.
EXPECTED = (LakeError, OSError, ValueError)
FAILED, INTERRUPTED = 1, 130
DAY = click.DateTime(["%Y-%m-%d"])


class Commands(click.Group):
    """Errors as sentences, with --debug as tracebacks."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("interrupted: run again to go on where this stopped", err=True)
            context.exit(INTERRUPTED)
        except Exception as error:
            if context.params.get("debug"):
                raise
            if isinstance(error, EXPECTED):
                raise click.ClickException(str(error)) from error
            advice = "this is a fault of Full House; 'fullhouse --debug ...' shows where"
            raise click.ClickException(f"{type(error).__name__}: {error}\n{advice}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show log lines and tracebacks.")
@click.version_option(package_name="full-house", prog_name="fullhouse")
def main(debug: bool) -> None:
    """An audience lakehouse: exports in, tested tables out. The lake is at LAKE_ROOT (data_lake/storage unless set)."""


for command in (*client_commands.commands(), forget):
    main.add_command(command)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where mappings (<entity>.sql) and sidecars (<file>.yml) are, when not beside the files.",
)
def add(files: tuple[Path, ...], beside: Path | None) -> None:
    """File exports in landing/, each recognised by its content; of a folder, the tables its mappings read."""
    from data_lake.adding import add_path
    from data_lake.sources.reading.sidecars import given_name

    refused = 0
    for file in files:
        try:
            for added in add_path(Layout.from_env(), file, beside):
                word = "added" if added.is_new else "already there"
                click.echo(f"{word}: {given_name(added.path)} ({added.what}) as {added.path}")
        except EXPECTED as error:
            refused += 1
            click.echo(f"Error: {error}", err=True)
    if refused:
        raise click.exceptions.Exit(FAILED)
    click.echo("next: fullhouse run")


@main.command()
@click.option("--from", "from_day", type=DAY, metavar="DAY", help="Build from this UTC day on, changed or not.")
@click.option("--to", "to_day", type=DAY, metavar="DAY", help="As of this UTC day: later rows are not seen.")
@click.option("--rebuild", type=click.Choice(REBUILDABLE), help="Make this zone again from the one before.")
@click.option("--no-wait", is_flag=True, help="Fail at once when another process writes the lake.")
@click.option("--sample-if-empty", is_flag=True, help="Write the sample world when landing/ is empty.")
@click.option("--no-models", is_flag=True, help="Neither train nor score; what was predicted before stays.")
@click.pass_context
def run(
    context: click.Context,
    from_day: datetime | None,
    to_day: datetime | None,
    rebuild: str | None,
    no_wait: bool,
    sample_if_empty: bool,
    no_models: bool,
) -> None:
    """Read what is new, build, audit, publish, score. The first run trains the models too."""
    from orchestration import lake_run, terminal
    from orchestration.progress_bars import progress_on

    layout = Layout.from_env()
    request = lake_run.Request(_day(from_day), _day(to_day), rebuild, wait=not no_wait, models=not no_models)
    if request.from_day and request.to_day and request.from_day > request.to_day:
        raise click.UsageError(f"--from {request.from_day} is after --to {request.to_day}")
    with _quiet(layout, bool(context.find_root().params["debug"])) as console:
        with progress_on(console) as progress:
            fill = _sample_writer(layout, progress) if sample_if_empty else None
            summary = lake_run.run_lake(layout, request, progress, fill=fill)
        terminal.show_run(console, summary)
    if not summary.succeeded:
        raise click.exceptions.Exit(FAILED)


@main.command()
@click.argument("questions", nargs=-1, metavar="[QUESTION]...")
@click.option(
    "--as-of", "as_of", type=DAY, metavar="DAY", help="With what was known on the last Monday up to this day."
)
@click.pass_context
def train(context: click.Context, questions: tuple[str, ...], as_of: datetime | None) -> None:
    """Train models anew (those of every question, or of QUESTIONs) and score with what passes its gate."""
    from ml.questions import QUESTIONS
    from orchestration import lake_run, terminal
    from orchestration.progress_bars import progress_on

    unknown = sorted({*questions} - {*QUESTIONS})
    if unknown:
        raise click.UsageError(f"no question {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    layout = Layout.from_env()
    with _quiet(layout, bool(context.find_root().params["debug"])) as console:
        with progress_on(console) as progress:
            summary = lake_run.train_lake(layout, progress, questions, _day(as_of))
        terminal.show_run(console, summary)
    if not summary.succeeded:
        raise click.exceptions.Exit(FAILED)


def _sample_writer(
    layout: Layout, progress: Progress, *, world: str = "live", scale: float = 1.0, days: int = 400, seed: int = 7
) -> Callable[[], None]:
    def write() -> None:
        from data_lake.sample_world import write_sample_world
        from orchestration import progress as steps

        progress.advance(steps.SAMPLE, 0.0)
        written = write_sample_world(
            layout,
            world=world,
            seed=seed,
            scale=scale,
            days=days,
            progress=lambda share: progress.advance(steps.SAMPLE, share),
        )
        kind, count = max(written.counts.items(), key=lambda counted: counted[1])
        most = f"{count:,} {kind.replace('_', ' ')}"
        span = f"{written.first_day} to {written.last_day}"
        progress.finish(steps.SAMPLE, f"{len(written.files):,} files, {most}, {span}")

    return write


@main.command()
@click.option(
    "--world", default="live", show_default=True, type=click.Choice(world_names()), help="Which kind of audience."
)
@click.option("--scale", default=1.0, show_default=True, help="Times 400,000 messages and 6,000 viewers; at most 25.")
@click.option("--days", default=400, show_default=True, help="Days of streams, ending 2026-10-31.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same files.")
def sample(world: str, scale: float, days: int, seed: int) -> None:
    """Write the sample world into landing/: three channels of two creators, with known truth in truth/."""
    from rich.console import Console

    from data_lake.landing import landing_files
    from data_lake.lock import LakeLock
    from orchestration.progress_bars import progress_on

    layout = Layout.from_env()
    if any(landing_files(layout)):
        raise click.ClickException(f"landing/ of {layout.root} is not empty; a sample needs a LAKE_ROOT of its own")
    console = Console()
    with progress_on(console) as progress, LakeLock(layout, "sample", on_wait=progress.notice):
        _sample_writer(layout, progress, world=world, scale=scale, days=days, seed=seed)()
    click.echo("next: fullhouse run")


@main.command()
def status() -> None:
    """Zones, days, stale partitions, failed files, freshness."""
    from rich.console import Console

    from data_lake.status import collect
    from orchestration.project import fingerprint
    from orchestration.terminal import show_status

    layout = Layout.from_env()
    show_status(Console(), collect(layout, fingerprint()), client_commands.missing_logins(layout))


@main.command()
@click.argument("query")
@click.option("--format", "format_", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def sql(query: str, format_: str) -> None:
    """Run a DuckDB query on the published tables.

    fold_text(text) and text_key(text) make texts comparable: case, blanks, width and invisible characters aside.
    """
    from shutil import get_terminal_size

    import duckdb

    from data_lake.texts import add_text_functions
    from data_lake.views import moved_from, open_version
    from orchestration.answers import show_answer, write_answer

    layout = Layout.from_env()
    if not layout.current.exists():
        raise click.ClickException("nothing is published yet: 'fullhouse run' publishes")
    # The version's own folder: what is published meanwhile does not change what this query reads.
    folder = layout.current.resolve()
    if elsewhere := moved_from(layout, folder):
        advice = "'fullhouse publish --repair' lets other programs query it too"
        click.echo(f"this lake was moved or copied from {elsewhere}: {advice}", err=True)
    try:
        with open_version(layout, folder, with_comments="comment" in query.lower()) as connection:
            if "fold_text" in query or "text_key" in query:
                add_text_functions(connection)
            if format_ == "table":
                show_answer(connection, query, get_terminal_size().columns, sys.stdout)
            else:
                write_answer(connection, query, format_, sys.stdout)
    except duckdb.CatalogException as error:
        raise click.ClickException(f"{error}\n\n'fullhouse sql \"show tables\"' lists the tables") from error
    except duckdb.Error as error:
        raise click.ClickException(str(error)) from error


@main.command()
def versions() -> None:
    """List what was published, oldest first; * is what people query."""
    from data_lake import publish

    layout = Layout.from_env()
    current = publish.current_version(layout)
    complete = publish.versions(layout)
    if not complete:
        raise click.ClickException("nothing is published yet: 'fullhouse run' publishes")
    for version in complete:
        mark = "*" if current and version.number == current.number else " "
        when = version.created_at.strftime("%Y-%m-%d %H:%M")
        size = f"{len(version.rows)} tables, {sum(version.rows.values()):,} rows"
        click.echo(f"{mark} {version.number:>4}  {when} UTC  as of {version.as_of}  {size}")


@main.command()
@click.argument("number", type=int, required=False)
def rollback(number: int | None) -> None:
    """Let people query an earlier version: the one before the current one, or NUMBER."""
    from data_lake import publish
    from data_lake.lock import LakeLock

    layout = Layout.from_env()
    with LakeLock(layout, "rollback", on_wait=lambda text: click.echo(text, err=True)):
        version = publish.rollback(layout, number)
    click.echo(f"people query version {version.number}, as of {version.as_of}, now; the next run publishes anew")


@main.command(name="publish")
@click.option("--repair", is_flag=True, required=True, help="Rewrite views and MLflow's paths after a move.")
def publish_command(repair: bool) -> None:
    """Repair what is published; runs publish by themselves."""
    from data_lake import publish
    from data_lake.lock import LakeLock
    from ml import patches

    layout = Layout.from_env()
    with LakeLock(layout, "repair", on_wait=lambda text: click.echo(text, err=True)):
        repaired = publish.repair(layout)
        artifacts = patches.point_at_artifacts(layout)
    count = f"{len(repaired)} {'version' if len(repaired) == 1 else 'versions'}"
    click.echo(f"rewrote the views of {count} in {layout.published}")
    if artifacts:
        click.echo(f"rewrote {artifacts} paths of MLflow to {layout.artifacts}")


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--mlflow-port", default=5000, show_default=True, help="Port of the MLflow UI.")
def ui(port: int, mlflow_port: int) -> None:
    """Start the Dagster and MLflow UIs; Ctrl-C stops both."""
    from orchestration.ui import serve

    serve(Layout.from_env(), port, mlflow_port, click.echo)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


@contextmanager
def _quiet(layout: Layout, debug: bool) -> Iterator[Console]:
    """A console on the terminal while everything else this process and its children print goes to the log file."""
    from rich.console import Console

    from orchestration.home import log_file

    if debug:
        yield Console()
        return
    log = log_file(layout)
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with log.open("w") as sink, os.fdopen(os.dup(1), "w") as terminal_file:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield Console(file=terminal_file)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)


if __name__ == "__main__":
    main()
