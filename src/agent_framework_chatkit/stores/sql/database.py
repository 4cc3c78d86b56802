"""Connections to the two databases, and what they do differently."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Double,
    Engine,
    Table,
    create_engine,
    event,
    literal,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool
from sqlalchemy.sql.expression import FunctionElement

from .migrate import upgrade

T = TypeVar("T")
TSelf = TypeVar("TSelf", bound="_OnDatabase")
P = ParamSpec("P")

_USE = "Use sqlite:///chat.db, sqlite:// for one in memory, or postgresql://user@host/name."

_LOCK_TIMEOUT = 30
"""How long, in seconds, SQLite waits while another process writes."""

_BEGIN = "sqlite_begin"
"""The option that names the statement which begins a transaction in SQLite."""

_CONNECT_TIMEOUT = 10
"""How long, in seconds, PostgreSQL may take to answer at first, unless the URL says otherwise."""


class database_time(FunctionElement[float]):  # noqa: N801 it reads as SQL
    """The database's clock, in seconds since 1970: the same for everyone who uses it."""

    type = Double()
    inherit_cache = True


@compiles(database_time, "sqlite")
def _sqlite_time(element: database_time, compiler: Any, **kwargs: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_time, "postgresql")
def _postgresql_time(element: database_time, compiler: Any, **kwargs: Any) -> str:
    # Not now(), which is when the transaction began: it may have waited for a lock since.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


class _OnDatabase(Protocol):
    @property
    def _database(self) -> Database: ...


def finishes(
    method: Callable[Concatenate[TSelf, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[TSelf, P], Coroutine[Any, Any, T]]:
    """Have a method that uses `self._database` go on to its end: see `Database.finish`."""

    @wraps(method)
    async def call(self: TSelf, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.finish(method(self, *args, **kwargs))

    return call


class Database:
    """A database that migrates itself when it is first used.

    Args:
        url: `sqlite:///file.db`, `sqlite://` for one in memory, or `postgresql://user@host/name`.

    Raises:
        ValueError: If it is another kind of database, or no URL.
        ImportError: If the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ValueError(f"That is no URL of a database. {_USE}") from error
        self.is_sqlite = parsed.drivername in ("sqlite", "sqlite+aiosqlite")
        if not self.is_sqlite and parsed.drivername not in (
            "postgres",
            "postgresql",
            "postgresql+psycopg",
        ):
            raise ValueError(f"There is no store for {parsed.drivername}:// databases. {_USE}")
        self._anchor: sqlite3.Connection | None = None
        self._memory: str | None = None
        self._setting_up = asyncio.Lock()
        self._is_ready = False
        self._running: set[asyncio.Task[Any]] = set()
        if self.is_sqlite:
            self._set_up_sqlite(parsed)
        else:
            self._set_up_postgresql(parsed)

    def _set_up_sqlite(self, url: URL) -> None:
        options: dict[str, Any] = {"connect_args": {"timeout": _LOCK_TIMEOUT}}
        pool: dict[str, Any] = {}
        if url.database in (None, "", ":memory:"):
            # A database in memory that connections share by its name, so that it survives when
            # one is thrown away, as one is whose user is cancelled.
            self._memory = f"file:/chatkit-{secrets.token_hex(16)}?vfs=memdb"
            url = make_url(f"sqlite:///{self._memory}&uri=true")
            pool = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}
        self._sync_url = url.set(drivername="sqlite")
        self._sync_options = options
        self._engine = _connect(url.set(drivername="sqlite+aiosqlite"), "sql", **options, **pool)
        _prepare_sqlite(self._engine.sync_engine)
        self._reader = self._engine.execution_options(**{_BEGIN: "BEGIN"})
        # SQLite has one writer at a time. Waiting here is fair, and needs no polling.
        self._writing: AbstractAsyncContextManager[Any] = asyncio.Lock()

    def _set_up_postgresql(self, url: URL) -> None:
        url = url.set(drivername="postgresql+psycopg")
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": str(_CONNECT_TIMEOUT)})
        self._sync_url = url
        self._sync_options = {}
        # A connection may have died since it was last used, as all do when the server restarts.
        self._engine = _connect(url, "postgres", pool_pre_ping=True)
        # What reads is one statement, or does not mind what happens between two.
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = nullcontext()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection to read with."""
        await self._be_ready()
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction, which is rolled back if the block fails."""
        await self._be_ready()
        async with self._writing, self._engine.begin() as connection:
            yield connection

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work that goes on to its end even if whoever awaits it is cancelled.

        A connection whose user is cancelled is of no more use, and what it had locked may stay
        locked; and people cancel a lot: each time that a browser goes away.
        """
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    def insert(self, table: Table) -> postgresql.Insert:
        """Return an insert that can say what to do about a row that is there already."""
        # The two have the same methods, and nothing in common that declares them.
        build: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        statement: postgresql.Insert = build(table)
        return statement

    async def migrate(self) -> None:
        """Bring the tables up to date."""
        async with self._setting_up:
            if self._memory is not None and self._anchor is None:
                # The database lives as long as a connection to it.
                self._anchor = sqlite3.connect(self._memory, uri=True, check_same_thread=False)
            # In a thread, with a synchronous driver: Alembic keeps what it works on in global
            # variables, which two of them on one event loop would take from each other.
            await asyncio.to_thread(self._upgrade)
            self._is_ready = True

    async def check(self) -> None:
        """Ask the database for something, and raise if it does not answer."""
        async with self.read() as connection:
            await connection.execute(select(literal(1)))

    async def close(self) -> None:
        """Wait for what is running, and close all connections."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._engine.dispose()
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None
            self._is_ready = False

    async def _be_ready(self) -> None:
        if not self._is_ready:
            await self.migrate()

    def _upgrade(self) -> None:
        engine = create_engine(self._sync_url, poolclass=NullPool, **self._sync_options)
        if self.is_sqlite:
            _prepare_sqlite(engine)
        upgrade(engine)


def _connect(url: URL, extra: str, **options: Any) -> AsyncEngine:
    try:
        # What a statement holds is what people said, and is not for a log.
        return create_async_engine(url, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{url.get_backend_name()} needs {error.name!r}, which is not installed: "
            f"pip install 'agent-framework-chatkit[{extra}]'"
        ) from error


def _prepare_sqlite(engine: Engine) -> None:
    """Have transactions begin as they should, and foreign keys be checked."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        # The driver's own way of beginning transactions would begin them too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading cannot wait for another writer when it comes to
        # writing: it fails. So one that will write says so at once.
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get(_BEGIN, "BEGIN IMMEDIATE"))
