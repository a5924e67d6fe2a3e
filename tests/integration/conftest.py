"""Fixtures of whole runs and of the tests that talk to a local Helix server."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator

import pytest

from data_lake.layout import Layout
from tests.helix_rows import channel, profile
from tests.helix_server import FakeClock, Faults, HelixServer, World
from tests.integration.lakes import run_well
from tests.integration.tiny_world import arrive


@pytest.fixture(scope="session")
def tiny_lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The tiny world after one run over all of it, to be read only; built once, whatever the number of workers."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "tiny"
    shared.mkdir(exist_ok=True)
    lake = Layout(shared / "lake")
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not lake.current.exists():
            arrive(lake, lambda *_: True)
            run_well(lake)
    return lake


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
