"""The command `fullhouse forget`: a landing file and its rows out of the lake, after saying what that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from data_lake.layout import Layout

if TYPE_CHECKING:
    from data_lake.forgetting import Forgotten


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(files: tuple[str, ...], yes: bool) -> None:
    """Take landing files and their rows out of the lake; lists what goes, and asks. The next run publishes without."""
    from data_lake import forgetting
    from data_lake.lock import LakeLock
    from data_lake.partitions import partitions

    layout = Layout.from_env()
    with LakeLock(layout, "forget", on_wait=lambda text: click.echo(text, err=True)):
        for source, name in dict.fromkeys(forgetting.find(layout, file) for file in files):
            found = forgetting.look_up(layout, source, name)
            for line in lines(found):
                click.echo(line)
            if not yes:
                click.confirm("Delete it from this lake?", abort=True)
            forgetting.forget(layout, found)
            click.echo(f"forgotten: {source}/{name}")
        is_empty = not any(True for _ in partitions(layout))
    if is_empty:
        click.echo("raw/ holds no rows now: what is published stays until there is something else to publish")
    click.echo("next: fullhouse run")


def lines(found: Forgotten) -> list[str]:
    """What forgetting a file changes, in words."""
    text = [f"landing/{found.source}/{found.name}{'' if found.path.exists() else ' (gone already)'}"]
    for entity, days in found.rows.items():
        first, last = min(days), max(days)
        when = f"{first} to {last}" if first != last else f"{first}"
        text.append(f"  raw/{entity}: {sum(days.values()):,} {'row' if sum(days.values()) == 1 else 'rows'} of {when}")
    if not found.rows:
        text.append("  no rows of it are in raw/")
    if found.quarantined:
        text.append(f"  quarantine/: {found.quarantined:,} {'row' if found.quarantined == 1 else 'rows'}")
    text += [f"  {other.source}/{other.name} is read again: rows of it had given way" for other in found.reread]
    return text
