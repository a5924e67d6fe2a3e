"""Peak memory of reading TwitchDownloader chats of growing size, as whole processes: flat is the aim.

The files are one block of comments over and over, written and removed here.

    python -m benchmarks.memory [--megabytes 200 2000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.formats import write_comments
from benchmarks.measure import run

BLOCK_ROWS = 20_000


def write_repeated(path: Path, megabytes: int, block: Path) -> None:
    """A chat of about so many megabytes; the comments keep their ids, which a parser does not compare."""
    write_comments(block, BLOCK_ROWS)
    head, _, comments = block.read_bytes().partition(b'"comments":[')
    comments = comments.removesuffix(b"]}")
    with path.open("wb") as file:
        file.write(head + b'"comments":[' + comments)
        while file.tell() < megabytes * 1_000_000:
            file.write(b"," + comments)
        file.write(b"]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[200, 2000])
    options = parser.parse_args()
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "chat.json")
            write_repeated(path, megabytes, Path(folder, "block.json"))
            command = ["-m", "benchmarks.formats", "--child", "ours", "twitch_downloader", str(path)]
            usage = run([sys.executable, *command])
            size = path.stat().st_size / 1e6
        print(f"{size:8,.0f} MB {size / usage.seconds:7.0f} MB/s  peak {usage.peak_mb:7,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
