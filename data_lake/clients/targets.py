"""What lists are pulled of: the channels (or servers) people name, and those no login may read.

Names that are looked up are remembered for a day; a login may be another channel's tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_lake.clients.base import Client, Target
from data_lake.clients.errors import NoLogin, NotConnected, UnknownTarget
from data_lake.clients.http import Attempts
from data_lake.clients.pull_file import PullFolder
from data_lake.clients.session import Session
from data_lake.clients.tokens import TokenStore
from data_lake.files import replace_file
from data_lake.layout import Layout


def resolve(folder: PullFolder, session: Session, names: Sequence[str] = ()) -> list[Target]:
    """The targets of these names or ids, in order; without names those of the logins.

    Unknown names are looked up once a day, which leaves a landing file. Raises UnknownTarget naming those the platform
    does not know, and NotConnected when there is no login.
    """
    client, own = folder.client, session.targets
    if not names:
        return own
    memory = folder.path / f"{client.target}s-{folder.clock.now():%Y-%m-%d}.json"
    by_key = _remembered(memory) | {key: t for t in own for key in (t.id, t.name.lower())}
    unknown = [n.lower() for n in names if n.lower() not in by_key]
    if unknown and session.lookup:
        by_key |= _look_up(folder, session, unknown)
        _remember(memory, by_key)
    missing = [n for n in names if n.lower() not in by_key]
    if missing:
        advice = f"check the spelling of the {client.named_by}"
        raise UnknownTarget(f"{client.title} knows no {client.target} {', '.join(missing)}; {advice}")
    return list({by_key[n.lower()].id: by_key[n.lower()] for n in names}.values())


def missing_access(layout: Layout, client: Client) -> list[str]:
    """One sentence per list that no login may read, of the logins' own targets and of those pulled by name before.

    Nothing without a login; a token file that cannot be read is the only sentence then.
    """
    try:
        accounts = TokenStore(client.name).load().accounts
    except NotConnected as error:
        return [str(error)]
    targets = {a.user_id: Target(a.user_id, a.login) for a in accounts}
    for memory in sorted(layout.pulling(client.source).glob(f"{client.target}s-*.json")):
        targets = {t.id: t for t in _remembered(memory).values()} | targets
    sentences = []
    for target in targets.values() if accounts else ():
        for endpoint in client.endpoints.values():
            try:
                client.account_for(accounts, endpoint, target)
            except (NoLogin, NotConnected) as error:
                sentences.append(f"{endpoint.name} of {target.name}: {error}")
    return sentences


def _remembered(memory: Path) -> dict[str, Target]:
    """The targets looked up today, by id and name. Earlier days' memory is dropped."""
    for old in memory.parent.glob(f"{memory.name.partition('-')[0]}-*.json"):
        if old != memory:
            old.unlink()
    if not memory.exists():
        return {}
    return {key: Target(*pair) for key, pair in json.loads(memory.read_text(encoding="utf-8")).items()}


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
