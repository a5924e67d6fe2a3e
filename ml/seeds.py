"""One tree of seeds: every random choice of a training run hangs on one number, by name and not by order of use."""

from __future__ import annotations

import hashlib

import numpy as np

ROOT_SEED = 20_260_101


def seed(*names: str | int, root: int = ROOT_SEED) -> int:
    """The seed of a named choice, below 2**31: adding a choice changes no other one."""
    text = "/".join(str(name) for name in (root, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(*names: str | int, root: int = ROOT_SEED) -> np.random.Generator:
    """The random generator of a named choice."""
    return np.random.default_rng(seed(*names, root=root))
