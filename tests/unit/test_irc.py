"""Raw IRC logs and the JSON of justlog and rustlog: small logs with every trap named."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from data_lake.sources.live.irc import SOURCE
from tests.unit.live_formats import Read

SPOKEN = (
    "@badge-info=subscriber/14;badges=subscriber/12,premium/1;client-nonce=abc;color=#1E90FF;display-name=Ann;emotes=;"
    "first-msg=0;flags=;id=m-1;mod=0;returning-chatter=0;room-id=9;subscriber=1;tmi-sent-ts=1700000000123;turbo=0;"
    "user-id=7;user-type= :ann!ann@ann.tmi.twitch.tv PRIVMSG #house :hello"
)


def tagged(command: str, text: str | None = None, nick: str = "ann", **tags: Any) -> str:
    """One line; in the names of tags underscores stand for dashes."""
    base: dict[str, Any] = {"room_id": 9, "tmi_sent_ts": 1700000000123, **tags}
    written = ";".join(f"{name.replace('_', '-')}={value}" for name, value in base.items() if value is not None)
    sender = f"{nick}!{nick}@{nick}.tmi.twitch.tv" if command == "PRIVMSG" else "tmi.twitch.tv"
    return f"@{written} :{sender} {command} #house" + (f" :{text}" if text is not None else "")


def chat(text: str, **tags: Any) -> str:
    return tagged("PRIVMSG", text, **{"id": "m-1", "user_id": 7, "display_name": "Ann", **tags})


def notice(kind: str, text: str | None = None, **tags: Any) -> str:
    return tagged("USERNOTICE", text, **{"id": "n-1", "user_id": 7, "login": "ann", "msg_id": kind, **tags})


def params(**named: Any) -> dict[str, Any]:
    """msg-param tags, whose names mix dashes and capitals."""
    return {f"msg-param-{name.replace('_', '-')}": value for name, value in named.items()}


def read(tmp_path: Path, *lines: str, **sidecar: Any) -> Read:
    return Read(SOURCE, tmp_path, "\r\n".join(lines) + "\r\n", sidecar)


def test_a_message_keeps_everything_its_tags_say(tmp_path: Path) -> None:
    (row,) = read(tmp_path, SPOKEN).messages
    assert row | {"_text": None} == {
        "platform": "twitch",
        "stream_id": None,
        "message_id": "m-1",
        "sent_at": datetime(2023, 11, 14, 22, 13, 20, 123000),
        "channel_id": "9",
        "viewer_id": "7",
        "viewer_login": "ann",
        "viewer_display_name": "Ann",
        "text": "hello",
        "emotes": None,
        "badges": [{"name": "subscriber", "version": "12"}, {"name": "premium", "version": "1"}],
        "message_type": "chat",
        "is_action": False,
        "bits_count": None,
        "reply_to_message_id": None,
        "is_first_message": False,
        "is_moderator": False,
        "is_subscriber": True,
        "is_vip": False,
        "is_bot": None,
        "shared_from_channel_id": None,
        "extra": '{"badge-info":"subscriber/14","color":"#1E90FF"}',
        "_row": 1,
        "_text": None,
        "_problem": None,
    }


def test_tags_in_any_order_and_unknown_tags_give_the_same_row(tmp_path: Path) -> None:
    head, rest = SPOKEN[1:].split(" :", 1)
    turned = "@new-tag=x;" + ";".join(reversed(head.split(";"))) + " :" + rest
    first, second = read(tmp_path, SPOKEN, turned).messages
    assert first | {"_row": 2} == second


def test_a_log_of_many_orders_of_tags_is_read_whole(tmp_path: Path) -> None:
    tags = [
        "id={0}",
        "user-id={0}",
        "room-id=9",
        "tmi-sent-ts=1700000000000",
        "mod=1",
        "subscriber=0",
        "display-name=D{0}",
    ]
    lines = []
    for number in range(40):
        turn = number % len(tags)
        order = [tag.format(number) for tag in tags[turn:] + tags[:turn]]
        lines.append(f"@{';'.join(order)} :ann!ann@x PRIVMSG #house :t{number}")
    rows = sorted(read(tmp_path, *lines).messages, key=lambda row: row["_row"])
    assert [(r["message_id"], r["viewer_id"], r["viewer_display_name"], r["text"]) for r in rows] == [
        (str(n), str(n), f"D{n}", f"t{n}") for n in range(40)
    ]
    assert all(r["is_moderator"] and not r["is_subscriber"] for r in rows)


def test_plain_messages_are_the_same_by_the_fast_and_the_slow_path(tmp_path: Path) -> None:
    taggings = [
        {},
        {"emotes": "25:0-4,6-10/1902:12-16"},
        {"emotes": "25:4-2/26:90-99"},
        {"emotes": ""},
        {"badges": "vip/1,moderator/1", "mod": "1"},
        {"badges": "bot-badge/1"},
        {"badges": "", "badge_info": "", "color": ""},
        {"color": ""},
        {"badge_info": ""},
        {"first_msg": "1", "subscriber": ""},
        {"display_name": ""},
        {"room_id": ""},
        {"user_id": ""},
        {"id": ""},
        {"tmi_sent_ts": "soon"},
        {"tmi_sent_ts": "999999999999999"},
    ]
    names = (
        "badge_info",
        "badges",
        "color",
        "display_name",
        "emotes",
        "first_msg",
        "id",
        "mod",
        "room_id",
        "subscriber",
    )
    usual = dict.fromkeys(names, "0") | {"display_name": "Änn", "tmi_sent_ts": "1700000000000", "user_id": "7"}
    texts = ["Kappa Kappa PogCh :) ;=", "日本 Kappa 👍 x", " :two  spaces ", "", "\x01ACTION waves\x01"]
    lines = [
        "@"
        + ";".join(f"{name.replace('_', '-')}={value}" for name, value in {**usual, **tags}.items())
        + f" :Ann!a@b {rest}"
        for tags in taggings
        for rest in [*(f"PRIVMSG #House :{text}" for text in texts), "PRIVMSG #house word", "PART #house"]
    ]
    fast = read(tmp_path, *lines)
    slow = Read(SOURCE, tmp_path, "\r\n".join(line.replace(";id=", ";vip=0;id=") for line in lines))
    assert len(fast.messages) > 50
    for by_fast, by_slow in ((fast.messages, slow.messages), (fast.bad, slow.bad)):
        rows_of_both = [
            sorted(({**row, "_text": None} for row in rows), key=lambda row: row["_row"]) for rows in (by_fast, by_slow)
        ]
        assert rows_of_both[0] == rows_of_both[1]
    for entity in ("channels", "viewers"):
        assert fast.rows(entity) == slow.rows(entity)


def test_escapes_of_tags_are_undone(tmp_path: Path) -> None:
    (row,) = read(tmp_path, chat("x", display_name=r"a\sb\:c\\d\se\q")).messages
    assert row["viewer_display_name"] == r"a b;c\d eq"


def test_emote_places_count_code_points(tmp_path: Path) -> None:
    (row,) = read(tmp_path, chat("👍🏽 Kappa e\u0301 Keepo Kappa", emotes="25:3-7,18-22/1902:12-16")).messages
    places = [(e["name"], e["id"], e["start"], e["end"]) for e in row["emotes"]]
    assert places == [("Kappa", "25", 3, 7), ("Kappa", "25", 18, 22), ("Keepo", "1902", 12, 16)]
    assert all(row["text"][s : e + 1] == name for name, _, s, e in places)


def test_an_emote_whose_place_is_no_place_costs_nothing(tmp_path: Path) -> None:
    (row,) = read(tmp_path, chat("Kappa", emotes="25:9-2,x,99999999999-1/7")).messages
    assert row["text"] == "Kappa"
    assert {e["name"] for e in row["emotes"]} == {None}


def test_me_is_an_action_and_its_emotes_stand_in_the_text_without_the_mark(tmp_path: Path) -> None:
    (row,) = read(tmp_path, chat("\x01ACTION waves Kappa\x01", emotes="25:6-10")).messages
    assert (row["text"], row["is_action"], row["message_type"]) == ("waves Kappa", True, "action")
    assert row["emotes"][0]["name"] == "Kappa"


def test_a_text_may_hold_what_separates_elsewhere(tmp_path: Path) -> None:
    (row,) = read(tmp_path, chat("a :b; c=d :PRIVMSG #x :@y")).messages
    assert row["text"] == "a :b; c=d :PRIVMSG #x :@y"


def test_bits_replies_and_first_messages(tmp_path: Path) -> None:
    (row,) = read(tmp_path, chat("Cheer100", bits=100, reply_parent_msg_id="m-0", first_msg=1)).messages
    assert (row["bits_count"], row["reply_to_message_id"], row["is_first_message"]) == (100, "m-0", True)


@pytest.mark.parametrize("tag", ["vip=1", "vip=", "vip"])
def test_a_vip_is_one_with_or_without_a_value(tmp_path: Path, tag: str) -> None:
    (row,) = read(tmp_path, chat("x").replace("@", f"@{tag};", 1)).messages
    assert row["is_vip"]


def test_a_mirrored_message_of_a_shared_chat_names_the_channel_it_was_written_in(tmp_path: Path) -> None:
    own, mirrored = read(
        tmp_path, chat("x", source_room_id=9, source_id="m-1"), chat("y", id="m-2", source_room_id=10, source_id="o-2")
    ).messages
    assert own["shared_from_channel_id"] is None
    assert (mirrored["shared_from_channel_id"], mirrored["channel_id"], mirrored["message_id"]) == ("10", "9", "m-2")
    assert json.loads(mirrored["extra"]) == {"source-id": "o-2"}


def test_a_mirrored_notice_is_the_other_channels_event_under_its_own_id(tmp_path: Path) -> None:
    line = notice(
        "sharedchatnotice",
        source_msg_id="sub",
        source_room_id=10,
        source_id="o-1",
        **params(cumulative_months=1, sub_plan=1000),
    )
    (event,) = read(tmp_path, line, stream_id="s-1").events
    assert (event["event_id"], event["channel_id"], event["event_type"]) == ("o-1", "10", "subscription")
    assert event["stream_id"] is None


@pytest.mark.parametrize(
    ("kind", "tags", "expected"),
    [
        (
            "sub",
            {"cumulative_months": 1, "sub_plan": "Prime"},
            {"event_type": "subscription", "tier": "prime", "month_count": 1},
        ),
        (
            "resub",
            {"cumulative_months": 30, "sub_plan": 2000},
            {"event_type": "resubscription", "tier": "2000", "month_count": 30},
        ),
        (
            "giftpaidupgrade",
            {"sender_login": "bob"},
            {"event_type": "subscription", "extra": '{"converted_from":"gift"}'},
        ),
        ("primepaidupgrade", {"sub_plan": 1000}, {"event_type": "subscription", "extra": '{"converted_from":"prime"}'}),
        (
            "raid",
            {"viewerCount": 321, "login": "ann"},
            {"event_type": "raid", "raid_viewer_count": 321, "viewer_id": "7"},
        ),
        (
            "ritual",
            {"ritual_name": "new_chatter"},
            {"event_type": "ritual", "extra": '{"msg-param-ritual-name":"new_chatter"}'},
        ),
        ("viewermilestone", {"category": "watch-streak", "value": 5}, {"event_type": "viewermilestone"}),
        ("something-new", {"x": 1}, {"event_type": "something-new", "extra": '{"msg-param-x":"1"}'}),
    ],
)
def test_each_kind_of_notice_is_its_event(
    tmp_path: Path, kind: str, tags: dict[str, Any], expected: dict[str, Any]
) -> None:
    parsed = read(tmp_path, notice(kind, **params(**tags)))
    assert not parsed.bad
    (event,) = parsed.events
    assert {name: event[name] for name in expected} == expected
    assert (event["event_id"], event["viewer_login"], event["channel_id"]) == ("n-1", "ann", "9")


def test_announced_gifts_count_as_they_are_given_and_share_their_group(tmp_path: Path) -> None:
    group = r"da\s39\sa3"
    gift = params(origin_id=group, recipient_id=55, recipient_user_name="bob", sub_plan=1000, months=3)
    events = read(
        tmp_path,
        notice("submysterygift", **params(mass_gift_count=2, origin_id=group, sub_plan=1000)),
        notice("subgift", **{"id": "g-1"}, **gift),
        notice("subgift", **{"id": "g-2"}, **(gift | params(recipient_id=56))),
    ).events
    assert [(e["event_id"], e["gift_count"], e["gift_recipient_id"], e["month_count"]) for e in events] == [
        ("g-1", 1, "55", None),
        ("g-2", 1, "56", None),
    ]
    assert {e["gift_group_id"] for e in events} == {"da 39 a3"}


@pytest.mark.parametrize("tags", [{"msg_id": "anonsubgift"}, {"user_id": 274598607, "login": "ananonymousgifter"}])
def test_an_anonymous_gift_has_no_giver(tmp_path: Path, tags: dict[str, Any]) -> None:
    (event,) = read(tmp_path, notice("subgift", **tags, **params(recipient_id=55))).events
    assert (event["viewer_id"], event["viewer_login"], event["gift_recipient_id"]) == (None, None, "55")


def test_a_charity_donation_has_its_amount_in_its_currency(tmp_path: Path) -> None:
    line = notice("charitydonation", **params(donation_amount=1050, donation_currency="eur", exponent=2))
    (event,) = read(tmp_path, line).events
    assert (event["event_type"], str(event["amount"]), event["currency"]) == ("donation", "10.5000", "EUR")


def test_an_announcement_is_a_message(tmp_path: Path) -> None:
    parsed = read(tmp_path, notice("announcement", "read this", **params(color="PRIMARY")))
    (row,) = parsed.messages
    assert (row["text"], row["message_type"], row["viewer_login"]) == ("read this", "announcement", "ann")
    assert not parsed.events


def test_moderation_is_told_apart_by_what_is_missing(tmp_path: Path) -> None:
    actions = read(
        tmp_path,
        tagged("CLEARCHAT", "bob", target_user_id=8, ban_duration=350),
        tagged("CLEARCHAT", "bob", target_user_id=8),
        tagged("CLEARCHAT"),
        tagged("CLEARMSG", "bad words", room_id="", login="bob", target_msg_id="m-7"),
        chat("so that the id of the room is known"),
    ).actions
    kinds = [(a["action_type"], a["duration_seconds"], a["target_viewer_id"], a["target_message_id"]) for a in actions]
    assert kinds == [
        ("timeout", 350.0, "8", None),
        ("ban", None, "8", None),
        ("clear", None, None, None),
        ("delete", None, "login:bob", "m-7"),
    ]
    assert {a["channel_id"] for a in actions} == {"9"}


def test_a_room_state_is_a_snapshot_of_the_channel_with_its_last_settings(tmp_path: Path) -> None:
    (channel,) = read(
        tmp_path,
        "@emote-only=0;followers-only=-1;r9k=0;room-id=9;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #House",
        "@room-id=9;slow=30 :tmi.twitch.tv ROOMSTATE #house",
    ).rows("channels")
    assert (channel["channel_id"], channel["login"]) == ("9", "house")
    assert json.loads(channel["extra"]) == {
        "emote-only": "0",
        "followers-only": "-1",
        "r9k": "0",
        "slow": "30",
        "subs-only": "0",
    }


def test_viewers_are_seen_as_they_were_last(tmp_path: Path) -> None:
    parsed = read(
        tmp_path, chat("x"), chat("y", id="m-2", display_name="ANN"), chat("z", id="m-3", user_id=8, nick="bob")
    )
    assert [(v["viewer_id"], v["login"], v["display_name"]) for v in parsed.rows("viewers")] == [
        ("7", "ann", "ANN"),
        ("8", "bob", "Ann"),
    ]


def test_what_a_connection_says_about_itself_is_no_row_and_what_is_nothing_is_told(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        "PING :tmi.twitch.tv",
        ":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!",
        ":ann!ann@ann.tmi.twitch.tv JOIN #house",
        "@msg-id=slow_off :tmi.twitch.tv NOTICE #house :This room is no longer in slow mode.",
        "",
        chat("kept"),
        ":ann!ann@ann.tmi.twitch.tv PRIVMSG #house :no time",
        chat("no time", tmi_sent_ts="soon"),
        "@room-id=9;tmi-sent-ts=1700000000000 :tmi.twitch.tv SHOUT #house :x",
        "garbage in the log",
    )
    assert [m["text"] for m in parsed.messages] == ["kept"]
    assert [
        (row["_row"], row["_problem"].split(" (")[0]) for row in sorted(parsed.bad, key=lambda row: row["_row"])
    ] == [
        (7, "nothing says when it was sent"),
        (8, "nothing says when it was sent"),
        (9, "the IRC command SHOUT is unknown"),
        (10, "the line is not an IRC message; expected @tags :sender COMMAND #channel :text"),
    ]
    assert parsed.bad[-1]["_text"]


def as_json(raw: str, **more: Any) -> dict[str, Any]:
    """A message of rustlog's full form."""
    return {
        "text": "x",
        "displayName": "Ann",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "id": "m-1",
        "tags": {},
        "username": "ann",
        "channel": "house",
        "raw": raw,
        "type": 1,
        **more,
    }


BASIC = {
    "text": "hello",
    "displayName": "Ann",
    "timestamp": "2023-11-14T22:13:20.123Z",
    "id": "m-1",
    "tags": {
        "badge-info": "subscriber/14",
        "badges": "subscriber/12,premium/1",
        "color": "#1E90FF",
        "display-name": "Ann",
        "first-msg": "0",
        "id": "m-1",
        "mod": "0",
        "room-id": "9",
        "subscriber": "1",
        "tmi-sent-ts": "1700000000123",
        "user-id": "7",
        "emotes": "",
    },
}


@pytest.mark.parametrize("separator", ["\n", None])
def test_json_and_ndjson_give_the_rows_of_the_raw_line(tmp_path: Path, separator: str | None) -> None:
    elements = [as_json(SPOKEN), BASIC]
    content = json.dumps({"messages": elements}) if separator is None else separator.join(map(json.dumps, elements))
    parsed = Read(SOURCE, tmp_path, content)
    (raw,) = read(tmp_path, SPOKEN).messages
    assert parsed.what
    assert ("ndjson" in parsed.what) == (separator is not None)
    for row in parsed.messages:
        assert row | {"_row": 1} == raw
    assert len(parsed.messages) == 2


def test_the_basic_form_of_other_commands_is_told_by_the_tags(tmp_path: Path) -> None:
    tags = {"room-id": "9", "tmi-sent-ts": "1700000000123"}
    elements = [
        {
            "text": "bob has been timed out for 350 seconds",
            "displayName": "",
            "id": "",
            "timestamp": "2023-11-14T22:13:20Z",
            "tags": {**tags, "ban-duration": "350", "target-user-id": "8"},
        },
        {
            "text": "ann has subscribed for 3 months! hi there",
            "displayName": "Ann",
            "id": "n-1",
            "timestamp": "2023-11-14T22:13:20Z",
            "tags": {
                **tags,
                "system-msg": "ann has subscribed for 3 months!",
                "msg-id": "resub",
                "user-id": "7",
                "login": "ann",
                "msg-param-cumulative-months": "3",
            },
        },
    ]
    parsed = Read(SOURCE, tmp_path, json.dumps({"messages": elements}))
    assert [(a["action_type"], a["target_viewer_id"]) for a in parsed.actions] == [("timeout", "8")]
    assert [(e["event_type"], e["message_text"], e["month_count"]) for e in parsed.events] == [
        ("resubscription", "hi there", 3)
    ]


def test_a_broken_element_costs_no_other(tmp_path: Path) -> None:
    content = '{"messages":[' + ",".join([json.dumps(as_json(SPOKEN)), '{"raw": "@x', json.dumps(BASIC), "5", "[]"])
    parsed = Read(SOURCE, tmp_path, content + "]}")
    assert len(parsed.messages) == 2
    assert len(parsed.bad) >= 1


def test_other_text_is_not_taken_for_irc(tmp_path: Path) -> None:
    for content in ("[0:00:01] ann: hello\n" * 5, '{"comments": []}', "a,b\n1,2\n", "@someone :hello there all\n"):
        assert Read(SOURCE, tmp_path, content).what is None
