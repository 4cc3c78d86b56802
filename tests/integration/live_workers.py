"""Servers that share a database."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any

from .processes import PATIENCE, ServerProcess, program


class LiveWorker(ServerProcess):
    """A server with an agent whose answers may wait for gates."""

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
        self.folder = folder
        helper = f"tests.fakes.{agent}:helper"
        first, *others = command or ("af-chatkit", "serve", helper, "--store", store)
        settings = {
            # A busy machine may pause a process for a second.
            "CHATKIT_LEASE": "4",
            "CHATKIT_STORE": store,
            "CHATKIT_AGENT": helper,
            "GATES": str(folder),
            **variables,
        }
        super().__init__([program(first), *others], folder / f"log-{name}", **settings)

    @property
    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        assert self.process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def open(self, gate: str) -> None:
        """Let the answers that wait for a gate continue."""
        (self.folder / gate).touch()

    async def end(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def memory(self) -> int:
        """Return the bytes of memory that the process uses, without garbage."""
        collected = self.folder / f"collected-{self.process.pid}"
        self.process.send_signal(signal.SIGUSR1)
        await until(collected.exists, self)
        await asyncio.to_thread(collected.unlink)
        status = Path(f"/proc/{self.process.pid}/statm")
        return int((await asyncio.to_thread(status.read_text)).split()[1]) * PAGE

    async def most_memory(self) -> int:
        """Return the process's peak memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status")
        lines = (await asyncio.to_thread(status.read_text)).splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def forget_most_memory(self) -> None:
        """Measure the peak memory anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


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
