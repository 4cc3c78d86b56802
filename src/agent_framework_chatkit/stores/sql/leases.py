"""Leases: the right to write to a thread, and the detection of dead workers.

A worker that holds leases increments a counter in the database. The others time it with their own
clocks: if a counter does not change, its worker is suspected; if it still has not changed when they
look again, the worker is considered dead. So workers never compare clocks, and no worker is
considered dead while the database is locked or does not respond.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from .availability import brief, is_unavailable
from .database import Database
from .tables import workers
from .turn_rows import Lease, OrphanedTurnError, TurnRow
from .turns import Turns

logger = logging.getLogger(__name__)


class Leases:
    """The leases of one worker, and whether other workers are alive.

    Args:
        database: The database that the workers share.
        turns: Stores the leases.
        lease: The maximum number of seconds until a dead worker's leases are free.
    """

    def __init__(self, database: Database, turns: Turns, lease: float) -> None:
        self._database = database
        self._turns = turns
        self._lease = lease
        self.worker = secrets.token_hex(8)
        """The ID of this worker."""
        self.found_dead = asyncio.Event()
        """Set when another worker died, which may have left turns."""
        self._starting = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._keepers: set[asyncio.Task[None]] = set()
        self._seen: dict[str, tuple[int, float]] = {}
        """Other workers' counters, and the time at which each value was first seen."""

    async def start(self) -> None:
        """Start this worker's heartbeat, and watch the other workers, until `close`."""
        if self._watching is None:
            async with self._starting:
                await self._start()

    async def _start(self) -> None:
        if self._watching is None:
            await self._database.write(self._beat)
            self._database.heartbeat_interval = min(1.0, self._lease / 8)
            self._database.heartbeat = self._beat
            self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Release the leases, and sign off."""
        await asyncio.gather(*self._keepers, return_exceptions=True)
        if self._watching is None:
            return
        self._watching.cancel()
        await asyncio.wait([self._watching])
        self._watching = None
        self._database.heartbeat = None
        try:
            leave = delete(workers).where(workers.c.id == self.worker)
            await self._database.write(lambda connection: connection.execute(leave))
        except SQLAlchemyError as error:
            logger.warning("The worker could not sign off: %s", brief(error))

    @asynccontextmanager
    async def hold(self, thread_id: str, owner: str) -> AsyncIterator[None]:
        """Hold the lease on a thread while the block runs.

        Raises:
            NotFoundError: If the owner has no such thread.
            ThreadBusyError: If another run holds it.
        """
        held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        end = asyncio.Event()
        keeper = asyncio.create_task(self._keep(thread_id, owner, held, end))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        # The caller may be cancelled at any point, and more than once. The keeper is not, so it
        # always releases the lease.
        try:
            await asyncio.shield(held)
            yield
        finally:
            end.set()
            await asyncio.shield(keeper)

    async def _keep(
        self, thread_id: str, owner: str, held: asyncio.Future[None], end: asyncio.Event
    ) -> None:
        try:
            lease = await self._take(thread_id, owner)
        except Exception as error:
            held.set_exception(error)
            return
        held.set_result(None)
        await end.wait()
        try:
            if not await self._turns.release(lease):
                logger.error("The lease on thread %r was lost before it was released.", thread_id)
        except SQLAlchemyError as error:
            logger.warning("Could not release the lease on thread %r: %s", thread_id, brief(error))

    async def _take(self, thread_id: str, owner: str) -> Lease:
        await self.start()
        run = secrets.token_hex(8)
        try:
            return await self._turns.hold(thread_id, owner, run, self.worker)
        except OrphanedTurnError as orphaned:
            await self._abandon(orphaned.turn)
            return await self._turns.hold(thread_id, owner, run, self.worker)

    async def _abandon(self, turn: TurnRow) -> None:
        """Release a dead worker's lease: no server here can end its turn."""
        lease = Lease(turn.key, turn.run, turn.worker or "")
        await self._turns.release(lease)

    def _beat(self, connection: Connection) -> None:
        moved = connection.execute(
            update(workers)
            .where(workers.c.id == self.worker)
            .values(beat=workers.c.beat + 1, suspect=None)
        )
        if moved.rowcount == 0:
            # A new worker, or one that others considered dead. It keeps the leases not yet taken.
            connection.execute(insert(workers).values(id=self.worker, beat=0))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 5)
            try:
                await self._check()
            except SQLAlchemyError as error:
                # While the database fails, no worker can show that it is alive.
                self._seen.clear()
                if not is_unavailable(error):
                    logger.warning("Cannot watch the other workers: %s", brief(error))

    async def _check(self) -> None:
        others = select(workers.c.id, workers.c.beat, workers.c.suspect).where(
            workers.c.id != self.worker
        )
        rows = await self._database.read(lambda connection: connection.execute(others).all())
        now = time.monotonic()
        known, self._seen = self._seen, {}
        stalled: list[tuple[str, int, str | None]] = []
        # Workers whose counters change, so that they can act on their suspicions.
        alive = {self.worker}
        for row in rows:
            beat, since = known.get(row.id, (-1, now))
            self._seen[row.id] = (row.beat, since if beat == row.beat else now)
            if now - self._seen[row.id][1] >= self._lease * 0.4:
                stalled.append((row.id, row.beat, row.suspect))
            else:
                alive.add(row.id)
        for worker, beat, suspected_by in stalled:
            if suspected_by == self.worker:
                if await self._declare_dead(worker, beat):
                    logger.warning("Worker %s died; ending its turns.", worker)
                    self.found_dead.set()
            # If workers kept taking over each other's suspicion, none would ever act on it.
            elif suspected_by not in alive:
                await self._suspect(worker, beat)

    async def _suspect(self, worker: str, beat: int) -> None:
        # The suspect may be waiting for the database too, and can still show that it is alive.
        statement = (
            update(workers)
            .where(workers.c.id == worker, workers.c.beat == beat)
            .values(suspect=self.worker)
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def _declare_dead(self, worker: str, beat: int) -> bool:
        statement = delete(workers).where(
            workers.c.id == worker, workers.c.beat == beat, workers.c.suspect == self.worker
        )
        return await self._database.write(lambda c: c.execute(statement).rowcount == 1)
