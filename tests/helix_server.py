"""A local server that speaks Helix and its login, and misbehaves when told to.

What it serves is a `World`: plain rows as Helix would give them. What a client should make of it belongs in the tests.
"""

from __future__ import annotations

import base64
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.local_server import LocalServer, QuietHandler

Row = dict[str, Any]
CLIENT_ID = "client-of-the-tests"
# path: (parameter naming the channel, scope, whose login, largest page, has a total)
LISTS: dict[str, tuple[str, str | None, str, int, bool]] = {
    "videos": ("user_id", None, "anyone", 100, False),
    "clips": ("broadcaster_id", None, "anyone", 100, False),
    "schedule": ("broadcaster_id", None, "anyone", 25, False),
    "channels/followers": ("broadcaster_id", "moderator:read:followers", "moderator", 100, True),
    "subscriptions": ("broadcaster_id", "channel:read:subscriptions", "broadcaster", 100, True),
    "moderation/moderators": ("broadcaster_id", "moderation:read", "broadcaster", 100, False),
    "channels/vips": ("broadcaster_id", "channel:read:vips", "broadcaster", 100, False),
    "moderation/banned": ("broadcaster_id", "moderation:read", "broadcaster", 100, False),
    "chat/chatters": ("broadcaster_id", "moderator:read:chatters", "moderator", 1000, True),
}
BATCHES = {"users": ("id", "id"), "channels": ("broadcaster_id", "broadcaster_id"), "streams": ("user_id", "user_id")}
CLIP_CAP = 1000
Faulty = int | str


class FakeClock:
    """A clock that sleeping moves, each reading by a millisecond; `slept` is how long it was made to sleep."""

    def __init__(self, start: str = "2026-03-01T12:00:00") -> None:
        self.time = datetime.fromisoformat(start)
        self.slept = 0.0

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.time += timedelta(seconds=seconds)


@dataclass
class World:
    """Rows by path and channel: `lists['channels/followers']['1']`; batches by path: `batches['users']`."""

    lists: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    batches: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, path: str, channel: str, now: datetime) -> list[Row]:
        return self.lists.get(path, {}).get(channel, [])

    def batch(self, path: str, now: datetime) -> list[Row]:
        return self.batches.get(path, [])


@dataclass
class Login:
    user_id: str
    login: str
    scopes: list[str]
    calls_left: int | None = None


@dataclass
class Faults:
    """What goes wrong: `share` of the calls fail in one of the ways of `kinds`; the rest as it says."""

    share: float = 0.0
    kinds: tuple[Faulty, ...] = (500, 502, 503, 429, "drop", "broken", "no json")
    seed: int = 1
    scripted: list[Faulty] = field(default_factory=list)
    down_after: int | None = None
    bucket: int = 800
    slow_seconds: float = 1.0
    overlap: int = 0
    lost: Callable[[int, int], bool] = lambda walk, place: False
    dead_cursor_at: set[int] = field(default_factory=set)
    dead_cursor_status: int = 400
    extra_total: int = 0
    repeats_token: bool = False


@dataclass
class Asked:
    method: str
    path: str
    params: dict[str, list[str]]
    status: int
    body: Any = None


class HelixServer(LocalServer):
    """The server as a context manager; `helix_url` and `auth_url` are what a client is pointed at."""

    def __init__(self, world: World, clock: FakeClock, faults: Faults | None = None) -> None:
        super().__init__(_Handler)
        self.world, self.clock, self.faults = world, clock, faults or Faults()
        self.tokens: dict[str, Login] = {}
        self.refreshes: dict[str, Login] = {}
        self.asked: list[Asked] = []
        self.pending = 2
        self.device_login: Login | None = None
        self.walks: Counter[str] = Counter()
        self.device_answers: list[str] = []
        self._rng = random.Random(self.faults.seed)
        self._made = 0
        self._minute: tuple[datetime, int] = (clock.now(), 0)

    @property
    def helix_url(self) -> str:
        return f"{self.url}/helix"

    @property
    def auth_url(self) -> str:
        return f"{self.url}/oauth2"

    def login(self, user_id: str, name: str, scopes: list[str], calls: int | None = None) -> tuple[str, str]:
        """A new pair of tokens for a login; the access token expires after so many calls."""
        self._made += 1
        access, refresh = f"secret-access-{self._made}-{user_id}", f"secret-refresh-{self._made}-{user_id}"
        self.tokens[access] = Login(user_id, name, scopes, calls)
        self.refreshes[refresh] = Login(user_id, name, scopes, None)
        return access, refresh

    def count(self, path: str, status: int | None = 200) -> int:
        return sum(a.path == path and (status is None or a.status == status) for a in self.asked)

    def fault(self) -> Faulty | None:
        if self.faults.down_after is not None and len(self.asked) >= self.faults.down_after:
            return 500
        if self.faults.scripted:
            return self.faults.scripted.pop(0)
        return self._rng.choice(self.faults.kinds) if self._rng.random() < self.faults.share else None

    def take_point(self) -> tuple[bool, dict[str, str]]:
        """Take a point from the bucket, which is full again every minute; returns the headers that say so."""
        began, used = self._minute
        if self.clock.now() - began >= timedelta(minutes=1):
            began, used = self.clock.now(), 0
        granted = used < self.faults.bucket
        self._minute = (began, used + granted)
        reset = (began + timedelta(minutes=1)).replace(tzinfo=UTC).timestamp()
        left = self.faults.bucket - self._minute[1]
        return granted, {
            "Ratelimit-Limit": str(self.faults.bucket),
            "Ratelimit-Remaining": str(left),
            "Ratelimit-Reset": str(int(reset + 1)),
        }

    def helix(self, path: str, params: dict[str, list[str]], token: str) -> tuple[int, Any]:
        login = self.tokens.get(token)
        if login is None or login.calls_left == 0:
            message = f"Invalid OAuth token {token}" if self.faults.repeats_token else "Invalid OAuth token"
            return 401, {"error": "Unauthorized", "status": 401, "message": message}
        if login.calls_left is not None:
            login.calls_left -= 1
        if path in BATCHES:
            return 200, self._batch(path, params)
        if path not in LISTS:
            return 404, {"error": "Not Found", "status": 404, "message": ""}
        return self._list(path, params, login)

    def _batch(self, path: str, params: dict[str, list[str]]) -> Row:
        param, key = BATCHES[path]
        rows = self.world.batch(path, self.clock.now())
        asked = [r for r in rows if str(r[key]) in params.get(param, []) or r.get("login") in params.get("login", [])]
        return {"data": asked, "pagination": {}} if path == "streams" else {"data": asked}

    def _list(self, path: str, params: dict[str, list[str]], login: Login) -> tuple[int, Any]:
        param, scope, reader, largest, has_total = LISTS[path]
        channel = params.get(param, [""])[0]
        if not channel:
            return 400, {"error": "Bad Request", "status": 400, "message": f'Missing required parameter "{param}"'}
        rows = self.world.rows(path, channel, self.clock.now())
        allowed = scope is None or (scope in login.scopes and (login.user_id == channel or reader == "moderator"))
        if not allowed and path == "channels/followers":
            return 200, {"total": len(rows), "data": [], "pagination": {}}
        if not allowed and scope not in login.scopes:
            return 401, {"error": "Unauthorized", "status": 401, "message": f"Missing scope: {scope}"}
        if not allowed:
            message = "The ID in broadcaster_id must match the user ID found in the request's OAuth token."
            return 401, {"error": "Unauthorized", "status": 401, "message": message}
        if path == "schedule" and not rows:
            return 404, {"error": "Not Found", "status": 404, "message": "segments were not found"}
        if path == "clips":
            since, until = params["started_at"][0], params["ended_at"][0]
            rows = [r for r in rows if since <= r["created_at"] <= until][:CLIP_CAP]
        return self._paged(path, channel, rows, params, largest, has_total)

    def _paged(
        self, path: str, channel: str, rows: list[Row], params: dict[str, list[str]], largest: int, has_total: bool
    ) -> tuple[int, Any]:
        size = int(params.get("first", ["20"])[0])
        if not 1 <= size <= largest:
            return 400, {"error": "Bad Request", "status": 400, "message": f'"first" must be at most {largest}'}
        list_key = json.dumps([path, channel, params.get("started_at"), params.get("ended_at")])
        place = 0
        if "after" in params:
            asked_list, place = json.loads(base64.b64decode(params["after"][0]))
            if asked_list != list_key or place in self.faults.dead_cursor_at:
                self.faults.dead_cursor_at.discard(place)
                return self.faults.dead_cursor_status, {"status": 400, "message": "invalid cursor"}
        else:
            self.walks[list_key] += 1
        walk = self.walks[list_key]
        first = max(0, place - self.faults.overlap) if place else 0
        shown = [r for i, r in enumerate(rows[first : place + size], first) if not self.faults.lost(walk, i)]
        following = place + size
        cursor = base64.b64encode(json.dumps([list_key, following]).encode()).decode()
        body: Row = {"data": shown, "pagination": {"cursor": cursor} if following < len(rows) else {}}
        if has_total:
            body["total"] = len(rows) + self.faults.extra_total
        if path == "subscriptions":
            body["points"] = len(rows)
        if path == "schedule":
            about = {"broadcaster_id": channel, "broadcaster_login": "c", "broadcaster_name": "C", "vacation": None}
            return 200, {"data": {"segments": shown, **about, "pagination": body["pagination"]}}
        return 200, body

    def oauth(self, path: str, fields: dict[str, list[str]], token: str) -> tuple[int, Any]:
        if path == "validate":
            login = self.tokens.get(token)
            if login is None or login.calls_left == 0:
                return 401, {"status": 401, "message": "invalid access token"}
            about = {"login": login.login, "scopes": login.scopes, "user_id": login.user_id}
            return 200, {"client_id": CLIENT_ID, "expires_in": 5000, **about}
        if fields.get("client_id") != [CLIENT_ID]:
            return 400, {"status": 400, "message": "invalid client"}
        if path == "device":
            codes = {"device_code": "secret-device-code", "user_code": "ABCDEFGH"}
            return 200, {
                **codes,
                "expires_in": 1800,
                "interval": 5,
                "verification_uri": "https://www.twitch.tv/activate",
            }
        if fields["grant_type"] == ["refresh_token"]:
            login = self.refreshes.pop(fields["refresh_token"][0], None)
            if login is None:
                return 400, {"status": 400, "message": "Invalid refresh token"}
        else:
            if self.device_answers:
                return 400, {"status": 400, "message": self.device_answers.pop(0)}
            login = self.device_login
            if login is None:
                return 400, {"status": 400, "message": "invalid device code"}
        access, refresh = self.login(login.user_id, login.login, login.scopes)
        body = {"access_token": access, "refresh_token": refresh, "expires_in": 14000, "token_type": "bearer"}
        return 200, {**body, "scope": login.scopes}


class _Handler(QuietHandler):
    server_of: HelixServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        token = self.headers.get("Authorization", "").partition(" ")[2]
        self._answer(parts.path, parse_qs(parts.query), token)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._answer(urlsplit(self.path).path, parse_qs(body), "")

    def _answer(self, whole_path: str, params: dict[str, list[str]], token: str) -> None:
        server = self.server_of
        kind, _, path = whole_path.strip("/").partition("/")
        if kind == "oauth2":
            status, body = server.oauth(path, params, token)
            self._send(status, {}, json.dumps(body).encode())
            return
        granted, headers = server.take_point()
        fault = server.fault() if granted else 429
        status, body = (0, None) if fault else server.helix(path, params, token)
        if fault:
            status = fault if isinstance(fault, int) else 200
            body = {"error": "a fault", "status": status, "message": "a fault"}
        server.asked.append(Asked(self.command, path, params, status if not isinstance(fault, str) else 0, body))
        content = json.dumps(body).encode()
        if fault == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif fault == "broken":
            self._send(200, headers, content, length=len(content) + 100)
            self.close_connection = True
        elif fault == "no json":
            self._send(200, headers, b"<html>a proxy says hello</html>")
        elif fault == "slow":
            self._send(200, headers, content[:5], length=len(content))
            time.sleep(server.faults.slow_seconds)
            self.close_connection = True
        else:
            self._send(status, headers, content)

    def _send(self, status: int, headers: dict[str, str], body: bytes, length: int | None = None) -> None:
        lines = {"Content-Type": "application/json", "Content-Length": str(length or len(body)), **headers}
        head = f"HTTP/1.1 {status} -\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        self.wfile.write(head.encode() + body)
        self.wfile.flush()
