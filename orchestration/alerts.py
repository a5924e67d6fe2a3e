"""Telling people that a run failed: a line in alerts.jsonl, and a message to FULLHOUSE_ALERT_URL when set."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from data_lake.layout import Layout

ALERT_URL = "FULLHOUSE_ALERT_URL"
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Alert:
    """A failed run: which, since when, and why in one paragraph."""

    run_id: str
    job: str
    failed_at: str
    message: str
    lake: str

    @classmethod
    def now(cls, layout: Layout, run_id: str, job: str, message: str) -> Alert:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(run_id=run_id, job=job, failed_at=moment, message=message, lake=str(layout.root))


def record(layout: Layout, alert: Alert) -> str | None:
    """Append the alert to alerts.jsonl and post it as JSON; returns why it could not be posted, None when it was.

    A message that could not be posted is itself recorded: a silent alert is worse than none.
    """
    problem = _post(os.environ.get(ALERT_URL), alert)
    line = asdict(alert) | ({"not_posted": problem} if problem else {})
    layout.root.mkdir(parents=True, exist_ok=True)
    with layout.alerts.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return problem


def _post(url: str | None, alert: Alert) -> str | None:
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        return f"{ALERT_URL} must start with http:// or https://"
    # Here and not above: every run imports this module, and few have anybody to tell.
    import urllib.error
    import urllib.request

    # `text` is what chat services show; the rest is for machines.
    body = {"text": f"Full House run {alert.run_id[:8]} failed: {alert.message}", **asdict(alert)}
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", "User-Agent": "full-house"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return None
    except (urllib.error.URLError, TimeoutError, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
