"""What one new stream costs, from `fullhouse run` to published insights, on a lake that holds the sample world.

`python -m benchmarks.one_stream`. Printed beside it: a run with nothing new, and the commands a person waits for. The
lake is made once per folder and brought up to date before a copy of it is measured. To set two checkouts side by side,
run it once with `--fullhouse CHECKOUT/.venv/bin/fullhouse --folder ANOTHER`: nothing of the checkout is imported here.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import shutil
import sys
import tempfile
import uuid
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import Run, line, part_lines, run

FROM, HOURS = time(12, tzinfo=UTC), 3
# A chat of the sample world in landing/: <digest>-<login>_<day>_v<VOD>.json.
CHAT = re.compile(r"[0-9a-f]+-(?P<login>[a-z0-9]+)_(?P<day>\d{4}-\d{2}-\d{2})_v\d+(_\d)?\.json(\.gz)?")
# The commands a person waits for, and the seconds they may take.
COMMANDS = {
    "fullhouse --help": ["--help"],
    "fullhouse status": ["status"],
    "fullhouse sql": ["sql", "select count(*) from fct_streams"],
}
COMMAND_AIM, NOTHING_AIM, STREAM_AIM = 0.5, 2.0, 30.0
# What people can read of it afterwards.
PUBLISHED = "select count(*) as messages, count(distinct viewer_id) as viewers from fct_chat_messages"
LAST_DAY = "select max(event_date) as day from fct_channel_days"


class Lake:
    """A lake and the `fullhouse` command that works on it."""

    def __init__(self, command: Path, root: Path) -> None:
        self.command, self.root = command, root

    def fullhouse(self, *arguments: str) -> Run:
        return run([str(self.command), *arguments], {"LAKE_ROOT": str(self.root)})

    def ask(self, query: str) -> dict[str, Any]:
        """The first row of a query on what is published, dates as text."""
        row: dict[str, Any] = json.loads(self.fullhouse("sql", "--format", "json", query).output)[0]
        return row

    def copy(self, root: Path) -> Lake:
        """The same lake at another place, whose paths are its own. Times of files stay: a run compares them."""
        shutil.copytree(self.root, root, symlinks=True)
        lake = Lake(self.command, root)
        lake.fullhouse("publish", "--repair")
        return lake


def newest_chats(landing: Path) -> list[Path]:
    """The chats of the channel that streamed last, newest first, by the day in their names."""
    chats = sorted((c["day"], c["login"], p) for p in landing.rglob("*.json*") if (c := CHAT.fullmatch(p.name)))
    if not chats:
        raise FileNotFoundError(f"{landing} holds no chat of the sample world")
    _, last_login, _ = chats[-1]
    return [path for _, login, path in reversed(chats) if login == last_login]


def read_chat(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    chat: dict[str, Any] = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    return chat


def write_stream(landing: Path, target: Path, day: date, messages: int) -> None:
    """A chat of this day as TwitchDownloader writes it; who writes what is drawn from the channel's newest chats."""
    draw = random.Random(messages)
    chats = newest_chats(landing)
    chat, comments = read_chat(chats[0]), list[dict[str, Any]]()
    for path in chats:
        comments += [c for c in read_chat(path)["comments"] if "user_notice_params" not in c["message"]]
        if len(comments) >= messages:
            break
    start = datetime.combine(day, FROM)
    vod_id = str(int(chat["video"]["id"]) + 1)
    offsets = sorted(draw.uniform(0, HOURS * 3600) for _ in range(messages))
    chat["FileInfo"] = {
        "Version": {"Major": 1, "Minor": 4, "Patch": 0},
        "CreatedAt": (start + timedelta(hours=HOURS + 1)).isoformat(),
    }
    chat["video"] |= {"id": vod_id, "created_at": f"{start:%Y-%m-%dT%H:%M:%SZ}", "chapters": []}
    chat["video"] |= {"start": 0.0, "end": HOURS * 3600.0, "length": HOURS * 3600.0}
    chat["comments"] = [
        comments[n % len(comments)]
        | {
            "_id": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            "created_at": f"{(start + timedelta(seconds=at)).isoformat(timespec='milliseconds')[:23]}Z",
            "content_id": vod_id,
            "content_offset_seconds": int(at),
        }
        for n, at in enumerate(offsets)
    ]
    target.write_text(json.dumps(chat, ensure_ascii=False), encoding="utf-8")


def measure(lake: Lake, folder: Path, messages: int) -> None:
    """Print what the commands, a run with nothing new and a run with one new stream cost on this lake."""
    for name, arguments in COMMANDS.items():
        print(line(name, [lake.fullhouse(*arguments) for _ in range(3)]), f"(aim {COMMAND_AIM} s)", flush=True)
    nothing = [lake.fullhouse("run") for _ in range(3)]
    print(line("a run with nothing new", nothing), f"(aim {NOTHING_AIM} s)", flush=True)
    chat = folder / "new_stream.json"
    day = date.fromisoformat(lake.ask(LAST_DAY)["day"]) + timedelta(days=1)
    write_stream(lake.root / "landing", chat, day, messages)
    print(line("fullhouse add", [lake.fullhouse("add", str(chat))]))
    one = lake.fullhouse("run")
    print(line(f"one new stream of {messages:,} messages", [one]), f"(aim {STREAM_AIM:.0f} s)")
    print(part_lines(one))
    published = lake.ask(f"{PUBLISHED} where event_date = '{day}'")
    print(f"    published of {day}: {published['messages']:,} messages of {published['viewers']:,} viewers")
    print(f"    {lake.fullhouse('versions').output.splitlines()[-1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--fullhouse", type=Path, default=Path(sys.executable).with_name("fullhouse"))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "full-house-benchmarks")
    arguments = parser.parse_args()
    whole = Lake(arguments.fullhouse, arguments.folder / "lake-sample")
    made = whole.fullhouse("run", "--sample-if-empty")
    if made.parts:
        print(line("the sample world with models, as far as new", [made]))
        print(part_lines(made), flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measure(whole.copy(Path(folder) / "lake"), Path(folder), arguments.messages)


if __name__ == "__main__":
    main()
