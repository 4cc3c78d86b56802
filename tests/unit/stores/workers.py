"""Processes that use a store like a server's workers, and that can be killed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from chatkit.types import HiddenContextItem

from agent_framework_chatkit.stores import SQLStore, ThreadBusyError

ANN = {"user_id": "ann"}


class Worker:
    """Executes commands one after another, and reports each result."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def send(self, command: str, *arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *arguments]).encode() + b"\n")

    async def read(self, expected: str | None = None) -> str:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        assert line, "the worker has failed"
        assert expected is None or line == expected
        return line

    async def read_rest(self) -> list[str]:
        """Return the remaining reports of a killed worker."""
        assert self._process.stdout is not None
        return (await self._process.stdout.read()).decode().split()

    def kill(self) -> None:
        self._process.kill()


@asynccontextmanager
async def run_worker() -> AsyncIterator[Worker]:
    """Start a worker, and wait until it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    try:
        worker = Worker(process)
        await worker.read("ready")
        yield worker
    finally:
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def migrate(url: str) -> None:
    async with SQLStore(url) as store:
        await store.migrate()
    report("migrated")


async def count(url: str, times: int) -> None:
    """Increment a number in a thread by reading and writing it."""
    async with SQLStore(url) as store:
        while times:
            with suppress(ThreadBusyError):
                async with store.turn("thr_1", ANN):
                    thread = await store.load_thread("thr_1", ANN)
                    thread.metadata["count"] += 1
                    await store.save_thread(thread, ANN)
                    times -= 1
            await asyncio.sleep(0.001)
    report("counted")


async def hold(url: str, lease: float) -> None:
    async with SQLStore(url, lease=lease) as store, store.turn("thr_1", ANN):
        report("held")
        await asyncio.sleep(600)


async def write(url: str) -> None:
    """Add items, and report each stored one."""
    async with SQLStore(url) as store:
        number = 0
        while True:
            number += 1
            await store.add_thread_item(
                "thr_1",
                HiddenContextItem(
                    id=f"msg_{number}",
                    thread_id="thr_1",
                    created_at=datetime(2026, 1, 1),
                    content="x" * 5000,
                ),
                ANN,
            )
            report(f"msg_{number}")


def report(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    report("ready")
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        asyncio.run({f.__name__: f for f in (migrate, count, hold, write)}[command](*arguments))


if __name__ == "__main__":
    main()
