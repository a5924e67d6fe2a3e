"""One chat as four tools export it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.builders import twitch_chat

START_MS = 1_769_889_600_000  # 2026-01-31 20:00:00 UTC
SAID = [(5, "ann", "Cheer100 gg"), (6, "bob", "hello"), (6, "bob", "hello"), (70, "ann", "gg"), (3599, "cid", "bye")]
STATED = {
    "platform": "twitch",
    "channel_id": "1",
    "vod_id": "100",
    "stream_started_at": "2026-01-31T20:00:00Z",
    "exported_at": "2026-02-02T00:00:00Z",
}


def irc_lines() -> str:
    lines = []
    for number, (offset, who, text) in enumerate(SAID, 1):
        bits = "bits=100;" if text.startswith("Cheer") else ""
        tags = f"{bits}display-name={who};id=100-{number:06d};room-id=1;user-id=id-{who}"
        tags += f";tmi-sent-ts={START_MS + offset * 1000}"
        lines.append(f"@{tags} :{who}!{who}@{who}.tmi.twitch.tv PRIVMSG #streamer :{text}")
    return "\r\n".join(lines)


def downloaded() -> str:
    items = [
        {
            "message_id": f"100-{number:06d}",
            "message_type": "text_message",
            "action_type": "text_message",
            "timestamp": (START_MS + offset * 1000) * 1000,
            "channel_id": "1",
            "message": text,
            "author": {"id": f"id-{who}", "name": who, "display_name": who},
            **({"bits": 100} if text.startswith("Cheer") else {}),
        }
        for number, (offset, who, text) in enumerate(SAID, 1)
    ]
    return "\n".join(map(json.dumps, items))


def as_text() -> str:
    return "".join(f"[{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}] {who}: {text}\n" for s, who, text in SAID)


def export(folder: Path) -> list[Path]:
    """Write the chat as TwitchDownloader, an IRC log, chat-downloader and plain text say it; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [twitch_chat(folder / "vod.json", SAID)]
    for name, content in {"chat.log": irc_lines(), "chat.jsonl": downloaded(), "chat.txt": as_text()}.items():
        files.append(folder / name)
        files[-1].write_text(content, newline="")
    return files
