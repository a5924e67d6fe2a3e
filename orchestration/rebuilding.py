"""Before a run: zones that are made again from the zone before, and the dbt models read again."""

from __future__ import annotations

import os
import shutil
import subprocess

from data_lake import landing
from data_lake.errors import LakeError
from data_lake.layout import Layout
from orchestration import progress as steps
from orchestration.progress import Progress
from orchestration.project import DBT, MANIFEST, PROJECT, is_stale


class RunError(LakeError):
    """The run cannot start; the message says what to do."""


def refuse_to_lose(layout: Layout, zone: str) -> None:
    """Raise RunError when making raw/ again would lose the rows of files that are no longer in landing/."""
    gone = landing.missing_files(landing.landing_files(layout), landing.entries(layout)) if zone == "raw" else []
    if gone:
        raise RunError(
            f"raw/ holds rows of {len(gone):,} {'file' if len(gone) == 1 else 'files'} that landing/ no longer has "
            f"({gone[0]}{', ...' if len(gone) > 1 else ''}); making it again would lose them: put the files back, or "
            f"delete {layout.raw} yourself to go on without them"
        )


def forget(layout: Layout, zone: str) -> None:
    """Delete what a zone was made of, so that the run makes it again from the zone before.

    What is published stays until the new version replaces it: without a warehouse every file of it is written anew.
    """
    layout.warehouse.unlink(missing_ok=True)
    layout.warehouse.with_name(layout.warehouse.name + ".wal").unlink(missing_ok=True)
    if zone == "raw":
        for folder in (layout.raw, layout.quarantine):
            shutil.rmtree(folder, ignore_errors=True)


def parse_models(progress: Progress) -> None:
    """Make the dbt manifest again when a model is newer than it. Raises RunError with dbt's words when one is wrong."""
    if not is_stale():
        return
    progress.advance(steps.MODELS, 0.0)
    # Said outright: a dbt environment of the person's own must not redirect ours.
    own = {"DBT_PROJECT_DIR": PROJECT, "DBT_PROFILES_DIR": PROJECT, "DBT_TARGET_PATH": MANIFEST.parent}
    environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
    command = [*DBT, "--no-use-colors", "parse"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(
            f"the models cannot be read; correct them and run again:\n{(done.stdout + done.stderr).strip()[-2000:]}"
        )
    progress.finish(steps.MODELS, "manifest made")
