"""The `fullhouse` commands that talk to platforms, the same for every client: connect, pull, poll."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from data_lake.clients import client, client_names, clients
from data_lake.layout import Layout

if TYPE_CHECKING:
    from data_lake.clients.base import Client

DAY = click.DateTime(["%Y-%m-%d"])


class ClientGroup(click.Group):
    """A command with one subcommand per client: `command` makes it, None where a client has no such command."""

    def __init__(self, name: str, command: Callable[[Client], click.Command | None], help: str) -> None:
        super().__init__(name, help=help)
        self._command = command

    def list_commands(self, context: click.Context) -> list[str]:
        return [one.name for one in clients() if self._command(one)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return self._command(client(name)) if name in client_names() else None


def _connect(client: Client) -> click.Command:
    def run(**settings: str | None) -> None:
        from data_lake.clients.http import Clock, Http

        for setting in client.login.settings:
            if setting.is_secret:
                settings[setting.name] = click.prompt(setting.help, hide_input=True)
        connected_as = client.login.connect(Http(Clock()), click.echo, settings)
        click.echo(f"connected as {connected_as}\nnext: fullhouse pull {client.name}")

    options = [
        click.Option([f"--{setting.name.replace('_', '-')}"], help=setting.help)
        for setting in client.login.settings
        if not setting.is_secret
    ]
    return click.Command(client.name, callback=run, params=[*options], help=client.login.help)


def _pull(client: Client) -> click.Command:
    def run(targets: tuple[str, ...], only: tuple[str, ...], since: datetime | None, until: datetime | None) -> None:
        from data_lake.clients.http import Clock, Http
        from data_lake.clients.pull import pull
        from data_lake.clients.report import ListReport

        def show(one: ListReport) -> None:
            click.echo(f"{one.endpoint:<24} {one.target:<24} {one.state:<10} {one.rows:>8,} rows")

        report = pull(
            Layout.from_env(),
            client.open(Http(Clock())),
            targets,
            endpoints=only,
            since=since.date() if since else None,
            until=until.date() if until else None,
            on_list=show,
        )
        for message in report.messages:
            click.echo(message)
        if report.failures:
            raise click.exceptions.Exit(1)
        click.echo("next: fullhouse run")

    history = f"Where {client.title} keeps history"
    return click.Command(
        client.name,
        callback=run,
        params=[
            _targets(client),
            click.Option(
                ["--only"], multiple=True, type=click.Choice(sorted(client.endpoints)),
                help="Only this list; may be repeated.",
            ),
            click.Option(["--from", "since"], type=DAY, metavar="DAY", help=f"{history}: from this UTC day on."),
            click.Option(["--to", "until"], type=DAY, metavar="DAY", help=f"{history}: up to this UTC day."),
        ],
        help=f"Pull {client.target}s ({client.named_by}s or ids; those you are logged in to when none is named) into "
        f"landing/{client.source}/.",
    )  # fmt: skip


def _poll(client: Client) -> click.Command | None:
    if client.polling is None:
        return None

    def run(targets: tuple[str, ...], every: int, snapshots: int | None) -> None:
        from data_lake.clients.http import Clock, Http
        from data_lake.clients.poll import poll

        layout, clock = Layout.from_env(), Clock()
        session = client.open(Http(clock))
        landed = number = 0
        try:
            while snapshots is None or number < snapshots:
                if number:
                    clock.sleep(every)
                report = poll(layout, session, targets)
                number += 1
                landed += len(report.landed)
                click.echo(f"{clock.now():%H:%M:%S} UTC  {report.in_words()}")
                for one in report.ended:
                    click.echo(f"          stream {one.stream_id} has ended")
        except KeyboardInterrupt:
            click.echo("stopping")
        landed += len(poll(layout, session, targets, flush=True).landed)
        files = "file" if landed == 1 else "files"
        click.echo(f"{landed:,} {files} in landing/{client.source}/\nnext: fullhouse run")

    every_help, snapshots_help = "Seconds between two snapshots.", "Stop after so many snapshots; else at Ctrl-C."
    return click.Command(
        client.name,
        callback=run,
        params=[
            _targets(client),
            click.Option(["--every"], default=60, show_default=True, help=every_help, type=click.IntRange(10, 300)),
            click.Option(["--snapshots"], type=click.IntRange(1), help=snapshots_help),
        ],
        help="Sample the viewers of live streams; what was seen is filed every hour, when a stream ends, and at the "
        "end.",
    )


def _targets(client: Client) -> click.Argument:
    return click.Argument(["targets"], nargs=-1, metavar=f"[{client.target.upper()}S]...")


def commands() -> list[click.Command]:
    """The commands of all clients; a client's own part is loaded when it is called."""
    return [
        ClientGroup("connect", _connect, "Log in to a platform."),
        ClientGroup("pull", _pull, "Pull from a platform into landing/."),
        ClientGroup("poll", _poll, "Watch what a platform keeps no history of."),
    ]


def missing_logins(layout: Layout) -> list[str]:
    """What the logins of this machine may not read, one sentence each with the login that would allow it."""
    from data_lake.clients.access import missing_access

    return [sentence for one in clients() for sentence in missing_access(layout, one)]
