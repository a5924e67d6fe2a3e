"""The two web interfaces, started and stopped together. What they show is made by runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from data_lake.layout import Layout
from orchestration.home import prepare
from orchestration.project import REPOSITORY

HOST = "127.0.0.1"
STOP_PATIENCE_SECONDS = 15
# Without it MLflow 3.17 opens every experiment on an overview for language models, whatever its tags say.
MODEL_TRAINING = "/#/experiments?workflowType=machine_learning"


def commands(layout: Layout, port: int, mlflow_port: int) -> dict[str, list[str]]:
    """The command that starts each interface, by the address it is found at."""
    dagster = [sys.executable, "-m", "dagster", "dev", "-h", HOST, "-p", str(port)]
    dagster += ["-w", str(REPOSITORY / "workspace.yaml")]
    mlflow = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(mlflow_port)]
    mlflow += ["--backend-store-uri", f"sqlite:///{layout.tracking}"]
    mlflow += ["--artifacts-destination", str(layout.artifacts)]
    return {f"http://{HOST}:{port}": dagster, f"http://{HOST}:{mlflow_port}{MODEL_TRAINING}": mlflow}


def serve(layout: Layout, port: int, mlflow_port: int, say: Callable[[str], None]) -> None:
    """Start both and wait: until Ctrl-C, a termination, or one of them ends; then stop the other."""
    # The tracking server alone: its job workers are for services this lake does not use.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    layout.artifacts.mkdir(parents=True, exist_ok=True)
    log = prepare(layout) / "logs" / "ui.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    running: list[subprocess.Popen[bytes]] = []
    with log.open("wb") as sink:
        try:
            started = commands(layout, port, mlflow_port).items()
            for name, (address, command) in zip(("Dagster", "MLflow"), started, strict=True):
                # A group of its own: Ctrl-C reaches us alone, and we stop each with its children.
                process = subprocess.Popen(command, cwd=REPOSITORY, stdout=sink, stderr=sink, start_new_session=True)
                running.append(process)
                say(f"{name:<8} {address}")
            say("         choose 'Model training' at the top left once: the browser remembers it")
            say(f"starting takes some seconds; Ctrl-C stops both; log: {log}")
            while all(process.poll() is None for process in running):
                time.sleep(0.5)
            say(f"one of the two ended by itself; the log says why: {log}")
        except KeyboardInterrupt:
            say("stopping")
        finally:
            _stop(running)


def _stop(running: list[subprocess.Popen[bytes]]) -> None:
    """End both with everything they started: each is a process group."""
    for process in running:
        _signal(process, signal.SIGTERM)
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_PATIENCE_SECONDS)
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
