"""What a person can act on."""

from __future__ import annotations


class LakeError(Exception):
    """Something is wrong that a person can put right; the message says what, and what to do. Shown as a sentence."""
