"""Every benchmark, one after the other: `python -m benchmarks [--messages N ...]` (default one and ten million)."""

from __future__ import annotations

import argparse
import subprocess
import sys

PARTS = (
    "one_stream",
    "pipeline",
    "formats",
    "memory",
    "damaged",
    "detection",
    "models_cdnow",
    "models_oulad",
    "models_series",
    "models_topics",
    "models_recovery",
    "models_speed",
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, nargs="+", default=[1_000_000, 10_000_000])
    arguments = parser.parse_args()
    for part in PARTS:
        subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=True)
    for messages in arguments.messages:
        subprocess.run([sys.executable, "-m", "benchmarks.marts", "--messages", str(messages)], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.days", "--messages", str(max(arguments.messages))], check=True)


if __name__ == "__main__":
    main()
