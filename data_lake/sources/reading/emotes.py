"""Emotes by the places a source states, and which of these places can be believed.

Places come from other programs: some count UTF-16 units or bytes, some are off, some lie outside the text. A wrong
place must not count a word as an emote, so a place names its emote only where

- it lies in the text (inclusive, in code points);
- on Twitch, a whole word stands there: an emote with anything but a blank beside it is none;
- on Twitch, the word can be an emote's code, which holds a capital, a digit or a sign, and is the code of the emote
  where that is known (`GLOBAL_EMOTES`);
- the other places of the same emote in the message say the same; where they differ, what several of them say stands.

An emote whose place fails keeps its id and has neither name nor place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import ROW, Problem
from data_lake.sources.reading.spans import Mask, Positions

EMOTE = pa.struct(
    [("name", pa.string()), ("id", pa.string()), ("provider", pa.string()), ("start", pa.int32()), ("end", pa.int32())]
)
# Twitch's ids of global emotes that have kept their code for years; ids of other emotes say nothing of theirs.
GLOBAL_EMOTES = {
    "25": "Kappa", "28": "MrDestructoid", "30": "BCWarrior", "32": "GingerPower", "33": "DansGame", "34": "SwiftRage",
    "36": "PJSalt", "41": "Kreygasm", "46": "SSSsss", "47": "PunchTrees", "50": "ArsonNoSexy", "52": "SMOrc",
    "65": "FrankerZ", "66": "OneHand", "69": "BloodTrail", "73": "DBstyle", "74": "AsianGlow", "86": "BibleThump",
    "87": "ShazBotstix", "88": "PogChamp", "92": "PMSTwin", "244": "FUNgineer", "245": "ResidentSleeper",
    "354": "4Head", "357": "HotPokket", "360": "FailFish", "973": "DAESuppy", "1896": "WholeWheat",
    "1898": "ThunBeast", "1899": "TF2John", "1900": "RalpherZ", "1902": "Keepo", "1904": "BigBrother",
    "1906": "SoBayed", "3412": "PeoplesChamp", "3632": "GrammarKing", "3668": "PanicVis", "3792": "ANELE",
    "4057": "BrokeBack", "4240": "PipeHype", "4337": "YouWHY", "4338": "RitzMitz", "4339": "EleGiggle",
    "7427": "TheThing", "22639": "BabyRage", "27509": "PermaSmug", "27602": "BuddhaBar", "28087": "WutFace",
    "28328": "PRChase", "30134": "Mau5", "30259": "HeyGuys", "34875": "NotATK", "38436": "TTours",
    "38586": "PraiseIt", "49106": "CorgiDerp", "51838": "ArgieB8", "52492": "ShadyLulu", "55338": "KappaPride",
    "58127": "CoolCat", "58135": "DendiFace", "58765": "NotLikeThis", "64138": "SeemsGood",
}  # fmt: skip
_PLAIN_WORD = re.compile(r"[^\W\d_A-Z]+")  # letters of a language, no capital of Latin


class StatedEmote(NamedTuple):
    """An emote as a source states it; `place` is its place as it is written, `name` stands where the source has one."""

    id: str | None
    start: int | None
    end: int | None
    place: str
    name: str | None = None


def can_name(emote_id: str | None, word: str) -> bool:
    """Whether a word can be the code of a Twitch emote."""
    code = GLOBAL_EMOTES.get(emote_id or "")
    return word == code if code else _PLAIN_WORD.fullmatch(word) is None


def words_at(texts: Sequence[str], starts: Sequence[int], ends: Sequence[int]) -> list[str | None]:
    """The whole word that stands at each place of a text (one each); None where none does."""
    words: list[str | None] = []
    for text, start, end in zip(texts, starts, ends, strict=True):
        # With its neighbours, a whole word is what blanks alone surround.
        word = text[start - 1 if start > 0 else 0 : end + 2].strip(" ")
        is_whole = 0 <= start <= end < len(text) and len(word) == end - start + 1 and " " not in word
        words.append(word if is_whole else None)
    return words


def are_certain(messages: Positions, ids: pa.StringArray, words: Sequence[str | None]) -> Mask:
    """Whether each place certainly names its emote of Twitch, by itself and beside the others of its message.

    `messages` says which message each place is of.
    """
    certain = np.array([word is not None for word in words], dtype=np.bool_)
    word_codes = pa.array(words, pa.string()).dictionary_encode("encode")
    id_codes = ids.dictionary_encode("encode")
    codes, emotes = word_codes.dictionary.to_pylist(), id_codes.dictionary.to_pylist()
    said = word_codes.indices.to_numpy().astype(np.int64)
    emote = id_codes.indices.to_numpy().astype(np.int64)
    pairs, pair_of = np.unique(emote * max(len(codes), 1) + said, return_inverse=True)
    fits = [codes[p % len(codes)] is None or can_name(emotes[p // len(codes)], codes[p % len(codes)]) for p in pairs]
    certain &= np.array(fits, dtype=np.bool_)[pair_of]
    key = messages.astype(np.int64) * max(len(emotes), 1) + emote
    order = np.argsort(key, kind="stable")
    differs = (key[order][1:] == key[order][:-1]) & (said[order][1:] != said[order][:-1])
    if differs.any():
        certain &= ~np.isin(key, key[order][1:][differs])
    return certain


_Row = tuple[str | int | None, ...]  # of EMOTE


def named(text: str, stated: Sequence[StatedEmote], provider: str) -> tuple[list[_Row], str | None]:
    """The emotes of a text as rows of EMOTE, and what is wrong with those that got no name; None where all have one."""
    words = [_word(text, emote, provider) for emote in stated]
    if provider == "twitch":
        said = [Counter(w for e, w in zip(stated, words, strict=True) if w and e.id == emote.id) for emote in stated]
        words = [w if len(counts) < 2 or (w and counts[w] > 1) else None for w, counts in zip(words, said, strict=True)]
    rows: list[_Row] = []
    wrong = []
    for emote, word in zip(stated, words, strict=True):
        name, start, end = word, emote.start, emote.end
        if word is None or (emote.name and emote.name != word):
            start = end = None
            name = emote.name if emote.name and _stands_in(text, emote, provider) else None
        if name is None:
            wrong.append(f"emote {emote.id} at {emote.place or 'no place'}")
        rows.append((name, emote.id, provider, start, end))
    reason = f"no emote stands where one is said to, it is kept without a name: {', '.join(wrong)}" if wrong else None
    return rows, reason


def _word(text: str, emote: StatedEmote, provider: str) -> str | None:
    """What stands at the place of an emote, where it can be its name."""
    if emote.start is None or emote.end is None or not 0 <= emote.start <= emote.end < len(text):
        return None
    if provider != "twitch":
        return text[emote.start : emote.end + 1].strip() or None
    (word,) = words_at([text], [emote.start], [emote.end])
    return word if word and can_name(emote.id, word) else None


def _stands_in(text: str, emote: StatedEmote, provider: str) -> bool:
    """Whether the name the source states stands in the text, wherever that is."""
    assert emote.name
    if provider != "twitch":
        return emote.name in text
    return emote.name in text.split(" ") and can_name(emote.id, emote.name)


Stating = Callable[[list[dict[str, Any]], str, str], Iterable[StatedEmote]]


def _as_stated(emotes: list[dict[str, Any]], text: str, platform: str) -> Iterable[StatedEmote]:
    return (StatedEmote(**emote) for emote in emotes)


def with_names(messages: pa.Table, stating: Stating = _as_stated) -> tuple[pa.Table, list[Problem]]:
    """Messages with their `emotes` as rows of EMOTE, and what is wrong with these.

    `stating` reads the list of a message (with its text and platform) as stated emotes, unless it has their members.
    """
    column = messages["emotes"].combine_chunks()
    at = pc.indices_nonzero(pc.fill_null(pc.greater(pc.list_value_length(column), 0), False))
    counts = np.zeros(len(messages) + 1, dtype=np.int64)
    rows: list[_Row] = []
    problems: list[Problem] = []
    taken = [column.take(at), *(messages[name].take(at) for name in ("text", "platform", ROW))]
    for place, emotes, text, platform, row in zip(at.to_pylist(), *(c.to_pylist() for c in taken), strict=True):
        stated = list(stating([emote for emote in emotes if emote], text or "", platform))
        found, reason = named(text or "", stated, platform)
        counts[place + 1] = len(found)
        rows += found
        if reason:
            problems.append(Problem(row, reason, text or ""))
    values = zip(*rows, strict=True) if rows else [()] * len(EMOTE)
    columns = [pa.array(value, field.type) for value, field in zip(values, EMOTE, strict=True)]
    structs = pa.StructArray.from_arrays(columns, fields=list(EMOTE))
    offsets = pa.array(np.cumsum(counts), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, structs, mask=pc.is_null(column))
    return messages.set_column(messages.schema.get_field_index("emotes"), "emotes", lists), problems
