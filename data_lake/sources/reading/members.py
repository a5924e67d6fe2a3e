"""The structure of a JSON document found without parsing it: depths of brackets, and the members beside the array."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from data_lake.sources.reading.repair import Rhythm
from data_lake.sources.reading.spans import Positions

# A member larger than this is not kept (embedded images).
MEMBER_BYTES = 1 << 20
OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT = 0x5B, 0x5D, 0x7B

_QUOTE, _BACKSLASH, _BAR = 0x22, 0x5C, 0x7C
_KEY_BEFORE = re.compile(rb'"((?:[^"\\]|\\.){0,200})"\s*:\s*\Z')
_OVERLAP = 4096  # bytes looked at again where a pattern may straddle two blocks
_STEP = 1 << 15
_MEMBERS_BYTES = 16 * MEMBER_BYTES  # all that is kept beside the array

Octets = npt.NDArray[np.uint8]


def opens(kinds: Octets) -> npt.NDArray[np.bool_]:
    """Which brackets open: [ and { have bit 1 set, ] and } have not."""
    return np.asarray((kinds & 2) != 0, dtype=np.bool_)


class Brackets:
    """Brackets outside strings and the depth after each, carried over the blocks of one document."""

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        self._in_string = False
        self._escaped = False  # the next byte stands behind an odd run of backslashes

    def scan(self, block: bytes) -> tuple[Positions, Positions, Octets]:
        """Position in the block, depth after, and the byte itself, of each bracket outside strings."""
        octets = np.frombuffer(block, dtype=np.uint8)
        # Setting bit 5 maps [ \ ] to { | }: one range holds all brackets and the backslash.
        marks = np.flatnonzero((((octets | 0x20) - 0x7B) <= 2) | (octets == _QUOTE))
        kinds = octets[marks]
        is_quote = kinds == _QUOTE
        slashes = marks[kinds == _BACKSLASH]
        if len(slashes) or self._escaped:
            escaped = self._behind_backslash(len(block), slashes)
            is_quote &= ~escaped[marks]
            self._escaped = bool(escaped[len(block)])
        inside = (np.cumsum(is_quote) + self._in_string) & 1
        is_bracket = (inside == 0) & (kinds != _QUOTE) & (kinds != _BACKSLASH) & (kinds != _BAR)
        found = kinds[is_bracket]
        depths = self.depth + np.cumsum(np.where(opens(found), 1, -1))
        if len(depths):
            self.depth = int(depths[-1])
        if len(inside):
            self._in_string = bool(inside[-1])
        return marks[is_bracket].astype(np.int64), depths.astype(np.int64), found

    def _behind_backslash(self, size: int, slashes: Positions) -> npt.NDArray[np.bool_]:
        """For each byte of the block and the one after it: whether a backslash escapes it."""
        escaped = np.zeros(size + 1, dtype=np.bool_)
        if self._escaped:
            escaped[0] = True
            slashes = slashes[1:] if len(slashes) and slashes[0] == 0 else slashes
        if len(slashes):
            begins = np.ones(len(slashes), dtype=np.bool_)
            begins[1:] = np.diff(slashes) != 1
            run_start = np.maximum.accumulate(np.where(begins, slashes, 0))
            # In a run of backslashes the 1st, 3rd, ... escape what follows them.
            escaped[slashes[(slashes - run_start) % 2 == 0] + 1] = True
        return escaped


class Members:
    """The small members beside the array of a document, gathered while the document streams past.

    `found` says whether the array was reached, `damaged` whether it was found by its text although the structure
    before it is broken.
    """

    def __init__(self) -> None:
        self.found = False
        self.damaged = False
        self._kept = bytearray()  # the document without the elements and without large members
        self._member: bytearray | None = None  # the member being read
        self._dropped = False

    def until_array(self, blocks: Iterator[bytes], key: str, row_start: re.Pattern[bytes] | None) -> bytes:
        """Read up to the array under the top-level `key`; returns what was read beyond its opening bracket."""
        brackets = Brackets()
        name = key.encode()
        begins = rb'"' + re.escape(name) + rb'"\s*:\s*\[\s*(?='
        text = re.compile(begins + row_start.pattern + rb")") if row_start else None
        before = b""
        for block in blocks:
            at = self._read_on(block, brackets, name)
            if at is not None:
                self.found = True
                return block[at:]
            window = before + block
            if text is not None and (found := text.search(window)):
                self.found = self.damaged = True
                return window[found.end() :]
            before = window[-_OVERLAP:]
        return b""

    def after_array(self, blocks: Iterator[bytes], rhythm: Rhythm | None) -> bytes | None:
        """Read the members behind the array; what follows from the next row on, if a row still comes."""
        brackets = Brackets(depth=1)
        self._kept += b"]"
        before = b""
        for block in blocks:
            window = before + block
            at = rhythm.first(window.decode("latin-1")) if rhythm else None
            if at is not None:
                self.damaged = True
                return window[at:]
            before = window[-_OVERLAP:]
            self._read(block, brackets, None)
        return None

    def values(self, *names: str) -> dict[str, Any]:
        """The named members read so far; those that are damaged or absent are missing."""
        for closing in (b"", b"]}", b"}"):
            try:
                document = json.loads(bytes(self._kept) + closing)
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict):
                return {name: document[name] for name in names if name in document}
        text = self._kept.decode("utf-8", errors="replace")
        found: dict[str, Any] = {}
        for name in names:
            for place in re.finditer(rf'"{re.escape(name)}"\s*:\s*', text):
                try:
                    found.setdefault(name, json.JSONDecoder().raw_decode(text, place.end())[0])
                except (ValueError, RecursionError):
                    continue
        return found

    def _read_on(self, block: bytes, brackets: Brackets, name: bytes) -> int | None:
        """As `_read`, no further than the array: it mostly begins early in the first block."""
        for start in range(0, len(block), _STEP):
            at = self._read(block[start : start + _STEP], brackets, name)
            if at is not None:
                return start + at
        return None

    def _read(self, block: bytes, brackets: Brackets, name: bytes | None) -> int | None:
        """Take in a block; the position behind the opening bracket of the array, if it is in this block."""
        positions, depths, kinds = brackets.scan(block)
        opening = opens(kinds)
        edges = np.flatnonzero((opening & (depths == 2)) | (~opening & (depths == 1)))
        last = 0
        for edge in edges.tolist():
            position = int(positions[edge])
            if opening[edge]:
                self._keep(block[last:position])
                behind_key = _KEY_BEFORE.search(bytes(self._kept[-_OVERLAP:]))
                if kinds[edge] == OPEN_ARRAY and name is not None and behind_key and behind_key[1] == name:
                    self._keep(b"[")
                    return position + 1
                self._member, self._dropped = bytearray(), False
                last = position
            elif self._member is not None:
                self._keep(block[last : position + 1])
                member, self._member = self._member, None
                self._keep(b"null" if self._dropped else bytes(member))
                last = position + 1
        self._keep(block[last:])
        return None

    def _keep(self, text: bytes) -> None:
        if self._member is not None:
            if not self._dropped:
                self._member += text
            if len(self._member) > MEMBER_BYTES:
                self._member, self._dropped = bytearray(), True
        elif len(self._kept) < _MEMBERS_BYTES:
            self._kept += text
