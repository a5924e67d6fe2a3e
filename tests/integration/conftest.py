"""Fixtures of the tests that talk to a local Helix server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.helix_rows import channel, profile
from tests.helix_server import FakeClock, Faults, HelixServer, World


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world() -> World:
    return World(batches={"users": [profile("1", "one")], "channels": [channel("1", "one")]})


@pytest.fixture
def serve(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., HelixServer]]:
    servers: list[HelixServer] = []

    def start(world: World, faults: Faults | None = None) -> HelixServer:
        server = HelixServer(world, clock, faults)
        server.__enter__()
        servers.append(server)
        monkeypatch.setenv("TWITCH_AUTH_URL", server.auth_url)
        monkeypatch.setenv("TWITCH_HELIX_URL", server.helix_url)
        return server

    yield start
    for server in servers:
        server.__exit__(None, None, None)
