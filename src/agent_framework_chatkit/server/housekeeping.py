"""Ends the turns of dead workers and deletes old logs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ..error_log import log_error
from ..stores import SQLStore
from ..stores.sql.availability import brief, is_unavailable
from ..stores.sql.turn_rows import TurnRow
from .interruption import interrupted_turn
from .run import new_run_id

logger = logging.getLogger(__name__)

LOG_KEPT_FOR = 300.0
"""Seconds to keep a thread's log after its last event."""


class Housekeeping:
    """Cleans up after dead workers.

    Args:
        store: Stores the threads and their logs.
        notify: Called with the key of a thread whose turn was ended.
    """

    def __init__(self, store: SQLStore[Any], notify: Callable[[int], None]) -> None:
        self._store = store
        self._notify = notify
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start, if not started yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def end_orphan(self, turn: TurnRow) -> None:
        """End a dead worker's turn, with the items and messages in its log."""
        run = new_run_id()
        if await self._store.turns.interrupt(
            turn,
            run,
            lambda thread_id, stored, log: interrupted_turn(turn, run, thread_id, stored, log),
        ):
            if turn.state == "running":
                logger.warning("Turn %s was interrupted: its worker died.", turn.id)
            self._notify(turn.key)

    async def _run(self) -> None:
        found_dead = self._store.leases.found_dead
        purge_at = time.monotonic() + 60
        found_dead.set()
        while True:
            await _wait(found_dead, 30)
            found_dead.clear()
            try:
                for turn in await self._store.log.orphans():
                    await self._try_to_end(turn)
                if time.monotonic() >= purge_at:
                    purge_at = time.monotonic() + 60
                    await self._store.turns.purge_log(LOG_KEPT_FOR)
            except SQLAlchemyError as error:
                if not is_unavailable(error):
                    logger.warning("Cannot look for turns of dead workers: %s", brief(error))

    async def _try_to_end(self, turn: TurnRow) -> None:
        try:
            await self.end_orphan(turn)
        except SQLAlchemyError:
            raise
        except Exception:
            # Go on with the others.
            log_error(logger, "Could not end turn %s of a dead worker.", turn.id)


async def _wait(event: asyncio.Event, timeout: float) -> None:
    """Wait for an event, for at most `timeout` seconds.

    Before Python 3.12, `asyncio.wait_for` may swallow a cancellation that coincides with the event.
    """
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait([waiting], timeout=timeout)
    finally:
        waiting.cancel()
