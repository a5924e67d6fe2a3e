"""Logging in to Twitch: the device-code flow (RFC 8628, with Twitch's names), and who a token belongs to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from data_lake.clients.base import connect_command
from data_lake.clients.errors import NoAnswer, NotConnected
from data_lake.clients.http import Answer, Attempts, Http
from data_lake.clients.oauth import LOGIN_CALLS, json_object, post_form
from data_lake.clients.tokens import Account, TokenStore, private, redacted

AUTH_URL = "https://id.twitch.tv/oauth2"
# What the pulls read; nothing that writes, and no e-mail address.
SCOPES = (
    "moderator:read:followers",
    "channel:read:subscriptions",
    "moderation:read",
    "channel:read:vips",
    "moderator:read:chatters",
)
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# RFC 8628, 3.5: what to add to the interval when asked to slow down.
SLOWER_SECONDS = 5
AGAIN = f"run: {connect_command('twitch')}"


def auth_url() -> str:
    """TWITCH_AUTH_URL, else Twitch's own. Raises NotConnected for one that tokens must not be sent to."""
    return private(os.environ.get("TWITCH_AUTH_URL", AUTH_URL))


def connect(
    store: TokenStore,
    http: Http,
    *,
    tell: Callable[[str], None],
    client_id: str | None = None,
    scopes: Sequence[str] = SCOPES,
) -> Account:
    """Log in by device code: tell the person where to type which code, wait for them, keep the tokens.

    The client id is the argument, else TWITCH_CLIENT_ID, else the token file's. Raises NotConnected with what to do
    when there is none, when the person refuses, or when the code runs out.
    """
    client_id = client_id or store.load().client_id
    if not client_id:
        raise NotConnected(
            "no client id: register a public application at https://dev.twitch.tv/console/apps, "
            f"set TWITCH_CLIENT_ID to its client id and {AGAIN}"
        )
    joined = " ".join(scopes)
    answer, device = _post(http, "device", {"client_id": client_id, "scopes": joined})
    if answer.status != 200 or not {"device_code", "user_code", "verification_uri"} <= device.keys():
        raise NotConnected(f"Twitch gave no code for a login: {_message(device, answer)}; check the client id")
    tell(f"open {device['verification_uri']} and enter the code {device['user_code']}")
    grant = _await_grant(http, client_id, joined, device)
    access, refresh = str(grant["access_token"]), str(grant.get("refresh_token", ""))
    owner = validate(http, access)
    if owner is None:
        raise NotConnected(f"Twitch does not accept the token it just gave; {AGAIN}")
    account = Account(owner["user_id"], owner["login"], tuple(owner["scopes"]), access, refresh)
    store.put(account, client_id)
    return account


def _await_grant(http: Http, client_id: str, scopes: str, device: dict[str, Any]) -> dict[str, Any]:
    interval = float(device.get("interval", 5))
    until = http.clock.now() + timedelta(seconds=float(device.get("expires_in", 1800)))
    code = str(device["device_code"])
    while http.clock.now() < until:
        http.clock.sleep(interval)
        fields = {"client_id": client_id, "scopes": scopes, "device_code": code, "grant_type": GRANT}
        answer, grant = _post(http, "token", fields)
        if answer.status == 200 and "access_token" in grant:
            return grant
        message = redacted(_message(grant, answer), (), [code])
        if "slow_down" in message:
            interval += SLOWER_SECONDS
        elif "authorization_pending" not in message:
            raise NotConnected(f"the login was not completed: {message}; {AGAIN}")
    raise NotConnected(f"the code ran out before it was entered; {AGAIN}")


def validate(http: Http, access_token: str, attempts: Attempts | None = None) -> dict[str, Any] | None:
    """Who a token belongs to ({user_id, login, scopes}); None when it is no longer valid.

    Twitch asks applications to do this when they start and every hour.
    """
    answer = http.request(
        "GET", f"{auth_url()}/validate", endpoint="oauth2/validate", attempts=attempts or Attempts(),
        rules=LOGIN_CALLS, headers={"Authorization": f"OAuth {access_token}"},
    )  # fmt: skip
    owner = json_object(answer) or {}
    if answer.status == 401:
        return None
    if answer.status != 200 or "user_id" not in owner:
        raise NoAnswer(f"oauth2/validate: status {answer.status}")
    return {"user_id": str(owner["user_id"]), "login": str(owner.get("login", "")), "scopes": owner.get("scopes") or []}


def _post(http: Http, path: str, fields: dict[str, str]) -> tuple[Answer, dict[str, Any]]:
    return post_form(http, f"{auth_url()}/{path}", endpoint=f"oauth2/{path}", fields=fields)


def _message(body: dict[str, Any], answer: Answer) -> str:
    return str(body.get("message") or body.get("error") or f"status {answer.status}")
