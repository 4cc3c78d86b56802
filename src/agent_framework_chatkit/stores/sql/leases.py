"""One turn at a time: a lease on a thread, which its holder renews and anyone may take over."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Delete, Update, delete, update
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ThreadBusyError
from .database import Database, database_time
from .rows import hold_thread
from .tables import turns

logger = logging.getLogger(__name__)


class Turns:
    """Gives out leases.

    Args:
        database: Where they are written down, and whose clock says when they end.
        lease: How long one lasts, in seconds, when its holder does not renew it.
    """

    def __init__(self, database: Database, lease: float) -> None:
        self._database = database
        self._lease = lease
        self._keepers: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def hold(self, thread_id: str, owner: str) -> AsyncIterator[None]:
        """Hold the lease on a thread while the block runs.

        Raises:
            NotFoundError: If the owner has no such thread.
            ThreadBusyError: If someone else holds it.
        """
        held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        end = asyncio.Event()
        keeper = asyncio.create_task(self._keep(thread_id, owner, held, end))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        # Whoever holds the lease may be cancelled at any point, and more than once. The keeper is
        # not: it gives back what it has taken.
        try:
            await asyncio.shield(held)
            yield
        finally:
            end.set()
            await asyncio.shield(keeper)

    async def close(self) -> None:
        """Wait until the leases of turns that have ended are given back."""
        await asyncio.gather(*self._keepers)

    async def _keep(
        self, thread_id: str, owner: str, held: asyncio.Future[None], end: asyncio.Event
    ) -> None:
        """Take a lease, renew it until the turn ends, then give it back."""
        token = secrets.token_hex(16)
        try:
            thread = await self._acquire(thread_id, owner, token)
        except Exception as error:
            held.set_exception(error)
            return
        held.set_result(None)
        lease = (turns.c.thread == thread) & (turns.c.token == token)
        renew = update(turns).where(lease).values(expires_at=database_time() + self._lease)
        while not await _ends_within(end, self._lease / 3):
            await self._try(renew, "renewed")
        await self._try(delete(turns).where(lease), "given back")

    async def _acquire(self, thread_id: str, owner: str, token: str) -> int:
        async with self._database.write() as connection:
            thread = await hold_thread(connection, thread_id, owner)
            insert = self._database.insert(turns).values(
                thread=thread, token=token, expires_at=database_time() + self._lease
            )
            taken = await connection.scalar(
                insert.on_conflict_do_update(
                    index_elements=[turns.c.thread],
                    set_={"token": insert.excluded.token, "expires_at": insert.excluded.expires_at},
                    where=turns.c.expires_at <= database_time(),
                ).returning(turns.c.token)
            )
        if taken is None:
            raise ThreadBusyError(thread_id)
        return thread

    async def _try(self, statement: Update | Delete, what: str) -> None:
        """Execute a statement on the lease; a failure is no failure of the turn."""
        try:
            async with self._database.write() as connection:
                is_held = (await connection.execute(statement)).rowcount == 1
        except SQLAlchemyError:
            # While the database is gone, no one can take the lease over either.
            logger.warning("A turn's lease cannot be %s.", what, exc_info=True)
            return
        if not is_held:
            logger.error("A turn's lease had expired before it was %s.", what)


async def _ends_within(end: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(end.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
