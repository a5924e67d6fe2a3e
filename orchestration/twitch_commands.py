"""The `fullhouse` commands that talk to Twitch: log in, pull what an account may see, poll who is live.

What is asked and how it lands does not belong here (see `data_lake.clients`).
"""

from __future__ import annotations

from datetime import datetime

import click

from data_lake.clients.http import Clock, Http, NoAnswer
from data_lake.clients.poll import PollReport, poll
from data_lake.clients.pull import Outcome, missing_access, pull
from data_lake.clients.pull_file import PullBusy
from data_lake.clients.twitch.endpoints import DAILY, ENDPOINTS
from data_lake.clients.twitch.helix import HelixClient, HelixError
from data_lake.clients.twitch.login import NotConnected, TokenStore, connect
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


@click.group("poll")
def poll_command() -> None:
    """Watch what a platform keeps no history of."""


@poll_command.command("twitch")
@click.argument("channels", nargs=-1)
@click.option(
    "--every", default=60, show_default=True, help="Seconds between two snapshots.", type=click.IntRange(10, 300)
)
@click.option("--snapshots", type=click.IntRange(1), help="Stop after so many snapshots; else at Ctrl-C.")
def poll_twitch(channels: tuple[str, ...], every: int, snapshots: int | None) -> None:
    """Sample the viewers of live streams; what was seen is filed every hour, when a stream ends, and at the end."""
    layout, clock = Layout.from_env(), Clock()
    client = HelixClient(TokenStore.default(), Http(clock))
    landed = 0
    number = 0
    try:
        while snapshots is None or number < snapshots:
            if number:
                clock.sleep(every)
            report = poll(layout, client, channels)
            number += 1
            landed += len(report.landed)
            click.echo(f"{clock.now():%H:%M:%S} UTC  {in_words(report)}")
            for one in report.ended:
                click.echo(f"          stream {one.stream_id} has ended")
    except KeyboardInterrupt:
        click.echo("stopping")
    landed += len(poll(layout, client, channels, flush=True).landed)
    click.echo(f"{landed:,} {'file' if landed == 1 else 'files'} in landing/twitch_helix/\nnext: fullhouse run")


def in_words(report: PollReport) -> str:
    """What one snapshot saw."""
    if report.error:
        return report.error
    watching = sum(one.viewer_count or 0 for one in report.live)
    return f"{len(report.live)} live, {watching:,} viewers" if report.live else "nobody is live"


def missing_logins(layout: Layout) -> list[str]:
    """What the logins of this machine may not read, one sentence each with the login that would allow it."""
    try:
        return missing_access(layout, TokenStore.default().load().accounts)
    except NotConnected as error:
        return [str(error)]
