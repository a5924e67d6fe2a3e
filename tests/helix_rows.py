"""Rows as Helix gives them, for a `World` in tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def user(number: int | str) -> Row:
    return {"user_id": str(number), "user_login": f"viewer{number}", "user_name": f"Viewer{number}"}


def profile(channel_id: str, login: str) -> Row:
    return {
        "id": channel_id, "login": login, "display_name": login.title(), "type": "", "broadcaster_type": "affiliate",
        "description": "", "profile_image_url": "", "offline_image_url": "", "view_count": 0,
        "created_at": "2020-01-01T00:00:00Z",
    }  # fmt: skip


def channel(channel_id: str, login: str) -> Row:
    return {
        "broadcaster_id": channel_id, "broadcaster_login": login, "broadcaster_name": login.title(),
        "broadcaster_language": "en", "game_id": "743", "game_name": "Chess", "title": "a title", "delay": 0,
        "tags": ["calm"], "content_classification_labels": [], "is_branded_content": False,
    }  # fmt: skip


def followers(count: int, first: str = "2026-01-01T00:00:00") -> list[Row]:
    begin = datetime.fromisoformat(first)
    return [{**user(n), "followed_at": stamp(begin - timedelta(minutes=n))} for n in range(1, count + 1)]


def subscriber(number: int, channel_id: str = "1", tier: str = "1000", gifter: str = "") -> Row:
    about = {"broadcaster_id": channel_id, "broadcaster_login": "one", "broadcaster_name": "One"}
    gift = {"gifter_id": gifter, "gifter_login": "", "gifter_name": "", "is_gift": bool(gifter)}
    return {**about, **gift, "plan_name": "a plan", "tier": tier, **user(number)}


def ban(number: int, created_at: str, expires_at: str = "") -> Row:
    moderator = {"moderator_id": "9", "moderator_login": "mod", "moderator_name": "Mod"}
    return {**user(number), "expires_at": expires_at, "created_at": created_at, "reason": "spam", **moderator}


def clip(number: int, created_at: datetime, channel_id: str = "1") -> Row:
    return {
        "id": f"Clip{number}", "url": "", "embed_url": "", "broadcaster_id": channel_id, "broadcaster_name": "One",
        "creator_id": "5", "creator_name": "Viewer5", "video_id": "700", "game_id": "743", "language": "en",
        "title": "a clip", "view_count": number, "created_at": stamp(created_at), "thumbnail_url": "",
        "duration": 28.5, "vod_offset": 60, "is_featured": False,
    }  # fmt: skip


def video(number: int, created_at: str, channel_id: str = "1", kind: str = "archive") -> Row:
    return {
        "id": str(number), "stream_id": str(number + 1000) if kind == "archive" else None, "user_id": channel_id,
        "user_login": "one", "user_name": "One", "title": "a title", "description": "", "created_at": created_at,
        "published_at": created_at, "url": "", "thumbnail_url": "", "viewable": "public", "view_count": 10,
        "language": "en", "type": kind, "duration": "3h0m0s", "muted_segments": None,
    }  # fmt: skip


def live(channel_id: str, stream_id: str, viewers: int, started_at: str = "2026-03-01T11:00:00Z") -> Row:
    return {
        "id": stream_id, "user_id": channel_id, "user_login": "one", "user_name": "One", "game_id": "743",
        "game_name": "Chess", "type": "live", "title": "a title", "viewer_count": viewers, "started_at": started_at,
        "language": "en", "thumbnail_url": "", "tag_ids": [], "tags": ["calm"], "is_mature": False,
    }  # fmt: skip


def planned(segment: str, starts_at: str, ends_at: str, cancelled: str | None = None) -> Row:
    return {
        "id": segment, "start_time": starts_at, "end_time": ends_at, "title": "a plan", "canceled_until": cancelled,
        "category": {"id": "743", "name": "Chess"}, "is_recurring": False,
    }  # fmt: skip
