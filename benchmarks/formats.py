"""Speed and memory of each input format against `json.loads` (or a regular expression) into a list of dicts.

Both read the same file as whole processes, in turn; what a file of one row takes (start-up, imports) is subtracted.
`source` is the parser up to typed Arrow rows with every check; `plain` stops at dicts. Printed are the ratios
plain / source of wall and of processor seconds, and the peak memory of the source at a quarter and all of the file:
flat is the aim.

    python -m benchmarks.formats [--rows 60000] [--repeat 3] [format ...]
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Run, in_turn, run

WORDS = "hello there this is a chat message 日本 gg wp nice one lol streamer 👍 what a play".split()  # noqa: SIM905
# Seconds beside start-up below which a difference of two processes is noise.
TOO_SHORT = 0.1
START_US = 1_700_000_000_000_000
SIDECAR = {"platform": "twitch", "channel_id": "9", "stream_id": "s", "stream_started_at": "2023-11-14T22:13:20Z",
           "date": "2026-01-31", "time_zone": "Europe/Berlin", "currency": "USD"}  # fmt: skip


@dataclass(frozen=True)
class Format:
    """How a file of so many rows is written, and which source and which plain reader read it.

    Its file has `times` as many rows, so that every figure is over a second: a line of text takes microseconds.
    """

    source: str
    write: Callable[[Path, int], None]
    plain: Callable[[Path], list[dict[str, Any]]]
    times: int = 1


def _text(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randrange(1, 14)))


def _id(chance: random.Random, length: int = 32) -> str:
    return f"{chance.getrandbits(4 * length):0{length}x}"


def _uuid(chance: random.Random) -> str:
    text = _id(chance)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _rows(count: int) -> Iterator[tuple[random.Random, int, int]]:
    """Chance, the number of a viewer and the microsecond of each row."""
    chance = random.Random(1)
    moment = START_US
    for _ in range(count):
        moment += chance.randrange(10_000, 900_000)
        yield chance, chance.randrange(5000), moment


def _irc_line(chance: random.Random, viewer: int, moment: int) -> str:
    text = _text(chance)
    emotes = "25:0-4" if chance.random() < 0.25 else ""
    nonce = f"client-nonce={_id(chance)};" if chance.random() < 0.7 else ""
    return (
        f"@badge-info=subscriber/{viewer % 40};badges=subscriber/{viewer % 40 // 3 * 3},premium/1;{nonce}color=#1E90FF;"
        f"display-name=User{viewer};emotes={emotes};first-msg=0;flags=;id={_uuid(chance)};mod=0;returning-chatter=0;"
        f"room-id=123456;subscriber=1;tmi-sent-ts={moment // 1000};turbo=0;user-id={100_000 + viewer};user-type= "
        f":user{viewer}!user{viewer}@user{viewer}.tmi.twitch.tv PRIVMSG #streamer :{'Kappa ' if emotes else ''}{text}"
    )


def write_irc(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{_irc_line(*row)}\r\n" for row in _rows(count))


def _rustlog(chance: random.Random, viewer: int, moment: int) -> str:
    raw = _irc_line(chance, viewer, moment)
    tags = dict(tag.split("=", 1) for tag in raw[1:].split(" ", 1)[0].split(";"))
    message = {"text": raw.split(" :", 2)[2], "displayName": f"User{viewer}", "timestamp": "2023-11-14T22:13:20Z",
            "id": tags["id"], "tags": tags, "username": f"user{viewer}", "channel": "streamer", "raw": raw,
            "type": 1}  # fmt: skip
    return json.dumps(message, ensure_ascii=False)


def write_rustlog(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"messages":[')
        file.writelines(f"{',' if at else ''}{_rustlog(*row)}" for at, row in enumerate(_rows(count)))
        file.write("]}")


def _images(chance: random.Random, count: int) -> list[dict[str, Any]]:
    return [{"url": f"https://example.org/{_id(chance, 80)}=s{n}-c-k", "width": n, "height": n} for n in range(count)]


_ICONS = _images(random.Random(2), 2)
MEMBER = {"title": "Member (6 months)", "icons": _ICONS}
EMOTE = {"id": "UCx/abc", "name": ":hi:", "shortcuts": [":hi:"], "is_custom_emoji": True, "images": _ICONS}


def _downloaded(chance: random.Random, viewer: int, moment: int) -> str:
    members = {"action_type": "add_chat_item", "time_in_seconds": (moment - START_US) / 1e6, "time_text": "0:01",
            "author": {"id": f"UC{viewer:022d}", "name": f"User {viewer}", "images": _images(chance, 3),
                       "badges": [MEMBER] if viewer % 4 == 0 else []},
            "message": _text(chance), "message_id": f"Chw{_id(chance, 40)}", "message_type": "text_message",
            "timestamp": moment}  # fmt: skip
    if chance.random() < 0.3:
        emote = {
            "id": "UCx/abc",
            "name": ":hi:",
            "shortcuts": [":hi:"],
            "search_terms": ["hi"],
            "is_custom_emoji": True,
        }
        members |= {"message": f"{members['message']} :hi:", "emotes": [{**emote, "images": _images(chance, 2)}]}
    return json.dumps(members)


def write_downloaded(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{_downloaded(*row)}\n" for row in _rows(count))


def write_downloaded_array(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        file.writelines(f"{', ' if at else ''}{_downloaded(*row)}" for at, row in enumerate(_rows(count)))
        file.write("]")


def _live_chat(chance: random.Random, viewer: int, moment: int) -> str:
    runs: list[dict[str, Any]] = [{"text": _text(chance)}]
    if chance.random() < 0.3:
        image = {"thumbnails": _images(chance, 2), "accessibility": {"accessibilityData": {"label": ":hi:"}}}
        emoji = {
            "emojiId": "UCx/abc",
            "shortcuts": [":hi:"],
            "searchTerms": ["hi"],
            "image": image,
            "isCustomEmoji": True,
        }
        runs.append({"emoji": emoji})
    menu = {"clickTrackingParams": _id(chance, 12), "liveChatItemContextMenuEndpoint": {"params": _id(chance, 200)}}
    members = {"message": {"runs": runs}, "authorName": {"simpleText": f"@user{viewer}"},
            "authorPhoto": {"thumbnails": _images(chance, 2)}, "contextMenuEndpoint": menu,
            "id": f"ChwK{_id(chance, 40)}",
            "timestampUsec": str(moment), "authorExternalChannelId": f"UC{viewer:022d}",
            "contextMenuAccessibility": {"accessibilityData": {"label": "Chat actions"}},
            "timestampText": {"simpleText": "0:01"}, "trackingParams": _id(chance, 20)}  # fmt: skip
    add = {"item": {"liveChatTextMessageRenderer": members}, "clientId": _id(chance, 40)}
    actions = [{"clickTrackingParams": _id(chance, 16), "addChatItemAction": add}]
    replay = {"actions": actions, "videoOffsetTimeMsec": str((moment - START_US) // 1000)}
    return json.dumps({"clickTrackingParams": _id(chance, 16), "replayChatItemAction": replay})


def write_live_chat(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{_live_chat(*row)}\n" for row in _rows(count))


def _comment(chance: random.Random, viewer: int, moment: int) -> str:
    text = _text(chance)
    fragments: list[dict[str, Any]] = [{"text": text, "emoticon": None}]
    if chance.random() < 0.25:
        fragments += [{"text": " ", "emoticon": None}, {"text": "Kappa", "emoticon": {"emoticon_id": "25"}}]
    commenter = {"display_name": f"User{viewer}", "_id": str(viewer), "name": f"user{viewer}", "bio": "about me " * 4,
                 "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
                 "logo": _images(chance, 1)[0]["url"]}  # fmt: skip
    members = {"_id": _uuid(chance), "created_at": "2023-11-14T22:13:20Z", "channel_id": "9", "content_type": "video",
            "content_id": "7", "content_offset_seconds": (moment - START_US) // 1_000_000 % 170_000,
            "commenter": commenter,
            "message": {"body": "".join(f["text"] for f in fragments), "bits_spent": 0, "fragments": fragments,
                        "user_badges": [{"_id": "subscriber", "version": "12"}], "user_color": "#1E90FF",
                        "emoticons": []}}  # fmt: skip
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def write_comments(path: Path, count: int) -> None:
    head = {"FileInfo": {"Version": {"Major": 1, "Minor": 4, "Patch": 0}}, "streamer": {"name": "A", "id": 9},
            "video": {"id": "7", "created_at": "2023-11-14T22:13:20Z", "length": 170_000}}  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ',"comments":[')
        file.writelines(f"{',' if at else ''}{_comment(*row)}" for at, row in enumerate(_rows(count)))
        file.write("]}")


def write_day_log(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for at, (chance, viewer, _) in enumerate(_rows(count)):
            second = at * 86_399 // count
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            file.write(f"[{clock}]  user{viewer}: {_text(chance)}\n")


def write_plain_log(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for chance, viewer, moment in _rows(count):
            second = (moment - START_US) // 1_000_000
            file.write(f"[{second // 3600}:{second // 60 % 60:02d}:{second % 60:02d}] user{viewer}: {_text(chance)}\n")


def write_dashboard(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("Date,Average Viewers,Max Viewers,Minutes Streamed,Unique Viewers,Sub Revenue,Ad Revenue\n")
        for chance, viewer, _ in _rows(count):
            file.write(
                f"Fri Sep {viewer % 28 + 1:02d} 2026,{viewer / 7:.1f},{viewer},{chance.randrange(800)},9,2.83,0.07\n"
            )


def plain_lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def plain_messages(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["messages"]
    return rows


def plain_comments(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["comments"]
    return rows


def plain_array(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def plain_irc(path: Path) -> list[dict[str, Any]]:
    line = re.compile(r"^(?:@(\S+) )?(?::(\S+) )?(\S+)(?: ([^:]\S*))?(?: :(.*))?$")
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8", newline="\n") as file:
        for text in file:
            match = line.match(text.rstrip("\r\n"))
            if match:
                row: dict[str, Any] = dict(tag.split("=", 1) for tag in (match[1] or "").split(";"))
                row |= {"sender": match[2], "command": match[3], "channel": match[4], "text": match[5]}
                rows.append(row)
    return rows


def plain_log(path: Path) -> list[dict[str, Any]]:
    line = re.compile(r"^\[(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d)\] +(?P<name>[^:]+): (?P<text>.*)$")
    with path.open(encoding="utf-8") as file:
        return [match.groupdict() for text in file if (match := line.match(text))]


def plain_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FORMATS = {
    "twitch_downloader": Format("twitch_downloader", write_comments, plain_comments, times=3),
    "chat_downloader_json": Format("chat_downloader", write_downloaded_array, plain_array, times=3),
    "chat_downloader_jsonl": Format("chat_downloader", write_downloaded, plain_lines, times=3),
    "yt_dlp_live_chat": Format("yt_dlp_live_chat", write_live_chat, plain_lines, times=2),
    "irc": Format("irc", write_irc, plain_irc, times=6),
    "irc_json": Format("irc", write_rustlog, plain_messages, times=4),
    "chatterino": Format("chatterino", write_day_log, plain_log, times=20),
    "chat_text": Format("chat_text", write_plain_log, plain_log, times=20),
    "twitch_dashboard": Format("twitch_dashboard", write_dashboard, plain_csv, times=20),
}


def read_by_source(name: str, path: Path) -> int:
    """Rows the source gives, kept no longer than a batch."""
    from data_lake.sources import SOURCES
    from data_lake.sources.base import Export, Rows

    source = SOURCES[FORMATS[name].source]
    parts = source.parse(Export(path, source.name, path.name, SIDECAR))
    return sum(part.table.num_rows for part in parts if isinstance(part, Rows))


def _child(how: str, name: str, path: Path) -> Run:
    return run([sys.executable, "-m", "benchmarks.formats", "--child", how, name, str(path)])


def _spent(runs: list[Run], start: Run) -> list[Run]:
    """Runs without what starting takes."""
    return [
        Run(max(r.seconds - start.seconds, 1e-3), max(r.cpu_seconds - start.cpu_seconds, 1e-3), r.peak_mb) for r in runs
    ]


def compare(name: str, rows: int, repeat: int, folder: Path) -> str:
    """One line of the table."""
    form = FORMATS[name]
    rows *= form.times
    one, quarter, whole = (folder / f"{name}-{count}" for count in (1, rows // 4, rows))
    for path, count in ((one, 1), (quarter, rows // 4), (whole, rows)):
        form.write(path, count)
    start_source, start_plain = _child("source", name, one), _child("plain", name, one)
    source_runs, plain, _ = in_turn(lambda: _child("source", name, whole), lambda: _child("plain", name, whole), repeat)
    less = _child("source", name, quarter)
    pairs = list(zip(_spent(plain, start_plain), _spent(source_runs, start_source), strict=True))
    if min(part.seconds for pair in pairs for part in pair) < TOO_SHORT:
        return f"{name:22} takes too little beside starting up to be told from noise: give more --rows"
    wall = statistics.median(p.seconds / o.seconds for p, o in pairs)
    cpu = statistics.median(p.cpu_seconds / o.cpu_seconds for p, o in pairs)
    megabytes = whole.stat().st_size / 1e6
    speed = megabytes / statistics.median(o.seconds for _, o in pairs)
    memory = statistics.median(r.peak_mb for r in source_runs)
    return (
        f"{name:22}{megabytes:7.0f} MB {speed:7.0f} MB/s {wall:7.1f}x {cpu:7.1f}x {less.peak_mb:8.0f} {memory:8.0f} MB "
        f"{statistics.median(r.peak_mb for r in plain):8.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--child", nargs=3, metavar=("HOW", "FORMAT", "PATH"), help=argparse.SUPPRESS)
    parser.add_argument("formats", nargs="*", choices=[*FORMATS, []], default=[])
    options = parser.parse_args()
    if options.child:
        how, name, path = options.child
        print(len(FORMATS[name].plain(Path(path))) if how == "plain" else read_by_source(name, Path(path)))
        return
    print(f"{'format':22}{'file':>10} {'source':>12} {'wall':>8} {'cpu':>8} {'quarter':>8} {'whole':>11} {'plain':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.formats or FORMATS:
            print(compare(name, options.rows, options.repeat, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
