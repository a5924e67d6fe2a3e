"""What lists are pulled of: the channels (or servers) people name.

Names that are looked up are remembered for a day; a login may be another channel's tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_lake.clients.access import remembered
from data_lake.clients.base import Target
from data_lake.clients.errors import UnknownTarget
from data_lake.clients.http import Attempts
from data_lake.clients.pull_file import PullFolder
from data_lake.clients.session import Session
from data_lake.files import replace_file


def resolve(folder: PullFolder, session: Session, names: Sequence[str] = ()) -> list[Target]:
    """The targets of these names or ids, in order; without names those of the logins.

    Unknown names are looked up once a day, which leaves a landing file. Raises UnknownTarget naming those the platform
    does not know, and NotConnected when there is no login.
    """
    client, own = folder.client, session.targets
    if not names:
        return own
    memory = folder.path / f"{client.target}s-{folder.clock.now():%Y-%m-%d}.json"
    by_key = remembered(memory) | {key: t for t in own for key in (t.id, t.name.lower())}
    unknown = [n.lower() for n in names if n.lower() not in by_key]
    if unknown and session.lookup:
        by_key |= _look_up(folder, session, unknown)
        _remember(memory, by_key)
    missing = [n for n in names if n.lower() not in by_key]
    if missing:
        advice = f"check the spelling of the {client.named_by}"
        raise UnknownTarget(f"{client.title} knows no {client.target} {', '.join(missing)}; {advice}")
    return list({by_key[n.lower()].id: by_key[n.lower()] for n in names}.values())


def _remember(memory: Path, targets: dict[str, Target]) -> None:
    replace_file(memory, json.dumps({key: [t.id, t.name] for key, t in targets.items()}).encode())


def _look_up(folder: PullFolder, session: Session, names: Sequence[str]) -> dict[str, Target]:
    endpoint, clock = session.lookup, folder.clock
    if endpoint is None:
        return {}
    targets: dict[str, Target] = {}
    name = f"{endpoint.name}-lookup-{clock.now():%Y-%m-%dT%H-%M-%S}.jsonl"
    request: dict[str, Any] = {"endpoint": endpoint.path, "params": {}, "requested_at": clock.stamp()}
    file = folder.begin(name, request, endpoint)
    for query in session.lookup_queries(names):
        attempts = Attempts()
        page = session.page(endpoint, query, session.accounts[0], attempts)
        file.page(1, page.params, page.received_at, page.status, page.body, attempts)
        targets |= {target.id: target for target in map(session.target_of, page.rows)}
    file.land(rows=len(targets), is_complete=True)
    return targets | {target.name: target for target in targets.values()}
