"""What every OAuth login needs: posting a form to the token endpoint, and renewing tokens (RFC 6749, section 6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from data_lake.clients.base import connect_command
from data_lake.clients.errors import NoAnswer, NotConnected
from data_lake.clients.http import Answer, Attempts, Http
from data_lake.clients.limits import CallRules
from data_lake.clients.tokens import Account, Tokens, TokenStore

# A person waits for the answer of a login.
LOGIN_CALLS = CallRules(retries=3)


def post_form(
    http: Http, url: str, *, endpoint: str, fields: Mapping[str, str], attempts: Attempts | None = None
) -> tuple[Answer, dict[str, Any]]:
    """The answer to a form, and the object it holds: empty when it holds none. Raises NoAnswer."""
    answer = http.request(
        "POST", url, endpoint=endpoint, attempts=attempts or Attempts(), rules=LOGIN_CALLS, headers={}, fields=fields
    )
    return answer, json_object(answer) or {}


def json_object(answer: Answer) -> dict[str, Any] | None:
    """The object an answer holds; decoded strictly, because its bytes are kept in a file of UTF-8."""
    try:
        content = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def renew(store: TokenStore, http: Http, account: Account, token_url: str, attempts: Attempts | None = None) -> Account:
    """Renew an account's tokens and keep them; another process's renewal is taken over instead of made again.

    A refresh token may work only once, so a new one is on disk before the new access token is used. Raises NotConnected
    when the platform no longer takes the refresh token, NoAnswer when it does not answer.
    """
    with store.locked():
        tokens = store.load()
        stored = next((a for a in tokens.accounts if a.user_id == account.user_id), None)
        if stored and stored.access_token != account.access_token:
            return stored
        ended = f"the login of {account.login} has ended; run: {connect_command(store.name)}"
        if not tokens.client_id or not account.refresh_token:
            raise NotConnected(ended)
        fields = {"client_id": tokens.client_id, "grant_type": "refresh_token", "refresh_token": account.refresh_token}
        answer, grant = post_form(http, token_url, endpoint="oauth2/token", fields=fields, attempts=attempts)
        if answer.status in (400, 401, 403):
            raise NotConnected(ended)
        if answer.status != 200 or "access_token" not in grant:
            raise NoAnswer(f"oauth2/token: status {answer.status}")
        renewed = replace(
            account,
            scopes=tuple(grant.get("scope") or account.scopes),
            access_token=str(grant["access_token"]),
            refresh_token=str(grant.get("refresh_token") or account.refresh_token),
        )
        others = tuple(a for a in tokens.accounts if a.user_id != account.user_id)
        store.save(Tokens(tokens.client_id, (*others, renewed)))
        return renewed
