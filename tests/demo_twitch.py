"""`python -m tests.demo_twitch`: pull the sample world through a local Helix into the lake at LAKE_ROOT.

The real client logs in, polls who is live and pulls every night, over the last days of the sample world, while one call
in twenty fails. `fullhouse run` then builds what came.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from data_lake.clients.http import Clock, Http
from data_lake.clients.poll import poll
from data_lake.clients.pull import pull
from data_lake.clients.tokens import TokenStore
from data_lake.clients.twitch.helix import HelixSession
from data_lake.clients.twitch.login import SCOPES, connect
from data_lake.layout import Layout
from data_lake.sample_world.clock import LAST_DAY
from data_lake.sample_world.live.world import LiveSettings
from tests.helix_server import CLIENT_ID, FakeClock, Faults, HelixServer, Login
from tests.helix_world import SampleHelix

POLL_SECONDS = 120


def demo(layout: Layout, folder: Path, *, days: int, scale: float = 0.3, world_days: int = 60) -> Counter[str]:
    """Walk through the last days of a sample world, polling and pulling; returns rows by list."""
    world = SampleHelix(LiveSettings(seed=7, scale=scale, days=world_days))
    start = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day) - timedelta(days=days - 1)
    clock = FakeClock(start.isoformat())
    rows: Counter[str] = Counter()
    with HelixServer(world, clock, Faults(share=0.05)) as server:
        os.environ["TWITCH_AUTH_URL"], os.environ["TWITCH_HELIX_URL"] = server.auth_url, server.helix_url
        store = TokenStore("twitch", folder / "twitch.json")
        http = Http(Clock(clock.now, clock.sleep))
        for channel in world.channels.values():
            server.device_login = Login(channel.channel_id, channel.login, list(SCOPES))
            connect(store, http, tell=lambda text: None, client_id=CLIENT_ID)
        session = HelixSession(store, http)
        for number in range(days):
            night = start + timedelta(days=number + 1) - timedelta(minutes=30)
            rows["samples"] += _poll_until(layout, session, world, clock, night)
            for one in pull(layout, session).lists:
                rows[one.endpoint] += one.rows
        poll(layout, session, flush=True)
    return rows


def _poll_until(layout: Layout, session: HelixSession, world: SampleHelix, clock: FakeClock, end: datetime) -> int:
    """Poll while somebody is live, and three times after; the time between is skipped. Returns the samples taken."""
    samples = 0
    while clock.time < end:
        samples += len(poll(layout, session).live)
        at = (clock.time - datetime(1970, 1, 1)).total_seconds()
        near = [b.start_s for b in world.broadcasts if b.end_s + 3 * POLL_SECONDS > at]
        wait = max(POLL_SECONDS, min(near, default=at + 86_400) - at)
        clock.time = min(clock.time + timedelta(seconds=wait), end)
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7, help="days of the sample world, ending with its last")
    days = parser.parse_args().days
    if "LAKE_ROOT" not in os.environ:
        sys.exit("set LAKE_ROOT to a folder of its own: the demo must not mix with your lake")
    layout = Layout.from_env()
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in sorted(demo(layout, Path(folder), days=days).items()):
            print(f"{name:>14} {rows:>8,} rows")
    print(f"pulled into {layout.landing}; next: fullhouse run")


if __name__ == "__main__":
    main()
