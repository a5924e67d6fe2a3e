"""Where this project reaches into what other projects keep private: one module each, with what it saves.

Each has a guard in `tests/unit/test_patches.py`, which fails with the name of what changed upstream.
"""
