"""Subscription and gift notices that stand in a chat log as ordinary lines, and the events they report.

Twitch writes these sentences itself, so a notice is a line that begins with the whole sentence, name first; a quoted or
retold one stays chat. It belongs to the viewer it names, who need not be the sender of the line.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.reading.spans import Mask, Positions, holding, octets_of

# A cheap test that every notice passes (RE2 syntax), and the texts one of which each holds that passes it.
_CANDIDATE = r" (?:subscribed (?:with|at)|converted from a|gifted (?:a|\d)|is gifting \d|is continuing the Gift) "
_SIGNS = (b" subscribed ", b" converted from a", b" gifted ", b" is gifting ", b" is continuing the Gift")

# The account Twitch shows as the giver of anonymous gifts.
ANONYMOUS_GIFTER = "274598607"

# Gifts of one announcement arrive within seconds; later ones by the same viewer are gifts of their own.
GROUP_SECONDS = 300

_NAME = r"(?P<viewer>\w{1,60})"
_GIVER = r"(?:(?P<anonymous>An anonymous user)|(?P<viewer>\w{1,60}))"
_TOTAL = r"(?P<total>(?: +(?:They|This)\b[^!.]*[!.])*)\s*$"
_MESSAGE = r"(?:\s+(?P<text>\S.*?))?\s*$"
_SUBSCRIBED = re.compile(
    _NAME + r" subscribed (?:with (?P<prime>Prime)|at Tier (?P<tier>[123]))\."
    r"(?: They've subscribed for (?P<months>\d{1,4}) months?(?:, currently on a (?P<streak>\d{1,4}) month streak)?!)?"
    + _MESSAGE,
    re.DOTALL,
)
_CONVERTED = re.compile(_NAME + r" converted from a Prime sub to a Tier (?P<tier>[123]) sub!" + _MESSAGE, re.DOTALL)
_CONTINUED = re.compile(_NAME + r" is continuing the Gift Sub they got from (?:an anonymous user|\w{1,60})!\s*$")
_GIFTED = re.compile(
    _GIVER + r" gifted (?:a Tier (?P<tier>[123]) sub"
    r"|(?P<months>\d{1,3}) months of (?:a )?Tier (?P<months_tier>[123])(?: sub)?)"
    r" to (?P<recipient>\w{1,60})[!.]" + _TOTAL
)
_GIFTING = re.compile(
    _GIVER + r" is gifting (?P<count>\d{1,6}) Tier (?P<tier>[123]) Subs? to \w{1,60}'s community!" + _TOTAL
)


def may_be_notices(texts: pa.StringArray) -> Positions:
    """The few texts of a column that may be notices, by their places."""
    octets, starts, _ = octets_of(texts)
    rows = holding(octets, starts, _SIGNS)
    if not len(rows):
        return rows
    passes: Mask = pc.match_substring_regex(texts.take(pa.array(rows)), _CANDIDATE).to_numpy(zero_copy_only=False)
    return rows[passes]


@dataclass(frozen=True)
class Event:
    """One event a notice reports, in the words of the stream_events contract; names as they are written.

    `viewer` and `recipient` are names, not ids; `extra` holds what the contract has no column for.
    """

    event_type: str
    viewer: str | None
    tier: str | None = None
    month_count: int | None = None
    gift_count: int | None = None
    gift_group_id: str | None = None
    recipient: str | None = None
    message_text: str | None = None
    extra: str | None = None


@dataclass
class _Group:
    id: str
    left: int
    until: float


@dataclass
class Notices:
    """Reads the notices of one log, line by line in order; remembers which announced gifts are still to come.

    `context` names the stream; a group's id is a hash of it and of the announcement, so that two exports of one chat
    give the same id.
    """

    context: str
    _groups: dict[tuple[str, str], _Group] = field(default_factory=dict)
    _announced: dict[str, int] = field(default_factory=dict)

    def read(self, sender: str, text: str, seconds: float) -> list[Event] | None:
        """The events a line reports: none when it only announces gifts to come; None when the line is chat.

        `seconds` is the line's time on any clock.
        """
        if found := _GIFTED.match(text):
            return [self._gift(sender, found, seconds)]
        if found := _GIFTING.match(text):
            self._announce(sender, found, text, seconds)
            return []
        if found := _SUBSCRIBED.match(text):
            return [_subscription(found)]
        if found := _CONVERTED.match(text):
            said, tier = _extra(converted_from="prime"), _tier(found["tier"])
            return [Event("subscription", found["viewer"], tier, message_text=found["text"], extra=said)]
        if found := _CONTINUED.match(text):
            return [Event("subscription", found["viewer"], extra=_extra(converted_from="gift"))]
        return None

    def _announce(self, sender: str, found: re.Match[str], text: str, seconds: float) -> None:
        said = f"{self.context}\x1f{seconds}\x1f{sender.lower()}\x1f{text.strip()}"
        nth = self._announced[said] = self._announced.get(said, 0) + 1
        group = "synthetic:" + hashlib.md5(f"{said}\x1f{nth}".encode(), usedforsecurity=False).hexdigest()
        self._groups[sender.lower(), found["tier"]] = _Group(group, int(found["count"]), seconds + GROUP_SECONDS)

    def _gift(self, sender: str, found: re.Match[str], seconds: float) -> Event:
        tier = found["tier"] or found["months_tier"]
        # A gift that states the giver's total stands alone. Anonymous gifts and their announcement share the sender.
        group = None if found["total"] else self._groups.get((sender.lower(), tier))
        if group and (group.left == 0 or seconds > group.until):
            group = None
        if group:
            group.left -= 1
        total = re.search(r"\d+", found["total"] or "")
        return Event(
            "gift",
            found["viewer"],
            tier=_tier(tier),
            gift_count=1,
            gift_group_id=group.id if group else None,
            recipient=found["recipient"],
            extra=_extra(
                gift_months=int(found["months"]) if found["months"] else None,
                giver_total_count=int(total[0]) if total else None,
            ),
        )


def _subscription(found: re.Match[str]) -> Event:
    months = int(found["months"]) if found["months"] else None
    return Event(
        "resubscription" if months and months > 1 else "subscription",
        found["viewer"],
        tier="prime" if found["prime"] else _tier(found["tier"]),
        month_count=months,
        message_text=found["text"],
        extra=_extra(streak_months=int(found["streak"]) if found["streak"] else None),
    )


def _tier(number: str) -> str:
    return f"{number}000"


def _extra(**fields: Any) -> str | None:
    said = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(said, sort_keys=True) if said else None
