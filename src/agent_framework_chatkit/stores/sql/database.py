"""Connects to SQLite or PostgreSQL, and hides their differences."""

from __future__ import annotations

import asyncio
import logging
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    Table,
    bindparam,
    create_engine,
    func,
    literal,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from .availability import (
    Availability,
    OutcomeUnknownError,
    brief,
    is_conflict,
    is_disconnected,
    is_stalled,
    is_unavailable,
)
from .engines import BEGIN, connect, parse_url, prepare_postgresql, prepare_sqlite
from .migrate import copy_tables, keep_tables, upgrade
from .statements import Statements

logger = logging.getLogger(__name__)

T = TypeVar("T")

Work = Callable[[Connection], T]
"""Runs within a transaction. It may run again if the transaction fails."""

_LOCK_TIMEOUT = 15
"""Seconds that SQLite waits for another process, unless the URL says otherwise."""

_CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection to PostgreSQL, unless the URL says otherwise."""

CHANNEL = "chatkit_events"
"""The PostgreSQL channel for notifications between workers."""

_NOTIFY = select(func.pg_notify(CHANNEL, bindparam("b_message")))

_MAX_NOTIFIED = 300
"""The maximum number of thread keys in a notification, which is limited to 8,000 bytes."""

_READERS = 4
"""The number of reader threads."""

_BATCH = 200
"""The maximum number of jobs in one transaction."""


@dataclass
class _Job:
    """Work for the writer, until it is done, and the future that the caller awaits."""

    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


_Outcome = tuple[_Job, Any, "BaseException | None"]


class Database:
    """A database that migrates itself on first use.

    One thread does all writes. It combines waiting jobs into one transaction, because a commit
    costs as much as many statements. Other threads read. Work runs to its end even if the caller
    is cancelled.

    Args:
        url: `sqlite:///file.db`, `sqlite://` for one in memory, or `postgresql://user@host/name`.
        direct_url: PostgreSQL's own URL, if `url` is that of a pooler.

    Raises:
        ValueError: If a URL is invalid, or names another kind of database.
        ImportError: If the driver is not installed.
    """

    def __init__(self, url: str, direct_url: str | None = None) -> None:
        parsed = parse_url(url)
        self.is_sqlite = parsed.drivername == "sqlite"
        direct = None if direct_url is None else parse_url(direct_url)
        if direct is not None and "sqlite" in (direct.drivername, parsed.drivername):
            raise ValueError("Only PostgreSQL has a direct URL.")
        self._anchor: sqlite3.Connection | None = None
        self._memory: str | None = None
        self._setting_up = asyncio.Lock()
        self._is_ready = False
        self._announced: set[int] = set()
        """Keys of the threads that the current transaction changed."""
        self.heartbeat: Callable[[Connection], None] | None = None
        """Called by the writer every `heartbeat_interval` seconds, whether busy or not."""
        self.heartbeat_interval = 1.0
        self._next_heartbeat = 0.0
        self.availability = Availability()
        self.name = secrets.token_hex(8)
        """Identifies this process's own notifications."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self.statements = Statements(self.insert)
        if self.is_sqlite:
            self._set_up_sqlite(parsed)
        else:
            self._set_up_postgresql(parsed, has_pooler=direct is not None)
        self.direct_url = direct or self._url
        """The URL for connections that no pooler may share."""

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's dialect of the database."""
        return self._engine.dialect

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the database."""
        return self._memory is None

    def _set_up_sqlite(self, url: URL) -> None:
        connecting: dict[str, Any] = {"check_same_thread": False}
        if "timeout" not in url.query:
            connecting["timeout"] = _LOCK_TIMEOUT
        self._options: dict[str, Any] = {"connect_args": connecting}
        if url.database in (None, "", ":memory:"):
            # Connections share this in-memory database by its name, so that it survives the failure
            # of one of them.
            self._memory = f"file:/chatkit-{secrets.token_hex(16)}?vfs=memdb"
            url = make_url(f"sqlite:///{self._memory}&uri=true")
        self._url = url
        self._engine = connect(self._url, "sql", poolclass=QueuePool, **self._options)
        prepare_sqlite(self._engine)
        self._reading = self._engine.execution_options(**{BEGIN: "BEGIN"})
        self._snapshots = self._reading

    def _set_up_postgresql(self, url: URL, *, has_pooler: bool) -> None:
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": str(_CONNECT_TIMEOUT)})
        self._url = url
        # Many poolers do not support prepared statements.
        self._options = {"connect_args": {"prepare_threshold": None}} if has_pooler else {}
        self._engine = connect(url, "postgres", **self._options)
        prepare_postgresql(self._engine, has_pooler=has_pooler)
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ")

    async def read(self, work: Work[T], *, is_snapshot: bool = False) -> T:
        """Run work that only reads.

        Args:
            work: The work.
            is_snapshot: Whether all of its statements see the database at one point in time.
        """
        if self._memory is not None:
            # In-memory readers would wait for the writer anyway.
            return await self.write(work)
        engine = self._snapshots if is_snapshot else self._reading
        return await self.availability.retry_if_patient(lambda: self._read(engine, work))

    async def write(self, work: Work[T]) -> T:
        """Run work in a transaction, which is rolled back if the work fails."""
        return await self.availability.retry_if_patient(lambda: self._submit(work))

    def announce(self, thread: int) -> None:
        """Notify other workers, once the transaction is committed, that a thread changed.

        Args:
            thread: The thread's key.
        """
        self._announced.add(thread)

    def insert(self, table: Table) -> postgresql.Insert:
        """Return an insert statement that supports `ON CONFLICT`."""
        # Both classes have the same methods, but no common base that declares them.
        build: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        statement: postgresql.Insert = build(table)
        return statement

    async def migrate(self) -> None:
        """Bring the tables up to date."""
        async with self._setting_up:
            await asyncio.to_thread(self._upgrade)
            self._is_ready = True

    async def check(self) -> None:
        """Run a query, and raise if the database does not respond."""
        await self.read(lambda connection: connection.execute(select(literal(1))).scalar())

    async def close(self) -> None:
        """Wait for running work, and close all connections."""
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        if self._readers is not None:
            await asyncio.to_thread(self._readers.shutdown)
            self._readers = None
        self._engine.dispose()
        self.availability.is_closing = False
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None
            self._is_ready = False

    async def _ensure_ready(self) -> None:
        if not self._is_ready:
            with self.availability.tracked():
                await self.migrate()

    def _upgrade(self) -> None:
        if self._memory is not None and self._anchor is None:
            # An in-memory database lives as long as a connection to it.
            self._anchor = sqlite3.connect(self._memory, uri=True, check_same_thread=False)
            if copy_tables(self._anchor):
                return
        engine = create_engine(self._url, poolclass=NullPool, **self._options)
        if self.is_sqlite:
            prepare_sqlite(engine)
        upgrade(engine)
        if self._anchor is not None:
            keep_tables(self._anchor)

    async def _read(self, engine: Engine, work: Work[T]) -> T:
        await self._ensure_ready()
        if self._readers is None:
            self._readers = ThreadPoolExecutor(_READERS, "chatkit-reader")

        def read() -> T:
            with self.availability.tracked(is_writing=False):
                return _read(engine, work)

        return await asyncio.get_running_loop().run_in_executor(self._readers, read)

    # The writer

    async def _submit(self, work: Work[T]) -> T:
        await self._ensure_ready()
        if self._writer is None:
            self._writer = threading.Thread(target=self._work, name="chatkit-writer", daemon=True)
            self._writer.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, future, loop))
        return await future

    def _work(self) -> None:
        """Run submitted jobs until the database is closed."""
        is_open = True
        while is_open:
            self._beat()
            is_open = self._work_once()

    def _work_once(self) -> bool:
        """Run the next submitted jobs; return whether more may follow."""
        # A separate function, so that no local variable keeps the data alive, which may be large.
        try:
            first = self._jobs.get(timeout=self.heartbeat_interval)
        except queue.Empty:
            return True
        if first is None:
            return False
        jobs = [first]
        is_closing = False
        with suppress(queue.Empty):
            while len(jobs) < _BATCH and not is_closing:
                job = self._jobs.get_nowait()
                is_closing = job is None
                if job is not None:
                    jobs.append(job)
        outcomes = self._do(jobs)
        for job in jobs:
            # The caller may need the memory of what was written before this thread continues.
            del job.work
        _deliver(outcomes)
        return not is_closing

    def _beat(self) -> None:
        heartbeat = self.heartbeat
        if heartbeat is None or time.monotonic() < self._next_heartbeat:
            return
        try:
            with self.availability.tracked(), self._engine.begin() as connection:
                heartbeat(connection)
        except Exception as error:
            # While the database does not respond, nobody can take over the leases either.
            if not is_unavailable(error):
                logger.warning("The worker's heartbeat failed: %s", brief(error))
        self._next_heartbeat = time.monotonic() + self.heartbeat_interval

    def _do(self, jobs: Sequence[_Job], tries: int = 3) -> list[_Outcome]:
        """Run jobs in one transaction or, if one of them fails, in one transaction each."""
        has_begun = is_committing = False
        self._announced.clear()
        try:
            with self.availability.tracked(), self._engine.begin() as connection:
                has_begun = True
                done: list[_Outcome] = [(job, job.work(connection), None) for job in jobs]
                if self._announced and not self.is_sqlite:
                    self._notify(connection)
                is_committing = True
        except BaseException as error:
            if is_committing and is_disconnected(error) and not is_stalled(error):
                unknown = OutcomeUnknownError(brief(error))
                return [(job, None, unknown) for job in jobs]
            # A connection may have been lost since its last use, for example because the server
            # restarted. All others in the pool are then replaced, too.
            is_stale = has_begun and is_disconnected(error)
            if has_begun and len(jobs) > 1 and not is_stale:
                return [outcome for job in jobs for outcome in self._do([job])]
            if (is_stale or is_conflict(error)) and tries > 1:
                return self._do(jobs, tries - 1)
            return [(job, None, error) for job in jobs]
        return done

    def _notify(self, connection: Connection) -> None:
        """Send a PostgreSQL notification with the changed threads to the other workers."""
        keys = sorted(self._announced)
        for start in range(0, len(keys), _MAX_NOTIFIED):
            listed = ",".join(map(str, keys[start : start + _MAX_NOTIFIED]))
            connection.execute(_NOTIFY, {"b_message": f"{self.name}:{listed}"})


def _read(engine: Engine, work: Work[T]) -> T:
    try:
        with engine.connect() as connection:
            return work(connection)
    except DBAPIError as error:
        if not is_disconnected(error):
            raise
    # The connection was lost. Try a new one.
    with engine.connect() as connection:
        return work(connection)


def _deliver(outcomes: Sequence[_Outcome]) -> None:
    """Set the callers' futures."""
    loops = {outcome[0].loop for outcome in outcomes}
    for loop in loops:
        # The loop may already be closed if the caller did not wait.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(
                _resolve, [outcome for outcome in outcomes if outcome[0].loop is loop]
            )


def _resolve(outcomes: Sequence[_Outcome]) -> None:
    for job, result, error in outcomes:
        if job.future.cancelled():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
