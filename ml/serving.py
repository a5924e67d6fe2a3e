"""What a lake serves: the model file of every version that passed its gate, and what is needed to choose one.

A release is a folder `<lake>/mlflow/releases/<question>/<version>/` of `model.skops` and `release.json`, written once
by training. Scoring reads releases and not MLflow, whose import alone costs what scoring a day does; it is also why the
model files of a moved lake are found without a repair.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data_lake.files import replace_file
from data_lake.layout import Layout
from ml.published import data_end_of

MODEL, RELEASE = "model.skops", "release.json"


@dataclass(frozen=True)
class ModelVersion:
    """A registered version of a question's model: what scoring has to know to choose it and to load it.

    `data_end` is the first day after everything it learned from, labels included.
    """

    name: str
    version: str
    run_id: str
    as_of: date
    data_end: date
    passed: bool
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """A loaded version: the fitted model, and the metadata it was registered with."""

    version: ModelVersion
    model: Any
    metadata: Mapping[str, Any]


def release(layout: Layout, version: ModelVersion, model: bytes, metadata: Mapping[str, Any]) -> None:
    """Put down a version that passed its gate. It can be served once `release.json`, written last, is there."""
    folder = layout.releases(version.name) / version.version
    content = {
        "run_id": version.run_id,
        "as_of": version.as_of.isoformat(),
        "data_end": version.data_end.isoformat(),
        "tags": dict(version.tags),
        "metadata": dict(metadata),
    }
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / MODEL, model)
    replace_file(folder / RELEASE, json.dumps(content).encode())


def versions(layout: Layout, question: str) -> list[ModelVersion]:
    """Every released version of a question, oldest first; those of a lake made before there were releases, too."""
    folder = layout.releases(question)
    if not folder.exists() and (layout.tracking.exists() or os.environ.get("MLFLOW_TRACKING_URI")):
        from ml.adoption import adopt

        adopt(layout, question)
    released = [_read(question, path) for path in folder.glob(f"*/{RELEASE}")]
    return sorted(released, key=lambda v: int(v.version))


def version_for(layout: Layout, question: str, as_of: date) -> ModelVersion | None:
    """The newest version that passed its gate and whose data, labels included, end by the cut-off of `as_of`.

    None where there is none: the status is then `no_model`, and no later version steps in.
    """
    eligible = [v for v in versions(layout, question) if v.data_end <= data_end_of(as_of)]
    return max(eligible, key=lambda v: (v.data_end, int(v.version)), default=None)


def load(layout: Layout, version: ModelVersion, trusted: Sequence[str]) -> Served:
    """A released version, read by skops with the types that our code trusts.

    MLflow's own loader takes that list from the file it is to guard against, which is why it refuses skops as well
    while pickle is not allowed; it stays so.
    """
    import skops.io

    folder = layout.releases(version.name) / version.version
    content = json.loads((folder / RELEASE).read_text(encoding="utf-8"))
    return Served(version, skops.io.load(folder / MODEL, trusted=list(trusted)), content["metadata"])


def _read(question: str, path: Path) -> ModelVersion:
    content = json.loads(path.read_text(encoding="utf-8"))
    return ModelVersion(
        name=question,
        version=path.parent.name,
        run_id=content["run_id"],
        as_of=date.fromisoformat(content["as_of"]),
        data_end=date.fromisoformat(content["data_end"]),
        passed=True,
        tags=content["tags"],
    )
