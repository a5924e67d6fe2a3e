"""The server of the toy client: lists by offset, for whoever knows the key; fails as often as it is told to."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "secret-key-of-the-toy"


class ToyServer:
    """Serves `lists` by path as a context manager. `statuses` are what the next answers are instead."""

    def __init__(self, lists: dict[str, list[dict[str, Any]]]) -> None:
        self.lists = lists
        self.statuses: list[int] = []
        self.asked: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": self}))

    def __enter__(self) -> ToyServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

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


class _Handler(BaseHTTPRequestHandler):
    server_of: ToyServer

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        status, body = self.server_of.answer(self.path, self.headers.get("X-Api-Key"))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
