"""Pull files of the Twitch Helix client: pages as received, with the calls they took (see `clients.pull_file`).

One file is one snapshot of one list. Its rows are seen at the moment the snapshot began, so that a row that came twice,
because pages shifted or the list was walked again, is one row; samples of viewers are seen when their page came. A file
without its end is an incomplete snapshot.
"""

from __future__ import annotations

import json

from data_lake.sources.base import Evidence, Head, Source, reader_of
from data_lake.sources.live.twitch_helix.rows import READERS


def recognise(head: Head) -> str | None:
    """'a pull of Twitch ...' when the first line is the request of a pull file."""
    first = head.text.lstrip("\ufeff").partition("\n")[0]
    if not first.startswith('{"kind": "request"'):
        return None
    try:
        request = json.loads(first)
    except (ValueError, RecursionError):
        return None
    # Endpoints of other platforms have the same names; the first pull files did not name theirs.
    if request.get("platform", "twitch") != "twitch" or request.get("endpoint") not in {*READERS, "videos"}:
        return None
    return f"a pull of Twitch {request['endpoint']}"


SOURCE = Source(
    name="twitch_helix",
    world="live",
    version=2,
    entities=(
        "api_calls",
        "bans",
        "channel_snapshots",
        "channel_roles",
        "channels",
        "chatter_presence",
        "clips",
        "follows",
        "moderation_actions",
        "scheduled_streams",
        "streams",
        "subscriptions",
        "videos",
        "viewer_counts",
        "viewers",
    ),
    evidence=Evidence.MARK,
    trust=100,
    looks_for='a pull file of this program: its first line begins with {"kind": "request"',
    recognise=recognise,
    parse=reader_of(__name__),
)
