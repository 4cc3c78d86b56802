"""Deletes threads and attachments, and remembers whose bytes are still to be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database, database_time, finishes
from .tables import attachments, doomed_attachments, owners, threads

_BATCH = 200
"""How many rows go in a transaction. Others get to write in between."""


@dataclass(frozen=True)
class Purged:
    """How much was deleted because of its age.

    Attributes:
        threads: Threads, each with everything in it.
        attachments: Attachments that were uploaded and never sent.
    """

    threads: int
    attachments: int


class Retention:
    """Deletes what is no longer wanted.

    Args:
        database: Where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete_threads(self, connection: AsyncConnection, keys: Sequence[int]) -> None:
        """Delete threads that the transaction has locked, and everything in them."""
        await self._delete_attachments(connection, attachments.c.thread.in_(keys))
        await connection.execute(delete(threads).where(threads.c.key.in_(keys)))

    @finishes
    async def purge(self, older_than: timedelta) -> Purged:
        """Delete what nothing was done to for a time, and owners that have no threads left."""
        async with self._database.read() as connection:
            now = (await connection.execute(select(database_time()))).scalar_one()
        before = now - older_than.total_seconds()
        purged = Purged(
            threads=await self._purge_threads(before),
            attachments=await self._purge_attachments(before),
        )
        await self._purge_owners()
        return purged

    @finishes
    async def doomed_attachments(self, limit: int) -> list[str]:
        """Return ids of deleted attachments whose bytes are still to be deleted."""
        async with self._database.read() as connection:
            return list(await connection.scalars(select(doomed_attachments.c.id).limit(limit)))

    @finishes
    async def forget_attachments(self, ids: Sequence[str]) -> None:
        """Forget deleted attachments, whose bytes are deleted too now."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(doomed_attachments).where(doomed_attachments.c.id.in_(ids))
            )

    async def _purge_threads(self, before: float) -> int:
        count = last = 0
        while True:
            async with self._database.write() as connection:
                # In the order of the key, so that each row is looked at once. A thread that is
                # locked is being written to, and so is not old.
                found = await connection.scalars(
                    select(threads.c.key)
                    .where(threads.c.key > last, threads.c.active_at < before)
                    .order_by(threads.c.key)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True)
                )
                keys = found.all()
                if not keys:
                    return count
                await self.delete_threads(connection, keys)
            count += len(keys)
            last = keys[-1]

    async def _purge_attachments(self, before: float) -> int:
        count = 0
        while True:
            async with self._database.write() as connection:
                found = await connection.scalars(
                    select(attachments.c.id)
                    .where(attachments.c.thread.is_(None), attachments.c.created_at < before)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True)
                )
                ids = found.all()
                if not ids:
                    return count
                await self._delete_attachments(connection, attachments.c.id.in_(ids))
            count += len(ids)

    async def _purge_owners(self) -> None:
        is_idle = ~exists().where(threads.c.owner == owners.c.id)
        while True:
            async with self._database.write() as connection:
                # A thread is added under its owner's lock. So once the lock is held, what the
                # second statement sees stays true.
                found = await connection.scalars(
                    select(owners.c.id)
                    .where(is_idle)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True)
                )
                ids = found.all()
                if not ids:
                    return
                await connection.execute(delete(owners).where(owners.c.id.in_(ids), is_idle))

    async def _delete_attachments(
        self, connection: AsyncConnection, which: ColumnElement[bool]
    ) -> None:
        """Delete attachments, and remember their ids in the same transaction.

        A worker that dies before it has deleted their bytes leaves them to another.
        """
        deleted = await connection.scalars(
            delete(attachments).where(which).returning(attachments.c.id)
        )
        ids = [{"id": attachment_id} for attachment_id in deleted]
        if ids:
            await connection.execute(
                self._database.insert(doomed_attachments).on_conflict_do_nothing(), ids
            )
