"""Damaged files of every format: how many were tried, which rows were kept, and the reasons of the others.

`python -m benchmarks.damaged --files 100000`. Every file is an odd export (`tests/odd_files.py`) with bytes taken out,
put in, or cut off, added and read as a person's would be. It ends with an error when reading raises anything, when a
sound row whose bytes were not touched is lost from a file that was read, or when a lake of such files does not publish.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.measure import run
from data_lake import landing
from data_lake.adding import add_path
from data_lake.errors import LakeError
from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.sql import connect
from data_lake.store import scan
from tests.odd_files import OddFile, odd_files, put

FULLHOUSE = Path(sys.executable).with_name("fullhouse")
# Seeds whose files are read into one lake; a run over one such lake says whether it publishes.
BATCH = 20
REASONS = 5
PIECES = (
    b'"',
    b"}",
    b"{",
    b"[",
    b"\\",
    b"\0",
    b"\xff\xfe",
    b"\n",
    b"\r",
    b",",
    b":",
    b"=",
    b";",
    b"@",
    b"null",
    b"1e999",
)


@dataclass
class Tally:
    """What became of the damaged files of one source."""

    tried: int = 0
    not_accepted: int = 0
    refused_whole: int = 0
    rows: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


def damaged(file: OddFile, rng: Random) -> bytes:
    """The file with damage in one to three places, one in ten cut off."""
    content = file.content
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(content) + 1)
        piece = rng.choice((b"", rng.choice(PIECES), rng.randbytes(rng.randrange(1, 6))))
        content = content[:at] + piece + content[at + rng.choice((0, 0, 1, 5, 40)) :]
    return content[: rng.randrange(len(content))] if content and rng.random() < 0.1 else content


def fill(lake: Layout, folder: Path, seeds: Iterator[int], tallies: dict[str, Tally]) -> dict[str, tuple[str, OddFile]]:
    """Add a batch of damaged files; returns each with its source, by its name in landing/. Only untouched messages are
    sound."""
    accepted = {}
    for seed in seeds:
        rng = Random(seed)
        for number, file in enumerate(odd_files(rng)):
            content = damaged(file, rng)
            untouched = {text: row for text, row in file.sound.items() if _with_ends(file.content, row) in content}
            whole = OddFile(file.name, content, file.sidecar, file.mapping, untouched)
            path, beside = put(folder / f"{seed}-{number}", whole)
            kind = f"{file.name.rpartition('.')[0]}"
            try:
                for added in add_path(lake, path, beside):
                    tallies.setdefault(added.source, Tally()).tried += 1
                    accepted[f"{added.source}/{_landing_name(lake, added)}"] = (added.source, whole)
            except LakeError:
                tallies.setdefault("(in no format)", Tally()).tried += 1
                tallies["(in no format)"].set_aside[kind] += 1
    return accepted


def _with_ends(content: bytes, row: bytes) -> bytes:
    """The bytes of a row with what parts it from its neighbours."""
    at = content.index(row)
    return content[max(0, at - 1) : at + len(row) + 1]


def _landing_name(lake: Layout, added: landing.Added) -> str:
    return added.path.relative_to(lake.landing / added.source).as_posix()


def read(lake: Layout, accepted: dict[str, tuple[str, OddFile]], tallies: dict[str, Tally]) -> None:
    """Read the lake's files, and count what became of them."""
    ingest(lake)
    with connect(lake) as connection:
        scan(lake, "chat_messages", connection).create_view("messages")
        texts = {text for (text,) in connection.execute("select text from messages").fetchall()}
    for entry in landing.entries(lake).values():
        tally = tallies[entry.source]
        source, file = accepted[f"{entry.source}/{entry.name}"]
        tally.rows += sum(sum(days.values()) for days in entry.rows.values())
        for reasons in entry.quarantined.values():
            tally.set_aside.update(reasons)
        for problem in entry.problems:
            tally.set_aside[problem["reason"].split(":")[0]] += 1
        if entry.error:
            tally.refused_whole += 1
            tally.set_aside[entry.error.split(":")[-1].strip()[:80]] += 1
            continue
        tally.lost += [f"{source} {entry.name}: {text}" for text in file.sound if text not in texts]


def publishes(lake: Layout) -> str:
    """Run the lake; returns the version it published. Raises RuntimeError with the run's last lines when it fails."""
    run([str(FULLHOUSE), "run", "--no-models"], {"LAKE_ROOT": str(lake.root)})
    return lake.current.readlink().name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--published", type=int, default=2, help="lakes of damaged files that are run to their end")
    arguments = parser.parse_args()
    tallies: dict[str, Tally] = {}
    first = 0
    while sum(tally.tried for tally in tallies.values()) < arguments.files:
        with tempfile.TemporaryDirectory() as folder:
            lake = Layout(Path(folder) / "lake")
            accepted = fill(lake, Path(folder) / "files", iter(range(first, first + BATCH)), tallies)
            read(lake, accepted, tallies)
            if first < BATCH * arguments.published:
                print(f"a lake of {len(accepted):,} damaged files published version {publishes(lake)}", flush=True)
        first += BATCH
    print(
        f"{'source':24}{'tried':>9}{'refused':>9}{'rows kept':>11}{'set aside':>11}{'lost':>6}  most frequent reasons"
    )
    for name, tally in sorted(tallies.items()):
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in tally.set_aside.most_common(REASONS))
        numbers = f"{tally.tried:9,}{tally.refused_whole:9,}{tally.rows:11,}{tally.set_aside.total():11,}"
        print(f"{name:24}{numbers}{len(tally.lost):6}  {reasons}")
    lost = [text for tally in tallies.values() for text in tally.lost]
    if lost:
        sys.exit("sound rows were lost:\n" + "\n".join(lost[:20]))


if __name__ == "__main__":
    main()
