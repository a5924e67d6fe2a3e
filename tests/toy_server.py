"""The server of the toy client: lists by offset, for whoever knows the key; fails as often as it is told to."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.local_server import LocalServer, QuietHandler

KEY = "secret-key-of-the-toy"


class ToyServer(LocalServer):
    """Serves `lists` by path as a context manager. `statuses` are what the next answers are instead."""

    def __init__(self, lists: dict[str, list[dict[str, Any]]]) -> None:
        super().__init__(_Handler)
        self.lists = lists
        self.statuses: list[int] = []
        self.asked: list[str] = []

    def answer(self, path: str, key: str | None) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if key != KEY:
            return 401, {"message": f"{key} opens nothing"}
        if self.statuses:
            return self.statuses.pop(0), {"message": "as told"}
        parts = urlsplit(path)
        if parts.path == "/status":
            return 200, {"id": "s1", "version": 7}
        rows, params = self.lists[parts.path.strip("/")], parse_qs(parts.query)
        first = int(params.get("skip", ["0"])[0])
        return 200, {"results": rows[first : first + int(params["take"][0])], "total": len(rows)}


class _Handler(QuietHandler):
    server_of: ToyServer

    def do_GET(self) -> None:
        status, body = self.server_of.answer(self.path, self.headers.get("X-Api-Key"))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
