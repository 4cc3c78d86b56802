"""Runs programs as a user does: servers, and the samples."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 120
"""The seconds to wait for something that takes a few, before the test fails."""


MODELS = ("MODEL", "OPENAI_", "AZURE_OPENAI_", "OLLAMA_")
"""The prefixes of the variables that select a model."""


def program(name: str) -> str:
    """Return the path of a command in Python's environment."""
    return str(Path(sys.executable).with_name(name))


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    """Return a process's environment, in which only the given variables select a model."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(MODELS)},
        **variables,
    }


def run(
    module: str, *arguments: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run one of the samples' modules to its end."""
    return subprocess.run(
        [sys.executable, "-m", f"samples.{module}", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**variables),
        timeout=PATIENCE,
        check=False,
    )


def wait_for(happened: Callable[[], Any], what: object = None) -> None:
    """Wait until a condition holds; `what` explains a failure, with its log if it has one."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, getattr(what, "log", what)
        time.sleep(0.1)


def is_healthy(address: str) -> bool:
    """Return whether a server responds, and its database too."""
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


class ServerProcess:
    """A server with its own address, which a test may stop and start again.

    Args:
        command: The command, to which the port is added.
        log: The file for its output.
        variables: Environment variables.
    """

    def __init__(self, command: Sequence[str], log: Path, **variables: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.address}/chatkit"
        self._command = [*command, "--port", str(self.port)]
        self._log = log
        self._variables = variables
        self.start()

    def start(self) -> None:
        with self._log.open("a") as output:
            self.process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=environment(**self._variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its workers."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """Kill all processes at once, so that none can do anything more."""
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


class Service:
    """One of the samples' modules that serves ChatKit on a free port until it is stopped."""

    def __init__(self, module: str, log: Path, *arguments: str, **variables: str) -> None:
        self._log = log
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"samples.{module}", "--port", "0", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                # It stores its files next to its log.
                env=environment(PYTHONPATH=path, **variables),
            )

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def log(self) -> str:
        """The output of the process so far."""
        return self._log.read_text()

    @cached_property
    def url(self) -> str:
        """The URL of the endpoint, once it is served."""
        return self.wait_for(r"http://127\.0\.0\.1:\d+/chatkit")

    def wait_for(self, pattern: str) -> str:
        """Wait until the output matches a pattern, and return the match."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            has_ended = self._process.poll() is not None
            if found := re.search(pattern, self.log):
                return found[0]
            assert not has_ended, f"The process ended:\n{self.log}"
            time.sleep(0.05)
        raise AssertionError(f"The process did not print {pattern!r}:\n{self.log}")

    def stop(self, by: signal.Signals) -> int:
        """Stop the process and return its exit code."""
        self._process.send_signal(by)
        return self._process.wait(PATIENCE)
