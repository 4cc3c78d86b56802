"""Deletes threads and attachments, and remembers attachments whose bytes are still stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from .database import Database
from .tables import attachments, doomed_attachments, owners, requests, threads
from .time import database_time

_BATCH = 200
"""The number of rows to delete per transaction. Others can write in between."""


@dataclass(frozen=True)
class Purged:
    """The result of a purge.

    Attributes:
        threads: The number of deleted threads, each with everything in it.
        attachments: The number of deleted attachments that were never sent.
    """

    threads: int
    attachments: int


class Retention:
    """Deletes threads, attachments and owners.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def delete_threads(self, connection: Connection, keys: Sequence[int]) -> None:
        """Delete threads that the transaction has locked, with everything in them.

        The IDs of their requests are kept, so that a repeated one does not create its thread again.
        """
        self._delete_attachments(connection, attachments.c.thread.in_(keys))
        connection.execute(
            update(requests).where(requests.c.thread.in_(keys)).values(thread=None, digest=None)
        )
        connection.execute(delete(threads).where(threads.c.key.in_(keys)))

    async def purge(self, older_than: timedelta) -> Purged:
        """Delete threads and attachments unused for a time, and owners without threads."""
        now = await self._database.read(lambda c: c.execute(select(database_time())).scalar_one())
        before = now - older_than.total_seconds()
        purged = Purged(
            threads=await self._purge_threads(before),
            attachments=await self._purge_attachments(before),
        )
        await self._purge_owners()
        return purged

    async def doomed_attachments(self, limit: int) -> list[str]:
        """Return the IDs of deleted attachments whose bytes must still be deleted."""
        found = select(doomed_attachments.c.id).limit(limit)
        return await self._database.read(lambda connection: list(connection.scalars(found)))

    async def forget_attachments(self, ids: Sequence[str]) -> None:
        """Forget deleted attachments, once their bytes are deleted too."""
        forget = delete(doomed_attachments).where(doomed_attachments.c.id.in_(ids))
        await self._database.write(lambda connection: connection.execute(forget))

    async def _purge_threads(self, before: float) -> int:
        count = last = 0

        def purge(connection: Connection) -> Sequence[int]:
            # Ordered by key, so that each row is visited once. A locked thread is being written
            # to, and is therefore not old.
            found = connection.scalars(
                select(threads.c.key)
                .where(threads.c.key > last, threads.c.active_at < before)
                .order_by(threads.c.key)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            keys = found.all()
            self.delete_threads(connection, keys)
            return keys

        while keys := await self._database.write(purge):
            count += len(keys)
            last = keys[-1]
        return count

    async def _purge_attachments(self, before: float) -> int:
        def purge(connection: Connection) -> int:
            found = connection.scalars(
                select(attachments.c.id)
                .where(attachments.c.thread.is_(None), attachments.c.created_at < before)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            ids = found.all()
            self._delete_attachments(connection, attachments.c.id.in_(ids))
            return len(ids)

        count = 0
        while purged := await self._database.write(purge):
            count += purged
        return count

    async def _purge_owners(self) -> None:
        is_idle = ~exists().where(threads.c.owner == owners.c.id)

        def purge(connection: Connection) -> int:
            # Threads are added under their owner's lock, so once this transaction holds the lock,
            # the result of the second statement stays valid.
            found = connection.scalars(
                select(owners.c.id).where(is_idle).limit(_BATCH).with_for_update(skip_locked=True)
            )
            ids = found.all()
            connection.execute(delete(owners).where(owners.c.id.in_(ids), is_idle))
            return len(ids)

        while await self._database.write(purge):
            pass

    def _delete_attachments(self, connection: Connection, which: ColumnElement[bool]) -> None:
        """Delete attachments, and keep their IDs in the same transaction.

        If the worker dies before it deletes the bytes, another worker can do so.
        """
        deleted = connection.scalars(delete(attachments).where(which).returning(attachments.c.id))
        ids = [{"id": attachment_id} for attachment_id in deleted]
        if ids:
            connection.execute(
                self._database.insert(doomed_attachments).on_conflict_do_nothing(), ids
            )
