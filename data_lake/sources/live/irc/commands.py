"""The IRC commands of Twitch chat: those that say something, and those without rows of their own."""

from __future__ import annotations

# Commands without rows of their own: what a connection says about itself, and who comes and goes.
SILENT = ("CAP", "GLOBALUSERSTATE", "HOSTTARGET", "JOIN", "MODE", "NICK", "NOTICE", "PART", "PASS", "PING", "PONG",
          "QUIT", "RECONNECT", "USERSTATE", "WHISPER")  # fmt: skip
SPEAKING = ("PRIVMSG", "USERNOTICE", "CLEARCHAT", "CLEARMSG", "ROOMSTATE")
