"""Sends the text of all runs and writes their logs at regular intervals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ..stores import SQLStore
from ..stores.sql.turn_rows import LogRow
from .run import Run

GROUP_COMMIT_EVERY = 0.06
"""Seconds between two commits of streamed events.

A killed worker loses the events since the last commit began, so rarely more than 100 ms of them.
"""

LONGEST_INTERVAL = 0.15
"""Maximum seconds between two text deltas, and two commits, while sending takes long."""


class GroupCommits:
    """Writes the streamed events of all runs of a worker in one transaction.

    Args:
        runs: The runs by ID. The worker changes this mapping.
        store: Stores the logs.
        text_interval: Seconds between two text deltas of a run.
    """

    def __init__(
        self,
        runs: Mapping[str, Run],
        store: SQLStore[Any],
        text_interval: float,
    ) -> None:
        self._runs = runs
        self._store = store
        self._text_interval = text_interval
        self._ticking: asyncio.Task[None] | None = None
        self._appending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start committing, until there are no more runs."""
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Stop after the current write."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait([self._ticking])
        if self._appending is not None:
            await asyncio.wait([self._appending])

    async def _tick(self) -> None:
        shortest = min(self._text_interval or GROUP_COMMIT_EVERY, GROUP_COMMIT_EVERY)
        interval = shortest
        next_commit = time.monotonic() + GROUP_COMMIT_EVERY
        while self._runs:
            await asyncio.sleep(interval)
            started_at = time.monotonic()
            for run in tuple(self._runs.values()):
                run.writer.text.tick()
            is_free = self._appending is None or self._appending.done()
            if is_free and started_at >= next_commit:
                next_commit = started_at + GROUP_COMMIT_EVERY
                self._appending = asyncio.create_task(self._append())
            # Meanwhile, the followers send the text. If they are many, send less often, so that
            # the agents have time to run.
            await asyncio.sleep(0)
            sending = time.monotonic() - started_at
            interval = min(max(shortest, 3 * sending), LONGEST_INTERVAL)

    async def _append(self) -> None:
        """Write the logs of all runs in one transaction."""
        held: list[Run] = []
        rows: list[tuple[Run, LogRow]] = []
        try:
            for run in tuple(self._runs.values()):
                run.note_thread()
                if not run.writer.is_dirty:
                    continue
                if not run.writer.has_only_log:
                    run.writer.commit_soon()
                    continue
                # The lock was free a moment ago, but another task may be waiting for it.
                await run.writer.lock.acquire()
                held.append(run)
                row = run.writer.try_to_take_log() if run.writer.may_append() else None
                if row is not None:
                    rows.append((run, row))
            if not rows:
                return
            lost = await self._store.turns.append([(run.lease, row) for run, row in rows])
        finally:
            for run in held:
                run.writer.lock.release()
        for run, row in rows:
            if run.lease not in lost:
                run.writer.note_committed(row.last)
        for run, _ in rows:
            if run.lease in lost:
                await run.writer.lose_lease()
