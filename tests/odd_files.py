"""Odd but acceptable exports of every format, drawn from one random source.

Fields out of range, empty, repeated, contradicting, on other days; several tools tell the same messages differently.
Each chat file also holds three sound messages, whose texts start with `SOUND` and occur nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from data_lake.contracts import load_contracts
from tests.builders import twitch_comment
from tests.helix_rows import clip, followers, subscriber

SOUND = "sound message"
SOUND_COUNT, ROWS = 3, 12
FIRST = datetime(2026, 1, 28, 18, tzinfo=UTC)
TEXTS = [
    "", " ", "\u200b", "gg\u034f", "gg", "a" * 700, "NULL", "'; drop x --", "😀😀", "Cheer100 hi", "@ann",
    "!drop", "Kappa Kappa", "e\u0301", "[00:00:01] ann: hi", "https://example.com/?q=1", "<null>", "\t", "ＷＩＤＥ",
]  # fmt: skip
NAMES = ["ann", "Bob", "", " ", "Ünï", "名前", "a b", "x" * 80, "123", "null", "ann\u200b"]
IDS = ["1", "2", "", " ", "0", "-1", "unknown", "owner:1", "stream:1", "vod:100", "synthetic:1", "login:ann", "9" * 40]
PLACES = ["0-4", "4-0", "5-900", "x-y", "", "-1-3", "0-3", "1-5", "0-4,6-99999999999"]
NUMBERS = [0, 1, -1, 7, 100, 2**31 - 1, -(2**31), 10**12, 0.5, -0.0]


@dataclass(frozen=True)
class OddFile:
    """An export as bytes, with what lies beside it; `sound` are its sound messages, by text their row's bytes."""

    name: str
    content: bytes
    sidecar: Mapping[str, Any] | None = None
    mapping: tuple[str, str] | None = None
    sound: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Draw:
    """Values from one random source."""

    rng: Random
    sound_number: int = field(default=0)

    def any(self, *values: Any) -> Any:
        return self.rng.choice(values)

    def text(self) -> str:
        return self.rng.choice(TEXTS)

    def name(self) -> str:
        return self.rng.choice(NAMES)

    def id(self) -> str:
        return self.rng.choice(IDS)

    def number(self) -> Any:
        return self.rng.choice(NUMBERS)

    def moment(self) -> datetime:
        """Mostly within four days, now and then a defect of a clock."""
        if self.rng.random() < 0.1:
            return self.any(*(datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 1999, 2000, 2099, 2100, 9999)))
        return FIRST + timedelta(seconds=self.rng.choice([self.rng.randrange(-3600, 4 * 86400), 86400 * 2 + 21600, 0]))

    def message_id(self) -> str:
        """Few ids, so that tools and days meet in them."""
        return f"00000000-0000-4000-8000-{self.rng.randrange(9):012d}"

    def sound(self, tool: str) -> list[tuple[datetime, str]]:
        messages = []
        for _ in range(SOUND_COUNT):
            self.sound_number += 1
            text = f"{SOUND} {self.sound_number} of {tool} {self.rng.randrange(10**9)}"
            messages.append((FIRST + timedelta(minutes=self.sound_number), text))
        return messages


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def _lines(rows: list[Any]) -> bytes:
    return "".join(f"{_json(row)}\n" for row in rows).encode()


def _by_text(sound: list[tuple[datetime, str]], rows: Iterable[str]) -> dict[str, bytes]:
    """The bytes of the sound messages, which are the first rows."""
    return {text: row.encode() for (_, text), row in zip(sound, rows, strict=False)}


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def irc(draw: Draw) -> Iterator[OddFile]:
    def line(moment: datetime, text: str, message_id: str, **tags: Any) -> str:
        stated = {"display-name": "Ann", "id": message_id, "room-id": "1", "user-id": "5", **tags}
        joined = ";".join(f"{name}={value}" for name, value in stated.items())
        return f"@{joined};tmi-sent-ts={_millis(moment)} :ann!ann@ann.tmi.twitch.tv PRIVMSG #house :{text}"

    sound = draw.sound("irc")
    lines = [line(moment, text, f"irc-{text}".replace(" ", "-")) for moment, text in sound]
    for _ in range(ROWS):
        tags = {
            "display-name": draw.name().replace(" ", r"\s"),
            "emotes": draw.any("", *(f"25:{place}" for place in PLACES), "25:0-4/25:0-4", "emotesv2_x:0-1"),
            "bits": draw.any("1", "-5", "x", "", "99999999999999999999"),
            "room-id": draw.any("1", "1", "2", "", "x"),
            "user-id": draw.any("5", "6", "", "-1"),
            "badges": draw.any("", "vip/1", "vip", "subscriber/x,/", "broadcaster/1"),
        }
        lines.append(line(draw.moment(), draw.text().replace("\t", " "), draw.message_id(), **tags))
    lines.append("@msg-id=raid;room-id=1;id=r1;msg-param-viewerCount=-7;tmi-sent-ts=1769623200000;system-msg=x "
                 ":tmi.twitch.tv USERNOTICE #house")  # fmt: skip
    lines.append(
        "@room-id=1;ban-duration=-1;target-user-id=5;tmi-sent-ts=1769623200000 :tmi.twitch.tv CLEARCHAT #house :ann"
    )
    yield OddFile("chat.log", "\r\n".join(lines).encode(), sound=_by_text(sound, lines))


def chat_downloader(draw: Draw) -> Iterator[OddFile]:
    sound = draw.sound("chat_downloader")

    def item(moment: datetime, text: str, message_id: str, **more: Any) -> dict[str, Any]:
        stated = {"message_id": message_id, "message_type": "text_message", "action_type": "add_chat_item"}
        author = {"id": "UC" + "5" * 22, "name": "Ann"}
        return {**stated, "timestamp": _millis(moment) * 1000, "message": text, "author": author, **more}

    rows = [item(moment, text, f"cd-{text}") for moment, text in sound]
    for _ in range(ROWS):
        odd = {
            "author": draw.any(None, {}, {"id": draw.id(), "name": draw.name(), "badges": draw.any(None, [], [{}])}),
            "money": draw.any(None, {}, {"amount": draw.number(), "currency": draw.any("USD", "", "XXX", "€")}),
            "emotes": draw.any(None, [], [{"id": draw.id(), "name": draw.name()}]),
            "time_in_seconds": draw.number(),
            "message_type": draw.any("text_message", "paid_message", "membership_item", "a new kind", None),
            "channel_id": draw.any("UC1", "UC2", None),
        }
        rows.append(item(draw.moment(), draw.text(), draw.message_id(), **odd))
    stated = {"channel_id": "1", "platform": "twitch", "stream_id": "s1"}
    yield OddFile("chat.jsonl", _lines(rows), stated, sound=_by_text(sound, map(_json, rows)))


def yt_dlp(draw: Draw) -> Iterator[OddFile]:
    sound = draw.sound("yt_dlp")

    def action(moment: datetime, text: str, message_id: str, **more: Any) -> dict[str, Any]:
        members = {"id": message_id, "timestampUsec": str(_millis(moment) * 1000), "authorExternalChannelId": "UC5"}
        members |= {"message": {"runs": [{"text": text}]}, **more}
        kind = (
            draw.any("liveChatPaidMessageRenderer", "liveChatTextMessageRenderer")
            if more
            else "liveChatTextMessageRenderer"
        )
        add = {"addChatItemAction": {"item": {kind: members}}}
        offset = draw.any("0", "-5000", "1000", "x", "99999999999") if more else "1000"
        return {"replayChatItemAction": {"actions": [add], "videoOffsetTimeMsec": offset}}

    rows = [action(moment, text, f"yt-{text}") for moment, text in sound]
    for _ in range(ROWS):
        amount = draw.any("$5.00", "", "5", "US$-1", "€ 9999999999999999", "?")
        odd = {"purchaseAmountText": {"simpleText": amount}, "authorName": draw.any(None, {"simpleText": draw.name()})}
        rows.append(action(draw.moment(), draw.text(), draw.message_id(), **odd))
    yield OddFile("video.live_chat.json", _lines(rows), {"channel_id": "UC1"}, sound=_by_text(sound, map(_json, rows)))


def twitch_downloader(draw: Draw) -> Iterator[OddFile]:
    sound = draw.sound("twitch_downloader")
    start = FIRST

    def comment(moment: datetime, text: str, message_id: str) -> dict[str, Any]:
        return twitch_comment(message_id, moment, (moment - start).total_seconds(), text)

    comments = [comment(moment, text, f"td-{text}") for moment, text in sound]
    for _ in range(ROWS):
        moment = draw.moment()
        odd = comment(moment, draw.text(), draw.message_id())
        odd["content_offset_seconds"] = draw.any(odd["content_offset_seconds"], draw.number())
        odd["commenter"] = draw.any(None, {"display_name": draw.name(), "_id": draw.id(), "name": draw.name()})
        odd["message"]["bits_spent"] = draw.number()
        begin, end = draw.any((0, 4), (4, 0), (-1, 3), (5, 900), (0, 3), ("x", "y"))
        odd["message"]["emoticons"] = draw.any([], [{"_id": "25", "begin": begin, "end": end}])
        odd["message"]["user_badges"] = draw.any([], None, [{"_id": draw.id(), "version": draw.any("1", "", None)}])
        comments.append(odd)
    about = {
        "title": draw.text(),
        "id": draw.any("100", "101", ""),
        "created_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "start": draw.any(0, 0, -5, 100),
        "end": draw.any(7200, 0, 10**9, -1),
        "length": draw.any(7200, 0, -1),
        "viewCount": draw.number(),
        "game": draw.text(),
        "chapters": draw.any(
            [], [{"id": "c", "startMilliseconds": draw.number(), "lengthMilliseconds": draw.number()}]
        ),
    }
    content = {
        "FileInfo": {"Version": {"Major": 1, "Minor": 4, "Patch": 0}, "CreatedAt": "2026-02-02T00:00:00Z"},
        "streamer": {"name": draw.name(), "login": draw.name(), "id": draw.any(1, 1, 2)},
        "video": about,
        "comments": comments,
    }
    yield OddFile("vod.json", _json(content).encode(), sound=_by_text(sound, map(_json, comments)))


def chatterino(draw: Draw) -> Iterator[OddFile]:
    sound = draw.sound("chatterino")
    lines = ["# Start logging at 2026-01-28 18:00:00 UTC"]
    lines += [f"[{moment:%H:%M:%S}]  ann: {text}" for moment, text in sound]
    for _ in range(ROWS):
        clock = draw.any("18:59:59", "23:59:59", "00:00:01", "19:00:00")
        system = draw.any(
            "ann has been timed out for -1s.", "bob has been permanently banned.", "9 raiders from x!", "odd"
        )
        lines.append(f"[{clock}] {draw.any('ann: ' + draw.text(), system)}")
    stated = {"channel_id": "1", "date": "2026-01-28", "time_zone": "UTC"}
    yield OddFile("house-2026-01-28.log", "\n".join(lines).encode(), stated, sound=_by_text(sound, lines[1:]))


def chat_text(draw: Draw) -> Iterator[OddFile]:
    sound = draw.sound("chat_text")

    def line(seconds: int, text: str, who: str = "ann") -> str:
        return f"[{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}] {who}: {text}"

    lines = [line(int((moment - FIRST).total_seconds()), text) for moment, text in sound]
    for _ in range(ROWS):
        lines.append(line(draw.any(0, 5, 5, 86399, 359999), draw.text(), draw.name().strip() or "bob"))
    stated = {"platform": "twitch", "channel_id": "1", "vod_id": draw.any("100", "102")}
    stated |= {"stream_started_at": f"{FIRST:%Y-%m-%dT%H:%M:%SZ}", "exported_at": "2026-02-02T00:00:00Z"}
    yield OddFile("chat.txt", ("\n".join(lines) + "\n").encode(), stated, sound=_by_text(sound, lines))


def twitch_dashboard(draw: Draw) -> Iterator[OddFile]:
    days = [
        f"Wed Jan {day:02d} 2026,{draw.number()},{draw.number()},{draw.number()},{draw.text()!r}"
        for day in (28, 28, 29)
    ]
    content = "Date,Average Viewers,Max Viewers,Minutes Streamed,Ad Revenue\n" + "\n".join(days) + "\n"
    yield OddFile(
        "dashboard.csv", content.encode(), {"channel_id": "1", "currency": "USD", "exported_at": "2026-02-02"}
    )


def helix(draw: Draw) -> Iterator[OddFile]:
    """Pull files of lists, and a page of videos."""
    began = "2026-02-01T12:00:00Z"
    lists: dict[str, list[dict[str, Any]]] = {
        "channels/followers": [*followers(3), {**followers(1)[0], "followed_at": draw.any("", "1970-01-01T00:00:00Z")}],
        "subscriptions": [subscriber(1), {**subscriber(2), "tier": draw.any("", "9", None)}, subscriber(1)],
        "clips": [{**clip(n, FIRST), "duration": draw.number(), "view_count": draw.number()} for n in (1, 1, 2)],
    }
    for endpoint, rows in lists.items():
        call = {
            "endpoint": endpoint,
            "method": "GET",
            "requested_at": began,
            "retry_count": draw.any(0, -1),
            "status": 200,
        }
        page = {"kind": "page", "params": {"broadcaster_id": "1"}, "received_at": began, "status": 200, "calls": [call]}
        end = {"kind": "end", "finished_at": began, "rows": draw.any(len(rows), 0, 99), "total": draw.any(3, -1, None)}
        request = {"kind": "request", "endpoint": endpoint, "channel_id": "1", "requested_at": began}
        lines = [
            request,
            {**page, "body": {"data": rows, "total": draw.any(3, 0, -1)}},
            {**end, "is_complete": draw.any(True, False)},
        ]
        yield OddFile(endpoint.replace("/", "_") + ".jsonl", _lines(lines))
    videos = [
        {
            "id": draw.any("100", "11", ""), "stream_id": draw.any("s1", None, ""), "user_id": "1", "user_login": "h",
            "user_name": draw.name(), "title": draw.text(), "description": "",
            "created_at": f"{draw.moment():%Y-%m-%dT%H:%M:%SZ}",
            "published_at": f"{draw.moment():%Y-%m-%dT%H:%M:%SZ}", "viewable": "public", "view_count": draw.number(),
            "language": draw.any("en", ""), "type": draw.any("archive", "highlight", "upload", "odd"),
            "duration": draw.any("3h21m33s", "0s", "", "-1s", "900h", "x"),
        }
        for _ in range(5)
    ]  # fmt: skip
    yield OddFile("videos.json", _json({"data": videos, "pagination": {}}).encode())


def streampai(draw: Draw) -> Iterator[OddFile]:
    live = "11111111-aaaa-4bbb-8ccc-000000000001"
    events = [
        {
            "id": draw.any("e1", "e2", f"e{n}", ""),
            "data": draw.any(
                {}, {"amount": draw.number(), "currency": draw.any("USD", "?")},
                {"message": draw.text(), "username": draw.name(), "sender_channel_id": draw.id(), "emotes": [{}]},
            ),
            "type": draw.any("chat_message", "donation", "raid", "follow", "patreon", "odd"), "author_id": None,
            "livestream_id": draw.any(live, None), "user_id": "99999999-aaaa-4bbb-8ccc-000000000009",
            "platform": draw.any("twitch", "youtube", None, ""), "viewer_id": draw.any(None, draw.id()),
            "was_displayed": True,
            "inserted_at": f"{draw.moment():%Y-%m-%dT%H:%M:%S}",
        }
        for n in range(ROWS)
    ]  # fmt: skip
    yield OddFile("stream_events.jsonl", _lines(events))
    streams = [
        {
            "id": live, "title": draw.text(), "description": "", "category": draw.text(), "language": "en", "tags": [],
            "started_at": f"{draw.moment():%Y-%m-%dT%H:%M:%S}", "ended_at": f"{draw.moment():%Y-%m-%dT%H:%M:%S}",
            "user_id": "99999999-aaaa-4bbb-8ccc-000000000009",
        }
    ]  # fmt: skip
    yield OddFile("livestreams.jsonl", _lines(streams))
    metrics = [
        {
            "livestream_id": live, "created_at": f"{draw.moment():%Y-%m-%dT%H:%M:%S}", "youtube_viewers": draw.number(),
            "twitch_viewers": draw.number(), "facebook_viewers": None, "input_bitrate_kbps": draw.number(),
        }
        for _ in range(ROWS)
    ]  # fmt: skip
    yield OddFile("metrics.jsonl", _lines(metrics))


def tabular(draw: Draw) -> Iterator[OddFile]:
    """A table of every entity, each column anything its type can hold."""
    for entity, contract in load_contracts().items():
        schema = contract.arrow_schema
        rows = [{f.name: _value(draw, f.name, f.type) for f in schema} for _ in range(ROWS)]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink)
        written = ", ".join(f'"{n}"' for n in schema.names if n not in ("source", "landing_file", "extracted_at"))
        mapping = f"-- files: {entity}.parquet\nselect {written} from {{file}}\n"
        yield OddFile(f"{entity}.parquet", sink.getvalue().to_pybytes(), mapping=(entity, mapping))


def _value(draw: Draw, name: str, kind: pa.DataType) -> Any:
    if draw.rng.random() < 0.85:
        return _usual_value(draw, name, kind)
    if draw.rng.random() < 0.2:
        return None
    if name == "platform":
        return draw.any("youtube", "", "TWITCH")
    if pa.types.is_string(kind):
        return (
            draw.any(draw.id(), draw.id(), draw.text()) if name.endswith("_id") else draw.any(draw.name(), draw.text())
        )
    if pa.types.is_boolean(kind):
        return draw.any(True, False)
    if pa.types.is_integer(kind):
        limit = 2 ** (kind.bit_width - 1)
        return draw.any(*(n for n in NUMBERS if isinstance(n, int) and -limit <= n < limit))
    if pa.types.is_floating(kind):
        return draw.any(*map(float, NUMBERS), float("nan"), float("inf"))
    if pa.types.is_decimal(kind):
        return draw.any(Decimal(0), Decimal("-1.5"), Decimal("9.99"), Decimal(10) ** (kind.precision - kind.scale - 1))
    if pa.types.is_timestamp(kind):
        return draw.moment().replace(tzinfo=None)
    if pa.types.is_date(kind):
        return draw.any(date(2026, 1, 28), date(2026, 1, 29), date(1970, 1, 1), date(2100, 1, 1))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_value(draw, name, kind.value_type) for _ in range(draw.any(0, 1, 2))]
    if pa.types.is_struct(kind):
        return {
            kind.field(n).name: _value(draw, kind.field(n).name, kind.field(n).type) for n in range(kind.num_fields)
        }
    raise TypeError(f"{name}: nothing odd is known of {kind}")


def _usual_value(draw: Draw, name: str, kind: pa.DataType) -> Any:
    """What an export could hold; ids are few, so that rows meet."""
    if name == "platform":
        return "twitch"
    if pa.types.is_string(kind):
        return draw.any("1", "2", "100") if name.endswith("_id") else draw.any("ann", "bob", "gg", "Chess")
    if pa.types.is_boolean(kind):
        return draw.any(True, False)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return draw.any(0, 1, 5, 60, 200)
    if pa.types.is_decimal(kind):
        return draw.any(Decimal(0), Decimal("4.99"))
    if pa.types.is_timestamp(kind):
        return (FIRST + timedelta(minutes=draw.rng.randrange(4 * 1440))).replace(tzinfo=None)
    if pa.types.is_date(kind):
        return draw.any(date(2026, 1, 28), date(2026, 1, 29))
    if pa.types.is_struct(kind):
        return {
            kind.field(n).name: _value(draw, kind.field(n).name, kind.field(n).type) for n in range(kind.num_fields)
        }
    return []


WRITERS: Mapping[str, Callable[[Draw], Iterator[OddFile]]] = {
    "irc": irc,
    "chat_downloader": chat_downloader,
    "yt_dlp_live_chat": yt_dlp,
    "twitch_downloader": twitch_downloader,
    "chatterino": chatterino,
    "chat_text": chat_text,
    "twitch_dashboard": twitch_dashboard,
    "twitch_helix": helix,
    "helix_videos": helix,
    "streampai": streampai,
    "tabular": tabular,
}


def odd_files(rng: Random) -> list[OddFile]:
    """Odd files of every format."""
    draw = Draw(rng)
    return [file for write in dict.fromkeys(WRITERS.values()) for file in write(draw)]


def put(folder: Path, file: OddFile) -> tuple[Path, Path | None]:
    """Write a file with what lies beside it; returns its path, and the folder of its sidecar or mapping."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    path.write_bytes(file.content)
    if file.mapping:
        entity, sql = file.mapping
        (folder / f"{entity}.sql").write_text(sql)
        return path, folder
    if file.sidecar:
        (folder / f"{file.name}.yml").write_text(yaml.safe_dump(dict(file.sidecar)))
        return path, folder
    return path, None
