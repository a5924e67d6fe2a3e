"""The sample world's Twitch chats as TwitchDownloader writes them: chat JSON, schema 1.4.0, one file per VOD and
snapshot.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from data_lake.sample_world.clock import moment
from data_lake.sample_world.live.community import Chat, Community
from data_lake.sample_world.live.events import Notice
from data_lake.sample_world.live.schedule import Broadcast
from data_lake.sample_world.live.words import CATEGORY_IDS
from data_lake.sample_world.live.world import LiveSettings
from data_lake.sample_world.settings import uuids
from data_lake.sample_world.tables import json_text

LATE_CHANCE, AGAIN_CHANCE = 0.05, 0.04


@dataclass(frozen=True)
class Snapshot:
    """One download of a VOD's chat: when, with which title and views, and whether it updated an earlier file."""

    at: int
    title: str
    views: int
    first_at: int
    number: int

    @property
    def is_again(self) -> bool:
        return self.number > 0


def plan_snapshots(settings: LiveSettings, broadcast: Broadcast, average: float, *, again: bool) -> list[Snapshot]:
    """When the chat of a VOD was downloaded: usually once within hours, now and then weeks late or a second time."""
    # The name is part of the seed: another one would draw another world.
    rng = settings.rng("looks", broadcast.livestream_id)
    last = settings.end_s - 600
    late = rng.random() < LATE_CHANCE
    first = broadcast.end_s + int(rng.integers(20, 45) * 86_400 if late else rng.integers(1800, 6 * 3600))
    first = min(first, last)
    views = round(average * float(rng.uniform(1.5, 4)))
    second = first + int(rng.integers(2 * 86_400, 9 * 86_400))
    wants_second = again or rng.random() < AGAIN_CHANCE or broadcast.title_before is not None
    if second > last or not wants_second:
        return [Snapshot(first, broadcast.title, views, first, 0)]
    before = broadcast.title_before or broadcast.title
    return [
        Snapshot(first, before, views, first, 0),
        Snapshot(second, broadcast.title, round(views * 1.3) + 1, first, 1),
    ]


def comments_json(
    settings: LiveSettings, community: Community, broadcast: Broadcast, chat: Chat, notices: Sequence[Notice]
) -> list[str]:
    """The comments of a VOD as JSON, by time; what moderators removed is not among them."""
    rng = settings.rng("comment ids", broadcast.livestream_id)
    kept = np.flatnonzero(~chat.hidden)
    accounts, channel = community.accounts, community.channel.channel_id
    ids = uuids(rng, len(kept) + len(notices))
    seconds = np.floor(chat.at[kept]).astype(np.int64)
    milliseconds = np.floor(chat.at[kept] * 1000).astype(np.int64) + broadcast.start_s * 1000
    stamps = np.datetime_as_string(milliseconds.astype("M8[ms]")).tolist()
    who, phrase_numbers = chat.account[kept].tolist(), chat.phrase[kept].tolist()
    phrases = community.phrases
    badges = {a: json_text([{"_id": n, "version": v} for n, v in b]) for a, b in chat.badges.items()}
    head = (
        f'"channel_id":"{channel}","content_type":"video","content_id":"{broadcast.vod_id}","content_offset_seconds":'
    )
    commenters, colors = accounts.twitch_json, accounts.colors
    action = [',"is_action":true' if a else "" for a in chat.is_action[kept].tolist()]
    comments = [
        f'{{"_id":"{id_}","created_at":"{stamp}Z",{head}{second},"commenter":{commenters[account]},"message":{{'
        f'{phrases.twitch_json(phrase)},"bits_spent":{_bits(phrases.texts[phrase])},'
        f'"user_badges":{badges.get(account, "[]")},"user_color":"{colors[account]}"{is_action}}}}}'
        for id_, stamp, second, account, phrase, is_action in zip(
            ids, stamps, seconds.tolist(), who, phrase_numbers, action, strict=False
        )
    ]
    if not notices:
        return comments
    for id_, notice in zip(ids[len(kept) :], notices, strict=True):
        text = json_text(notice.text)
        stamp = f"{moment(broadcast.start_s + notice.at).isoformat(timespec='milliseconds')}Z"
        comments.append(
            f'{{"_id":"{id_}","created_at":"{stamp}",{head}{int(notice.at)},"commenter":{commenters[notice.account]},"message":{{'
            f'"body":{text},"fragments":[{{"text":{text},"emoticon":null}}],"emoticons":[],"bits_spent":0,'
            f'"user_badges":{badges.get(notice.account, "[]")},"user_color":"{colors[notice.account]}",'
            f'"user_notice_params":{{"msg_id":"{notice.kind}"}}}}}}'
        )
    when = np.concatenate([seconds, np.array([int(n.at) for n in notices], np.int64)])
    return [comments[i] for i in np.argsort(when, kind="stable").tolist()]


def _bits(text: str) -> int:
    """As the tool finds them: the number of a cheer in the text."""
    return int(text[5:].split(" ", 1)[0]) if text.startswith("Cheer") else 0


def write_chat_files(
    folder: Path, community: Community, broadcast: Broadcast, snapshots: Sequence[Snapshot], comments: Sequence[str]
) -> Iterator[tuple[Path, datetime]]:
    """One file per snapshot, with when it was exported; every third VOD is gzipped."""
    channel = community.channel
    body = ",".join(comments).encode()
    day = moment(broadcast.start_s).date().isoformat()
    for snapshot in snapshots:
        zone = ZoneInfo(broadcast.creator.time_zone)
        updated = {"UpdatedAt": _local(snapshot.at, zone)} if snapshot.is_again and broadcast.number % 2 else {}
        file_info = {
            "Version": {"Major": 1, "Minor": 4, "Patch": 0},
            "CreatedAt": _local(snapshot.first_at if updated else snapshot.at, zone),
            **updated,
        }
        head = {
            "FileInfo": file_info,
            "streamer": {"name": channel.display_name, "login": channel.login, "id": int(channel.channel_id)},
            "clipper": None,
            "video": {
                "title": snapshot.title,
                "description": None,
                "id": broadcast.vod_id,
                "created_at": f"{moment(broadcast.start_s).isoformat()}Z",
                "start": 0.0,
                "end": float(broadcast.duration_s),
                "length": float(broadcast.duration_s),
                "viewCount": snapshot.views,
                "game": broadcast.category,
                "chapters": _chapters(broadcast),
            },
        }
        content = json_text(head)[:-1].encode() + b',"comments":[' + body + b'],"embeddedData":null}'
        suffix = ".json.gz" if broadcast.number % 3 == 1 else ".json"
        again = f"_{snapshot.number + 1}" if snapshot.is_again else ""
        path = folder / f"{channel.login}_{day}_v{broadcast.vod_id}{again}{suffix}"
        path.write_bytes(gzip.compress(content, 1, mtime=0) if suffix.endswith("gz") else content)
        yield path, moment(snapshot.at)


def _local(seconds: int, zone: ZoneInfo) -> str:
    """Local time with offset and seven decimals, as .NET writes it."""
    text = datetime.fromtimestamp(seconds, zone).isoformat()
    return f"{text[:19]}.{seconds % 9_999_991:07d}{text[19:]}"


def _chapters(broadcast: Broadcast) -> list[dict[str, object]]:
    return [
        {
            "id": f"{broadcast.vod_id}{number:02d}",
            "startMilliseconds": first * 1000,
            "lengthMilliseconds": (last - first) * 1000,
            "type": "GAME_CHANGE",
            "description": category,
            "subDescription": "",
            "thumbnailUrl": None,
            "gameId": CATEGORY_IDS[category],
            "gameDisplayName": category,
            "gameBoxArtUrl": None,
        }
        for number, (first, last, category) in enumerate(broadcast.segments)
    ]
