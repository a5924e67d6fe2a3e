"""Versions that were registered before a lake had releases: put down as releases, once, so that they serve on."""

from __future__ import annotations

import io
import re
import zipfile

from data_lake.layout import Layout
from ml.serving import release
from ml.tracking import Registry

SCHEMA = "schema.json"
# Model files name the types they hold; the questions' packages lay directly in ml/ when these files were written.
OLD_TYPES = re.compile(r'(?<=")ml\.(?=(?:churn|forecast|next_stream|topics)\.)')


def adopt(layout: Layout, question: str) -> int:
    """Release every version of a question that passed its gate; returns how many there are."""
    registry = Registry(layout)
    layout.releases(question).mkdir(parents=True, exist_ok=True)
    passed = [version for version in registry.versions(question) if version.passed]
    for version in passed:
        model, metadata = registry.files(version)
        release(layout, version, renamed(model), metadata)
    return len(passed)


def renamed(model: bytes) -> bytes:
    """A skops file whose types are named by where they lie now."""
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as old, zipfile.ZipFile(rewritten, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == SCHEMA:
                content = OLD_TYPES.sub("ml.questions.", content.decode()).encode()
            new.writestr(entry, content)
    return rewritten.getvalue()
