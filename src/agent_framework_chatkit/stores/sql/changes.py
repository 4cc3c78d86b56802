"""Watches for writes by other processes."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from .availability import brief
from .database import CHANNEL, Database

if TYPE_CHECKING:
    from psycopg import Notify

logger = logging.getLogger(__name__)

POLL_EVERY = 0.2
"""Seconds between two polls of a database that does not send notifications."""

CATCH_UP_EVERY = 2.0
"""Seconds between two checks of all threads, even if nothing seems to have changed."""

_NO_THREAD = 0
"""The key of no thread: its notification only shows that notifications arrive."""

_HEARD_WITHIN = 5.0
"""Seconds in which a connection must receive its first notification."""

_LISTEN_AGAIN_AFTER = 5.0
"""Seconds between two attempts to receive notifications."""

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
        self._failures = 0
        """The failed attempts since the last success, except while the database did not respond."""
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
                await self._note_failure(error)
                await asyncio.sleep(1)

    async def _note_failure(self, error: Exception) -> None:
        """Log once that watching fails, unless the database fails, which is logged anyway."""
        try:
            await self._database.check()
        except SQLAlchemyError:
            self._failures = 0
            return
        self._failures += 1
        # The first failure may be that of a database that was still starting.
        if self._failures == 2:
            logger.warning("Cannot watch the other workers: %s", brief(error))

    def _note_success(self) -> None:
        if self._failures >= 2:
            logger.warning("Watching the other workers again.")
        self._failures = 0

    async def _watch(self) -> None:
        raise NotImplementedError

    async def _check_threads(self, keys: set[int] | None) -> None:
        if not await self._check(keys):
            self.wanted = False


class _Polling(_Watching):
    """Polls SQLite's `data_version`, which changes when another connection writes."""

    async def _watch(self) -> None:
        path = self._database.direct_url.database or ""
        connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        try:
            loop = asyncio.get_running_loop()
            seen = version = None
            catch_up_at = 0.0
            while self.wanted:
                # The query fails while another process commits or has locked the file.
                with suppress(sqlite3.OperationalError):
                    version = connection.execute("PRAGMA data_version").fetchone()
                if version != seen or loop.time() >= catch_up_at:
                    seen = version
                    catch_up_at = loop.time() + CATCH_UP_EVERY
                    await self._check_threads(None)
                    self._note_success()
                await asyncio.sleep(POLL_EVERY)
        finally:
            connection.close()


class _Listening(_Watching):
    """Listens on a separate PostgreSQL connection, outside the pool, and polls as well.

    It polls often while no notifications arrive, for example behind a pooler.
    """

    def __init__(self, database: Database, check: Check) -> None:
        super().__init__(database, check)
        self._is_notified = False
        self._changed: set[int] = set()
        self._has_changed = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        self._listening.cancel()
        await asyncio.wait([self._listening])
        await super().close()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while self.wanted:
            await self._check_threads(None)
            next_poll = loop.time() + (CATCH_UP_EVERY if self._is_notified else POLL_EVERY)
            while (remaining := next_poll - loop.time()) > 0:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._has_changed.wait(), remaining)
                if self._changed:
                    self._has_changed.clear()
                    changed, self._changed = self._changed, set()
                    await self._check_threads(changed)

    async def _listen(self) -> None:
        while True:
            try:
                await self._receive()
            except Exception as error:
                self._is_notified = False
                await self._note_failure(error)
            await asyncio.sleep(_LISTEN_AGAIN_AFTER)

    async def _receive(self) -> None:
        from psycopg import AsyncConnection

        connection = await AsyncConnection.connect(_dsn(self._database.direct_url), autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            await self._database.write(lambda _: self._database.announce(_NO_THREAD))
            async for notification in connection.notifies(timeout=_HEARD_WITHIN, stop_after=1):
                self._note(notification)
            if not self._is_notified:
                raise TimeoutError(
                    "PostgreSQL's notifications do not arrive; polling instead. Behind a pooler, "
                    "set CHATKIT_DIRECT_STORE or SQLStore(direct_url=...)."
                )
            self._note_success()
            async for notification in connection.notifies():
                self._note(notification)

    def _note(self, notification: Notify) -> None:
        self._is_notified = True
        sender, _, keys = notification.payload.partition(":")
        if sender != self._database.name and self.wanted:
            self._changed.update(map(int, keys.split(",")))
            self._has_changed.set()


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
