"""Texts as they are compared: what a reader takes for the same is equal. What is stored and shown stays as it is.

`folded` is a text one can still read, for words and for searching; `text_key` is what equal texts share. The same two
functions serve SQL: see `add_text_functions`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import chain, compress, groupby
from operator import ne

import duckdb

# Drawn as nothing: Default_Ignorable_Code_Point (Unicode's DerivedCoreProperties.txt) without the fillers below, and
# control characters that are no blanks. Chat clients append them to send a text twice.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Drawn as a blank although Unicode calls them letters or symbols: the Hangul fillers and the empty Braille pattern.
_BLANKS = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
# Chat says the same again and again: most texts are found among the last ones.
CACHED_TEXTS = 20_000
_DIGIT = re.compile(r"\d")
# A letter or sign that follows itself; not a digit: 100 is another number than 10.
_RUN = re.compile(r"([^\d\s])\1+")


def folded(text: str) -> str:
    """The text without invisible characters, of usual width and lower case, with one blank between its words.

    A word that follows itself stands once, however its letters are repeated. Compatibility characters become the ones
    they stand for (NFKC), as in Unicode's NFKC_Casefold.
    """
    plain = _plain(text)
    without_runs = _without_runs(plain).split()
    words = plain.split()
    return " ".join(word for n, word in enumerate(words) if not n or without_runs[n] != without_runs[n - 1])


@lru_cache(CACHED_TEXTS)
def text_key(text: str) -> str:
    """What all spellings of a text share: `folded`, without blanks, each run of a letter or sign once.

    A text that is one part over and over is that part, as "go team go team" is "goteam". Digits are not folded: 100 is
    not 10. Empty where nothing of the text is seen.
    """
    words = _without_runs(_plain(text)).split()
    if len(set(words)) == len(words):
        return "".join(words)
    joined = "".join(f" {word}" for word, _ in groupby(words))
    # A text made of one part repeated is found in itself before its end, the length of the part along.
    return joined[: (joined + joined).find(joined, 1)].replace(" ", "")


def visible_length(text: str) -> int:
    """How many characters of the text are seen: blanks and invisible ones are not."""
    if text.isascii() and text.isprintable():
        return len(text) - text.count(" ")
    return sum(map(len, _BLANKS.sub(" ", _INVISIBLE.sub("", text)).split()))


def add_text_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Give SQL `fold_text(text)`, `text_key(text)` and `visible_length(text)`, each null of null."""
    connection.create_function("fold_text", folded, ["varchar"], "varchar")
    connection.create_function("text_key", text_key, ["varchar"], "varchar")
    connection.create_function("visible_length", visible_length, ["varchar"], "bigint")


def _plain(text: str) -> str:
    """The characters of a text as they are compared; its blanks are as they were."""
    if text.isascii() and text.isprintable():
        return text.lower()
    # Before NFKC, which makes other fillers of some; and after it, which leaves others.
    seen = unicodedata.normalize("NFKC", _BLANKS.sub(" ", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", seen).casefold())


def _without_runs(text: str) -> str:
    """The text with each run of a character, but for digits, shortened to one."""
    if not _DIGIT.search(text):
        return "".join(compress(text, map(ne, text, chain(" ", text))))
    return " ".join(_RUN.sub(r"\1", word) if _DIGIT.search(word) else _without_runs(word) for word in text.split())
