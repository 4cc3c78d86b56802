"""Servers that share a database."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any

from .processes import ROOT, environment, free_port

PATIENCE = 60
"""The seconds to wait for something that takes a few; less than the limit of the whole run."""


class LiveWorker:
    """A server process with its own address."""

    def __init__(
        self,
        folder: Path,
        store: str,
        *,
        name: str = "a",
        command: tuple[str, ...] = (),
        agent: str = "scripted_answers",
        **variables: str,
    ) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.address}/chatkit"
        self.folder = folder
        self._log = folder / f"log-{name}"
        programs = Path(sys.executable).parent
        serve = ("af-chatkit", "serve", f"tests.fakes.{agent}:helper", "--store", store)
        self._command = [*(command or serve), "--port", str(self.port)]
        self._command[0] = str(programs / self._command[0])
        self._variables = {
            "CHATKIT_LEASE": "1",
            "CHATKIT_STORE": store,
            "CHATKIT_AGENT": f"tests.fakes.{agent}:helper",
            "GATES": str(folder),
            **variables,
        }
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
    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        assert self.process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def open(self, gate: str) -> None:
        """Let the answers that wait for a gate continue."""
        (self.folder / gate).touch()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    async def end(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def memory(self) -> int:
        """Return the bytes of memory that the process uses, without garbage."""
        self.process.send_signal(signal.SIGUSR1)
        await asyncio.sleep(1)
        status = Path(f"/proc/{self.process.pid}/statm")
        return int((await asyncio.to_thread(status.read_text)).split()[1]) * PAGE

    async def most_memory(self) -> int:
        """Return the process's peak memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status")
        lines = (await asyncio.to_thread(status.read_text)).splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


PAGE = os.sysconf("SC_PAGESIZE")

PLAIN = ("uvicorn", "--factory", "tests.fakes.scripted_answers:make_app")
"""A server without `af-chatkit` and without limits per visitor."""


@contextmanager
def workers(
    folder: Path, store: str, count: int = 2, **properties: Any
) -> Iterator[list[LiveWorker]]:
    """Run servers that share a database."""
    started = [LiveWorker(folder, store, name=str(number), **properties) for number in range(count)]
    try:
        deadline = time.monotonic() + PATIENCE
        while not all(each.is_ready for each in started):
            assert time.monotonic() < deadline, [each.log for each in started]
            time.sleep(0.1)
        yield started
    finally:
        for each in started:
            if each.process.poll() is None:
                each.kill()


async def until(happened: Callable[[], Any | Awaitable[Any]], what: object = None) -> Any:
    """Wait until `happened` returns a true value, and return it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while True:
        found = happened()
        if isawaitable(found):
            found = await found
        if found:
            return found
        assert loop.time() < deadline, getattr(what, "log", what)
        await asyncio.sleep(0.05)
