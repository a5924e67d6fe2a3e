"""What Chatterino says itself among the messages of a log: moderation, subscriptions, raids, and talk of its own.

Sentences are those of Chatterino's MessageBuilder and eventsub/MessageBuilder, of 2018 to 2026. What a moderator does
stands in the moderator's name (`mod: mod timed out bob for 10m. `), as a chat message would; it ends in the blank that
follows every part of such a sentence, which no chat message can have, since Twitch takes it away.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import Any

from data_lake.sources.reading.twitch_notices import Notices

# A cheap test that passes what the program says in somebody's name (RE2), and the texts one of which each holds that
# does not end in a blank.
SIGNS = (b" added ", b" removed ", b" renamed ", b" switched ", b": AutoMod: ")
MAY_BE_TOLD = r" $|^\w+ (?:added|removed|renamed|switched) |^AutoMod: "

_MOD, _USER, _CHANNEL = r"(?P<mod>\w+)", r"(?P<user>\w+)", r"(?: in \w+)?"
_FOR = r"for (?P<length>(?:\d+[wdhms] ?)+?)"
_WHY = r"(?:\.|: ?(?P<reason>.*?))"
_TIMES = r"(?: \((?:multiple|\d+) times\))?"
_ACTIONS = {
    "ban": (
        rf"{_USER} has been permanently banned\.",
        rf"{_MOD} (?:permanently )?banned {_USER}{_CHANNEL}{_WHY}",
        rf"You were banned(?: by {_MOD})?{_WHY}",
    ),
    "timeout": (
        rf"{_USER} has been timed out(?: {_FOR})?\.",
        rf"{_MOD} timed out {_USER} {_FOR}{_CHANNEL}{_WHY}",
        rf"You were timed out {_FOR}(?: by {_MOD})?{_WHY}",
    ),
    "unban": (rf"{_MOD} (?:unbanned|untimedout) {_USER}{_CHANNEL}\.",),
    "clear": (r"Chat has been cleared by a moderator\.", rf"{_MOD} cleared the chat\."),
    "delete": (rf"{_MOD} deleted message from {_USER} saying .*", rf"A message from {_USER} was deleted:.*"),
    "warn": (rf"{_MOD} has warned {_USER}{_WHY}",),
    "mod": (rf"{_MOD} modded {_USER}\.",),
    "unmod": (rf"{_MOD} unmodded {_USER}\.",),
    "vip": (rf"{_MOD} has added {_USER} as a VIP of this channel\.",),
    "unvip": (rf"{_MOD} has removed {_USER} as a VIP of this channel\.",),
}
_SENTENCES = [(kind, re.compile(text + _TIMES, re.DOTALL)) for kind, forms in _ACTIONS.items() for text in forms]
_RAID = re.compile(r"(?P<count>\d{1,7}) raiders from (?P<user>\w+) have joined")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
# What Chatterino says about its connection, the room and emotes; announcements and rewards whose text follows.
_SILENT = re.compile(
    r"(?:joined|parted|connected|disconnected|reconnected|joining|now in |this room is |this chat is |announcement$|"
    r"\w+ is (?:now )?(?:live|offline)|users (?:joined|parted)|live now|login expired|"
    r"\w+ turned (?:on|off) [\w-]+ mode\.|\w+ (?:enabled|disabled) [\w -]+ mode|"
    r"(?:\w+ )?(?:added|removed|renamed) (?:7TV|BTTV|FFZ|BetterTTV) emotes? |\w+ switched the active 7TV Emote Set |"
    r"\w+ (?:added|removed) .* on AutoMod\.|\w+ added \w+ as a \w+ suspicious chatter|"
    r"\w+ removed \w+ from the suspicious user list|"
    r"\w+ (?:initiated a raid to|canceled the raid)|\w+ (?:approved|denied) the unban request from |"
    r"suspicious user: |automod: |redeemed |\w+ redeemed |now hosting |\w+ followed the channel|pinned |"
    r"\w+ just earned a new [\d,.]+ bits badge|your connection to this channel|you were banned from this channel|"
    r"you are (?:timed out|now|permanently)|\w+ has gone offline|messages? from before)",
    re.IGNORECASE,
)


class Sentences:
    """Reads the lines that are no messages: rows of moderation and events, and which sentences are unknown.

    Each row is with the place of its line in the batch.
    """

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self.actions: list[tuple[int, dict[str, Any]]] = []
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.unknown: list[int] = []

    def read(self, place: int, sentence: str, moment: datetime | None) -> None:
        """Take up a line that nobody is said to have written."""
        sentence = sentence.strip()
        if self._is_action(place, sentence):
            return
        seconds = 0.0 if moment is None else moment.timestamp()
        events = self._notices.read("", sentence, seconds)
        if events is not None:
            for event in events:
                row = {**asdict(event), "viewer_id": _id(event.viewer), "gift_recipient_id": _id(event.recipient)}
                row["viewer_login"] = event.viewer.lower() if event.viewer else None
                self.events.append((place, row))
        elif raid := _RAID.match(sentence):
            row = {"event_type": "raid", "raid_viewer_count": int(raid["count"]), "viewer_id": _id(raid["user"])}
            self.events.append((place, {**row, "viewer_login": raid["user"].lower()}))
        elif not _SILENT.match(sentence):
            self.unknown.append(place)

    def is_told(self, place: int, login: str, text: str) -> bool:
        """Whether what stands in somebody's name is the program's, and no message; takes it up if so."""
        is_of_writer = text.startswith(f"{login} ")
        if is_of_writer and text.endswith(" ") and self._is_action(place, text.strip()):
            return True
        return (is_of_writer or login == "automod") and _SILENT.match(text) is not None

    def _is_action(self, place: int, sentence: str) -> bool:
        for kind, pattern in _SENTENCES:
            if match := pattern.fullmatch(sentence):
                self.actions.append((place, _action(kind, match.groupdict())))
                return True
        return False


def _id(name: str | None) -> str | None:
    return f"login:{name.lower()}" if name else None


def _action(kind: str, groups: dict[str, str | None]) -> dict[str, Any]:
    parts = re.findall(r"(\d+)([wdhms])", groups.get("length") or "")
    reason = (groups.get("reason") or "").strip()
    quoted = re.fullmatch(r'"(.*)"\.', reason, re.DOTALL)
    return {
        "action_type": kind,
        "target_viewer_id": _id(groups.get("user")),
        "moderator_id": _id(groups.get("mod")),
        "duration_seconds": float(sum(int(n[:9]) * _SECONDS[unit] for n, unit in parts)) if parts else None,
        "reason": (quoted[1] if quoted else reason) or None,
    }
