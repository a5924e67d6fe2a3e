"""Clients of platforms: they fetch pages into landing/ as received. What a page means belongs to `sources`.

A client is a package here whose `client.py` declares a `CLIENT` (see `base`); it imports the shared modules and never
another client. Listing the names loads none of them.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_lake.clients.base import Client


def client_names() -> list[str]:
    """The clients there are."""
    return sorted(declaration.parent.name for declaration in Path(__file__).parent.glob("*/client.py"))


def client(name: str) -> Client:
    """The client of this name. Raises ModuleNotFoundError when there is none."""
    declared: Client = importlib.import_module(f"{__name__}.{name}.client").CLIENT
    return declared


def clients() -> list[Client]:
    """Every client, by name."""
    return [client(name) for name in client_names()]
