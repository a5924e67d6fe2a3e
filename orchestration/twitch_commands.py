"""The `fullhouse` commands that talk to Twitch: log in, and pull what an account may see.

What is asked and how it lands does not belong here (see `data_lake.clients`).
"""

from __future__ import annotations

from datetime import datetime

import click

from data_lake.clients.http import Clock, Http, NoAnswer
from data_lake.clients.pull import Outcome, pull
from data_lake.clients.pull_file import PullBusy
from data_lake.clients.twitch_auth import NotConnected, TokenStore, connect
from data_lake.clients.twitch_endpoints import DAILY, ENDPOINTS
from data_lake.clients.twitch_helix import HelixClient, HelixError
from data_lake.layout import Layout

# What a person can act on; shown as a sentence.
EXPECTED = (HelixError, NoAnswer, NotConnected, PullBusy)
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("connect")
def connect_command() -> None:
    """Log in to a platform."""


@connect_command.command("twitch")
@click.option("--client-id", help="Id of your Twitch application; else TWITCH_CLIENT_ID, else the one used before.")
def connect_twitch(client_id: str | None) -> None:
    """Log in with a code shown in your browser; tokens stay in your own configuration folder."""
    account = connect(TokenStore.default(), Http(Clock()), tell=click.echo, client_id=client_id)
    click.echo(f"connected as {account.login}\nnext: fullhouse pull twitch")


@click.group("pull")
def pull_command() -> None:
    """Pull from a platform into landing/."""


@pull_command.command("twitch")
@click.argument("channels", nargs=-1)
@click.option("--only", multiple=True, type=click.Choice(sorted(ENDPOINTS)), help="Only this list; may be repeated.")
@click.option("--from", "since", type=DAY, metavar="DAY", help="Where Twitch keeps history: from this UTC day on.")
@click.option("--to", "until", type=DAY, metavar="DAY", help="Where Twitch keeps history: up to this UTC day.")
def pull_twitch(
    channels: tuple[str, ...], only: tuple[str, ...], since: datetime | None, until: datetime | None
) -> None:
    """Pull channels (logins or ids; those you are logged in to when none is named) into landing/twitch_helix/."""

    def tell(outcome: Outcome) -> None:
        click.echo(f"{outcome.endpoint:<24} {outcome.channel:<24} {outcome.state:<10} {outcome.rows:>8,} rows")

    report = pull(
        Layout.from_env(),
        HelixClient(TokenStore.default(), Http(Clock())),
        channels,
        endpoints=only or DAILY,
        since=since.date() if since else None,
        until=until.date() if until else None,
        on_outcome=tell,
    )
    for message in report.messages:
        click.echo(message)
    if report.has_failed:
        raise click.exceptions.Exit(1)
    click.echo("next: fullhouse run")
