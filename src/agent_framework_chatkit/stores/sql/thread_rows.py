"""The rows of threads, without their contents."""

from __future__ import annotations

from chatkit.types import Page, ThreadMetadata
from sqlalchemy import Connection, select, update

from .database import Database
from .retention import Retention
from .rows import load_page, position_after, unknown_thread
from .search_index import index_title
from .tables import threads
from .time import database_time
from .writes import add_new_thread, dump_thread, parse_thread


class ThreadRows:
    """The threads of owners.

    Args:
        database: The database.
        retention: Deletes the contents of a thread.
    """

    def __init__(self, database: Database, retention: Retention) -> None:
        self._database = database
        self._retention = retention

    async def load(self, thread_id: str, owner: str) -> ThreadMetadata:
        """Load a thread; see `SQLStore.load_thread`."""
        statement = select(threads.c.data).where(
            threads.c.id == thread_id, threads.c.owner == owner
        )
        data = await self._database.read(lambda connection: connection.scalar(statement))
        thread = None if data is None else parse_thread(thread_id, data)
        if thread is None:
            raise unknown_thread(thread_id)
        return thread

    async def save(self, thread: ThreadMetadata, owner: str) -> None:
        """Add or replace a thread; see `SQLStore.save_thread`."""
        data = dump_thread(thread)

        def save(connection: Connection) -> None:
            key = connection.scalar(
                update(threads)
                .where(threads.c.id == thread.id, threads.c.owner == owner)
                .values(data=data, active_at=database_time())
                .returning(threads.c.key)
            )
            if key is None:
                add_new_thread(self._database, connection, thread, owner)
            else:
                index_title(self._database, connection, key, thread.title)

        await self._database.write(save)

    async def load_page(
        self, owner: str, after: str | None, limit: int, order: str
    ) -> Page[ThreadMetadata]:
        """Load a page of an owner's threads; see `SQLStore.load_threads`."""
        scope = threads.c.owner == owner

        def load(connection: Connection) -> Page[ThreadMetadata]:
            position = position_after(connection, threads, scope, after, unknown_thread)
            return load_page(
                connection,
                threads,
                scope,
                parse_thread,
                position=position,
                limit=limit,
                order=order,
            )

        return await self._database.read(load)

    async def delete(self, thread_id: str, owner: str) -> None:
        """Delete a thread and everything that belongs to it; see `SQLStore.delete_thread`."""

        def delete(connection: Connection) -> None:
            key = connection.scalar(
                select(threads.c.key)
                .where(threads.c.id == thread_id, threads.c.owner == owner)
                .with_for_update()
            )
            if key is None:
                raise unknown_thread(thread_id)
            self._retention.delete_threads(connection, [key])
            self._database.announce(key)

        await self._database.write(delete)
