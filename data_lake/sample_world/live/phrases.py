"""Texts of one channel: every message is an index into a table of phrases with their emotes and their JSON.

A phrase is rendered once, however often it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from json.encoder import encode_basestring as quoted

import numpy as np
from numpy.typing import NDArray

from data_lake.sample_world.live import words
from data_lake.sample_world.live.world import Channel, LiveSettings
from data_lake.sample_world.tables import json_text

Span = tuple[str, str, int, int]
"""Emote name, emote id, first and last code point."""


@dataclass(frozen=True)
class Block:
    """A run of phrases of one kind: draw one by `first + floor(u * count)`."""

    first: int
    count: int


class Phrases:
    """The phrase table of a channel, with blocks to draw from and room for phrases made for one occasion."""

    def __init__(self, settings: LiveSettings, channel: Channel) -> None:
        self.platform = channel.platform
        self.texts: list[str] = []
        self.spans: list[tuple[Span, ...]] = []
        self._twitch: dict[int, str] = {}
        self._relay: dict[int, tuple[str, str]] = {}
        self._added: dict[str, int] = {}
        self.emotes = _emotes(channel)
        rng = settings.rng("phrases", channel.channel_id)
        size = int(np.clip(1200 * settings.scale**0.5, 150, 6000))
        names = list(self.emotes)
        self.subjects = [self._block(_sentences(rng, s, size)) for s in words.SUBJECTS]
        chatter = rng.integers(len(words.CHATTER), size=size), rng.integers(len(words.TAILS), size=size)
        self.chatter = self._block([words.CHATTER[i] + words.TAILS[j] for i, j in zip(*chatter, strict=True)])
        # A few emotes are everyone's favourites.
        popular = np.minimum(rng.geometric(0.28, size=(size, 3)) - 1, len(names) - 1)
        repeats = rng.integers(1, 4, size=size)
        self.emote_only = self._block(
            [
                " ".join([names[p[0]]] * r if r != 2 else [names[p[0]], names[p[1]]])
                for p, r in zip(popular, repeats, strict=True)
            ]
        )
        self.with_emote = self._block(
            [f"{self.texts[self.chatter.first + i]} {names[p[2]]}" for i, p in enumerate(popular)]
        )
        third = [f"{e}{t}" for e in words.THIRD_PARTY_EMOTES for t in ("", "", f" {e}", " that was it", " chat")]
        self.third_party = self._block(third)
        self.greeting = self._block([f"{g}{e}" for g in words.GREETINGS for e in ("", f" {names[0]}", f" {names[3]}")])
        self.first_time = self._block(list(words.FIRST_TIME))
        self.toxic = self._block([t + e for t in words.TOXIC for e in ("", "!", " lol", " seriously")])
        self.commands = self._block(list(words.COMMANDS))
        self.bot_lines = self._block(list(words.BOT_LINES))
        self.pastes = self._block(list(words.PASTES))
        self.spam = self._block([f"{s} #{n}" for s in words.SPAM for n in range(40)])
        self.hype = {e: self._block(_hype(e)) for e in names}

    def _block(self, texts: list[str]) -> Block:
        first = len(self.texts)
        self.texts.extend(texts)
        self.spans.extend(self._find(t) for t in texts)
        return Block(first, len(texts))

    def add(self, text: str) -> int:
        """The index of a phrase made for one occasion."""
        if text not in self._added:
            self._added[text] = self._block([text]).first
        return self._added[text]

    def _find(self, text: str) -> tuple[Span, ...]:
        """Emotes are whole words between spaces, as the platforms find them; positions count code points."""
        spans: list[Span] = []
        place = 0
        for word in text.split(" "):
            if word in self.emotes:
                spans.append((word, self.emotes[word], place, place + len(word) - 1))
            place += len(word) + 1
        return tuple(spans)

    def twitch_json(self, index: int) -> str:
        """The members body, fragments and emoticons of a TwitchDownloader message.

        As the tool writes them, `end` is begin + length + 1, which is two past the last code point.
        """
        members = self._twitch.get(index)
        if members is None:
            text, spans = self.texts[index], self.spans[index]
            fragments: list[str] = []
            place = 0
            for _, emote, first, last in spans:
                if first > place:
                    fragments.append(f'{{"text":{quoted(text[place:first])},"emoticon":null}}')
                name = text[first : last + 1]
                fragments.append(f'{{"text":{quoted(name)},"emoticon":{{"emoticon_id":"{emote}"}}}}')
                place = last + 1
            if place < len(text):
                fragments.append(f'{{"text":{quoted(text[place:])},"emoticon":null}}')
            emoticons = ",".join(f'{{"_id":"{e}","begin":{first},"end":{last + 2}}}' for _, e, first, last in spans)
            members = f'"body":{quoted(text)},"fragments":[{",".join(fragments)}],"emoticons":[{emoticons}]'
            self._twitch[index] = members
        return members

    def relay_json(self, index: int) -> tuple[str, str]:
        """The values of `message` and `emotes` in a Streampai chat event."""
        values = self._relay.get(index)
        if values is None:
            emotes = [{"name": n, "id": e, "start": first, "end": last} for n, e, first, last in self.spans[index]]
            values = self._relay[index] = (json_text(self.texts[index]), json_text(emotes))
        return values


def _emotes(channel: Channel) -> dict[str, str]:
    """Emote names and ids of a channel, the favourites first."""
    if channel.platform == "youtube":
        return {name: f"UCkszU2WH9gy1mb0dV-11UJg/{i:04d}" for i, name in enumerate(words.YOUTUBE_EMOTES)}
    own = {
        f"{channel.emote_prefix}{e}": f"emotesv2_{channel.emote_prefix}{i:04x}"
        for i, e in enumerate(words.CHANNEL_EMOTES)
    }
    return {**dict(list(own.items())[:2]), **words.GLOBAL_EMOTES, **own}


def _sentences(rng: np.random.Generator, subject: words.Subject, size: int) -> list[str]:
    pick = {
        "form": rng.integers(len(words.SENTENCES), size=size),
        "n": rng.integers(len(subject.nouns), size=size),
        "m": rng.integers(1, len(subject.nouns), size=size),
        "v": rng.integers(len(subject.verbs), size=size),
        "a": rng.integers(len(subject.adjectives), size=size),
        "tail": rng.integers(len(words.TAILS), size=size),
    }
    nouns = subject.nouns
    return [
        words.SENTENCES[f].format(
            n=nouns[n], m=nouns[(n + m) % len(nouns)], v=subject.verbs[v], a=subject.adjectives[a]
        )
        + words.TAILS[t]
        for f, n, m, v, a, t in zip(*(p.tolist() for p in pick.values()), strict=True)
    ]


def _hype(emote: str) -> list[str]:
    repeated = [" ".join([emote] * n) for n in (1, 2, 3, 4)]
    shouts = [f"{shout} {emote}" for shout in words.HYPE] + list(words.HYPE)
    # Half of a hype moment is the bare emote: that is what makes it a burst.
    return repeated * (len(shouts) // 4) + shouts


def draw(rng: np.random.Generator, block: Block, count: int) -> NDArray[np.int64]:
    """Phrases of a block at random."""
    return block.first + rng.integers(block.count, size=count)
