"""Clocks in lines of text, read by their places for a whole batch (see `spans`)."""

from __future__ import annotations

import numpy as np

from data_lake.sources.reading.spans import Mask, Octets, Positions, words

# The eight bytes ':MM:SS] ' with every digit 0, and what must not pass 127 when added to how far each byte is from it.
_ZERO = np.uint64(int.from_bytes(b":00:00] ", "little"))
_ROOM = np.uint64(int.from_bytes(bytes((127, 127 - 5, 127 - 9, 127, 127 - 5, 127 - 9, 127, 127)), "little"))
_HIGH = np.uint64(0x8080_8080_8080_8080)
_DIGITS = ((8, 600), (16, 60), (32, 10), (40, 1))  # where each digit lies, and how many seconds one of it is
CLOCK_BYTES = 8


def seconds_of_hour(octets: Octets, at: Positions) -> tuple[Positions, Mask]:
    """Seconds of the `:MM:SS] ` that stands at each place, and whether one does, with minutes and seconds under 60."""
    distance = words(octets, at) ^ _ZERO
    # Adding carries into the next byte only from a byte that is wrong itself.
    fits = ((distance | (distance + _ROOM)) & _HIGH) == 0
    seconds = np.zeros(len(at), dtype=np.int64)
    for shift, worth in _DIGITS:
        seconds += ((distance >> np.uint64(shift)) & np.uint64(15)).astype(np.int64) * worth
    return seconds, fits
