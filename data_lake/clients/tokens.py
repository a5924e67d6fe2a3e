"""The file that keeps the logins of a platform: in the user's configuration folder, for its owner only.

Tokens are never part of a repr, a message or a URL.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from data_lake.clients.base import connect_command
from data_lake.clients.errors import NotConnected
from data_lake.lock import ProcessLock


@dataclass(frozen=True)
class Account:
    """One login: the platform's id of it, its name, what it may read. The tokens stay out of its repr."""

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


class TokenStore:
    """The token file of a client. Reading tightens its rights; writing replaces it atomically.

    By default it is <name>.json in the user's configuration folder. <NAME>_CLIENT_ID goes before the client id in it.
    """

    def __init__(self, name: str, path: Path | None = None) -> None:
        self.name = name
        self.path = path or platformdirs.user_config_path("full-house") / f"{name}.json"

    def load(self) -> Tokens:
        """The tokens, empty when there is no file. Raises NotConnected when the file cannot be read as one."""
        given = os.environ.get(f"{self.name.upper()}_CLIENT_ID")
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            self.path.chmod(0o600)
            accounts = tuple(
                Account(
                    str(a["user_id"]), str(a["login"]), tuple(map(str, a["scopes"])),
                    str(a["access_token"]), str(a["refresh_token"]),
                )
                for a in content.get("accounts", [])
            )  # fmt: skip
            return Tokens(given or content.get("client_id"), accounts)
        except FileNotFoundError:
            return Tokens(given)
        except (ValueError, KeyError, TypeError, AttributeError):
            # The content is not repeated: it may hold a token.
            advice = f"remove it and run: {connect_command(self.name)}"
            raise NotConnected(f"{self.path} is no token file; {advice}") from None

    def save(self, tokens: Tokens) -> None:
        """Replace the file, rights 0600 from its first byte on, in a folder of rights 0700."""
        self._make_folder()
        content = {"client_id": tokens.client_id, "accounts": [_as_json(a) for a in tokens.accounts]}
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def put(self, account: Account, client_id: str | None) -> None:
        """Add or replace one account."""
        with self.locked():
            others = tuple(a for a in self.load().accounts if a.user_id != account.user_id)
            self.save(Tokens(client_id, (*others, account)))

    def locked(self) -> ProcessLock:
        """One process renews at a time: a second use of a refresh token would end the login."""
        self._make_folder()
        lock = self.path.with_name(f".{self.path.name}.lock")
        return ProcessLock(lock, f"the logins of {self.name} are being renewed", "renewal")

    def _make_folder(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.parent.chmod(0o700)


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "user_id": account.user_id,
        "login": account.login,
        "scopes": list(account.scopes),
        "access_token": account.access_token,
        "refresh_token": account.refresh_token,
    }


def private(url: str) -> str:
    """The URL, without a slash at its end. Raises NotConnected when tokens would go over the network in the open."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise NotConnected(f"{url} is not https: tokens are sent in the open to this machine only")
    return url.rstrip("/")


def redacted(text: str, accounts: Sequence[Account], secrets: Iterable[str] = ()) -> str:
    """The text without the tokens of these accounts and other secrets: servers repeat what they were sent."""
    for secret in (*secrets, *(token for a in accounts for token in (a.access_token, a.refresh_token))):
        if secret:
            text = text.replace(secret, "***")
    return text
