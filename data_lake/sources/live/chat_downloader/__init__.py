"""Chats as chat-downloader writes them, of YouTube and Twitch: a JSON array, or one item per line (JSONL)."""

from data_lake.sources.live.chat_downloader.reader import SOURCE

__all__ = ["SOURCE"]
