"""Logging in to Twitch: the device-code flow, the file that keeps the tokens, and their renewal.

Tokens live in one file of the user's configuration folder that only its owner may read; they are never part of a repr,
a message or a URL. A refresh token works once, so a new one is on disk before the new access token is used. Which login
an endpoint needs does not belong here (see `twitch_helix`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from data_lake.clients.http import Answer, Http, NoAnswer, Trace

AUTH_URL = "https://id.twitch.tv/oauth2"
# What the pulls read (formats.md); nothing that writes, and no e-mail address.
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
AUTH_RETRIES = 3


class NotConnected(Exception):
    """There is no login that works; the message says which command makes one."""


@dataclass(frozen=True)
class Account:
    """One login. The tokens stay out of its repr."""

    user_id: str
    login: str
    scopes: tuple[str, ...]
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Tokens:
    """What the token file holds: the application's client id (public) and one account per login."""

    client_id: str | None
    accounts: tuple[Account, ...] = ()


def auth_url() -> str:
    """TWITCH_AUTH_URL, else Twitch's own. Raises NotConnected for one that tokens must not be sent to."""
    return private(os.environ.get("TWITCH_AUTH_URL", AUTH_URL))


def private(url: str) -> str:
    """The URL, without a slash at its end. Raises NotConnected when tokens would go over the network in the open."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise NotConnected(f"{url} is not https: tokens are sent in the open to this machine only")
    return url.rstrip("/")


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text without any of the secrets: servers repeat what they were sent."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


class TokenStore:
    """The token file. Reading tightens its rights; writing replaces it atomically."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def default(cls) -> TokenStore:
        """twitch.json in the user's configuration folder."""
        return cls(platformdirs.user_config_path("full-house") / "twitch.json")

    def load(self) -> Tokens:
        """The tokens, empty when there is no file. Raises NotConnected when the file cannot be read as one."""
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
            self.path.chmod(0o600)
            accounts = tuple(
                Account(
                    str(a["user_id"]), str(a["login"]), tuple(map(str, a["scopes"])),
                    str(a["access_token"]), str(a["refresh_token"]),
                )
                for a in said.get("accounts", [])
            )  # fmt: skip
            return Tokens(os.environ.get("TWITCH_CLIENT_ID") or said.get("client_id"), accounts)
        except FileNotFoundError:
            return Tokens(os.environ.get("TWITCH_CLIENT_ID"))
        except (ValueError, KeyError, TypeError, AttributeError):
            # The content is not repeated: it may hold a token.
            raise NotConnected(f"{self.path} is no token file; remove it and run: fullhouse connect twitch") from None

    def save(self, tokens: Tokens) -> None:
        """Replace the file, rights 0600 from its first byte on, in a folder of rights 0700."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.parent.chmod(0o700)
        said = {"client_id": tokens.client_id, "accounts": [_as_json(a) for a in tokens.accounts]}
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(said, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def put(self, account: Account, client_id: str) -> None:
        """Add or replace one account."""
        with self.locked():
            others = tuple(a for a in self.load().accounts if a.user_id != account.user_id)
            self.save(Tokens(client_id, (*others, account)))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process renews at a time: a second use of a refresh token would end the login."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.parent.chmod(0o700)
        descriptor = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "user_id": account.user_id,
        "login": account.login,
        "scopes": list(account.scopes),
        "access_token": account.access_token,
        "refresh_token": account.refresh_token,
    }


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
    """  # fmt: skip
    client_id = client_id or store.load().client_id
    if not client_id:
        raise NotConnected(
            "no client id: register a public application at https://dev.twitch.tv/console/apps, "
            "set TWITCH_CLIENT_ID to its client id and run: fullhouse connect twitch"
        )
    asked = " ".join(scopes)
    answer = _post(http, "device", {"client_id": client_id, "scopes": asked})
    said = _mapping(answer)
    if answer.status != 200 or not {"device_code", "user_code", "verification_uri"} <= said.keys():
        raise NotConnected(f"Twitch gave no code for a login: {_message(said, answer)}; check the client id")
    tell(f"open {said['verification_uri']} and enter the code {said['user_code']}")
    granted = _await_grant(http, client_id, asked, said)
    access, refresh = str(granted["access_token"]), str(granted.get("refresh_token", ""))
    who = validate(http, access)
    if who is None:
        raise NotConnected("Twitch does not accept the token it just gave; run: fullhouse connect twitch")
    account = Account(who["user_id"], who["login"], tuple(who["scopes"]), access, refresh)
    store.put(account, client_id)
    return account


def _await_grant(http: Http, client_id: str, scopes: str, device: dict[str, Any]) -> dict[str, Any]:
    interval = float(device.get("interval", 5))
    until = http.clock.now() + timedelta(seconds=float(device.get("expires_in", 1800)))
    code = str(device["device_code"])
    while http.clock.now() < until:
        http.clock.sleep(interval)
        fields = {"client_id": client_id, "scopes": scopes, "device_code": code, "grant_type": GRANT}
        answer = _post(http, "token", fields)
        said = _mapping(answer)
        if answer.status == 200 and "access_token" in said:
            return said
        message = redacted(_message(said, answer), [code])
        if "slow_down" in message:
            interval += SLOWER_SECONDS
        elif "authorization_pending" not in message:
            raise NotConnected(f"the login was not completed: {message}; run: fullhouse connect twitch")
    raise NotConnected("the code ran out before it was entered; run: fullhouse connect twitch")


def validate(http: Http, access_token: str, trace: Trace | None = None) -> dict[str, Any] | None:
    """Who a token belongs to ({user_id, login, scopes}); None when it is no longer valid.

    Twitch asks applications to do this when they start and every hour.
    """
    headers = {"Authorization": f"OAuth {access_token}"}
    answer = http.request(
        "GET", f"{auth_url()}/validate", endpoint="oauth2/validate", trace=trace or Trace(), headers=headers,
        retries=AUTH_RETRIES,
    )  # fmt: skip
    said = _mapping(answer)
    if answer.status == 401:
        return None
    if answer.status != 200 or "user_id" not in said:
        raise NoAnswer(f"oauth2/validate: status {answer.status}")
    return {"user_id": str(said["user_id"]), "login": str(said.get("login", "")), "scopes": said.get("scopes") or []}


def refresh(store: TokenStore, http: Http, account: Account, trace: Trace | None = None) -> Account:
    """Renew an account's tokens and keep them; another process's renewal is taken over instead of made again.

    Raises NotConnected when Twitch no longer takes the refresh token.
    """
    with store.locked():
        tokens = store.load()
        stored = next((a for a in tokens.accounts if a.user_id == account.user_id), None)
        if stored and stored.access_token != account.access_token:
            return stored
        again = f"the login of {account.login} has ended; run: fullhouse connect twitch"
        if not tokens.client_id or not account.refresh_token:
            raise NotConnected(again)
        fields = {"client_id": tokens.client_id, "grant_type": "refresh_token", "refresh_token": account.refresh_token}
        answer = _post(http, "token", fields, trace)
        said = _mapping(answer)
        if answer.status in (400, 401, 403):
            raise NotConnected(again)
        if answer.status != 200 or "access_token" not in said:
            raise NoAnswer(f"oauth2/token: status {answer.status}")
        renewed = Account(
            account.user_id, account.login, tuple(said.get("scope") or account.scopes),
            str(said["access_token"]), str(said.get("refresh_token") or account.refresh_token),
        )  # fmt: skip
        others = tuple(a for a in tokens.accounts if a.user_id != account.user_id)
        store.save(Tokens(tokens.client_id, (*others, renewed)))
        return renewed


def _post(http: Http, path: str, fields: dict[str, str], trace: Trace | None = None) -> Answer:
    return http.request(
        "POST", f"{auth_url()}/{path}", endpoint=f"oauth2/{path}", trace=trace or Trace(), headers={}, fields=fields,
        retries=AUTH_RETRIES,
    )  # fmt: skip


def _mapping(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _message(said: dict[str, Any], answer: Answer) -> str:
    return str(said.get("message") or said.get("error") or f"status {answer.status}")
