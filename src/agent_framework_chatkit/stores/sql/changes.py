"""Watches for writes by other processes."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from .availability import brief
from .database import CHANNEL, Database

logger = logging.getLogger(__name__)

POLL_EVERY = 0.2
"""Seconds between two polls of a database that does not send notifications."""

Check = Callable[["set[int] | None"], Awaitable[bool]]
"""Checks the threads with these keys, or all of them; returns whether to keep watching."""


class Changes(Protocol):
    """Calls `check` when another process may have changed threads."""

    wanted: bool
    """Whether to watch: set by users, and cleared when `check` returns `False`."""

    async def close(self) -> None:
        """Stop watching."""


def watch_changes(database: Database, check: Check) -> Changes:
    """Return a watcher for a database.

    Args:
        database: The database.
        check: Called when threads may have changed.
    """
    if not database.is_shared:
        return _Nothing()
    if database.is_sqlite:
        return _Polling(database, check)
    return _Listening(database, check)


class _Nothing:
    """The watcher for a database that no other process can access."""

    wanted = False

    async def close(self) -> None:
        return


class _Watching:
    """Watches in a task while `wanted` is set."""

    def __init__(self, database: Database, check: Check) -> None:
        self._database = database
        self._check = check
        self._wanted = asyncio.Event()
        self._is_deaf = False
        self._task = asyncio.create_task(self._run())

    @property
    def wanted(self) -> bool:
        return self._wanted.is_set()

    @wanted.setter
    def wanted(self, value: bool) -> None:
        if value:
            self._wanted.set()
        else:
            self._wanted.clear()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._watch()
            except Exception as error:
                await self._note_deafness(error)
                await asyncio.sleep(1)

    async def _note_deafness(self, error: Exception) -> None:
        """Log once that watching fails, unless the database fails, which is logged anyway."""
        if self._is_deaf:
            return
        with suppress(SQLAlchemyError):
            await self._database.check()
            self._is_deaf = True
            logger.warning("Cannot watch the other workers; trying again: %s", brief(error))

    async def _watch(self) -> None:
        raise NotImplementedError

    async def _look(self, keys: set[int] | None) -> None:
        if not await self._check(keys):
            self.wanted = False
        if self._is_deaf:
            self._is_deaf = False
            logger.warning("Watching the other workers again.")


class _Polling(_Watching):
    """Polls SQLite's `data_version`, which changes when another connection writes."""

    async def _watch(self) -> None:
        path = self._database.url.database or ""
        connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        try:
            seen = version = None
            while self.wanted:
                # The query fails while another process commits or has locked the file.
                with suppress(sqlite3.OperationalError):
                    version = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    await self._look(None)
                await asyncio.sleep(POLL_EVERY)
        finally:
            connection.close()


class _Listening(_Watching):
    """Listens on a separate PostgreSQL connection, outside the pool."""

    async def _watch(self) -> None:
        from psycopg import AsyncConnection

        connection = await AsyncConnection.connect(_dsn(self._database.url), autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            # Catch up on changes before this connection, or while it was lost.
            await self._look(None)
            async for notification in connection.notifies():
                sender, _, keys = notification.payload.partition(":")
                if sender != self._database.name:
                    await self._look({int(key) for key in keys.split(",")})


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
