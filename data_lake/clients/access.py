"""What no login of this machine may read, as `fullhouse status` says it: nothing is called, and no transport loaded."""

from __future__ import annotations

import json
from pathlib import Path

from data_lake.clients.base import Client, Target
from data_lake.clients.errors import NoLogin, NotConnected
from data_lake.clients.tokens import TokenStore
from data_lake.layout import Layout


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
        targets = {t.id: t for t in remembered(memory).values()} | targets
    sentences = []
    for target in targets.values() if accounts else ():
        for endpoint in client.endpoints.values():
            try:
                client.account_for(accounts, endpoint, target)
            except (NoLogin, NotConnected) as error:
                sentences.append(f"{endpoint.name} of {target.name}: {error}")
    return sentences


def remembered(memory: Path) -> dict[str, Target]:
    """The targets looked up today, by id and name. Earlier days' memory is dropped."""
    for old in memory.parent.glob(f"{memory.name.partition('-')[0]}-*.json"):
        if old != memory:
            old.unlink()
    if not memory.exists():
        return {}
    return {key: Target(*pair) for key, pair in json.loads(memory.read_text(encoding="utf-8")).items()}
