"""Creates and prepares the connections to SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError

from .availability import is_stalled

_USE = "Use sqlite:///chat.db, sqlite:// for one in memory, or postgresql://user@host/name."

BEGIN = "sqlite_begin"
"""The execution option with the statement that starts a transaction in SQLite."""


def parse_url(url: str) -> URL:
    """Return a URL with the name of its driver.

    Raises:
        ValueError: If it is not a URL, or names another kind of database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"Not a database URL. {_USE}") from error
    if parsed.drivername in ("sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"):
        if parsed.host:
            # SQLAlchemy would ignore it, and keep the data only in memory.
            path = f"{parsed.host}/{parsed.database}" if parsed.database else parsed.host
            raise ValueError(f"Name SQLite's file after three slashes: sqlite:///{path}")
        return parsed.set(drivername="sqlite")
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"{parsed.drivername}:// databases are not supported. {_USE}")


def connect(url: URL, extra: str, **options: Any) -> Engine:
    """Return an engine.

    Args:
        url: The database.
        extra: The extra of this package that installs the driver.
        options: Options of the engine.

    Raises:
        ImportError: If the driver is not installed.
    """
    try:
        # Parameters contain users' texts, which must not be logged.
        return create_engine(url, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{url.get_backend_name()} needs {error.name!r}, which is not installed: "
            f"pip install 'agent-framework-chatkit[{extra}]'"
        ) from error


_STALLED_FOR = 5_000
"""Milliseconds after which PostgreSQL ends a transaction that waits for its worker.

A worker that was paused, or whose machine is gone, would otherwise keep its locks: no other worker
could end its turns.
"""


def prepare_postgresql(engine: Engine, *, has_pooler: bool) -> None:
    """Discard notifications, and let no stalled transaction keep its locks.

    Args:
        engine: Creates the connections.
        has_pooler: Whether a pooler shares the connections, whose settings must not change.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        # A pooler may deliver them to any connection, and the driver would keep them in memory.
        connection.add_notify_handler(lambda _: None)
        if not has_pooler:
            connection.execute(f"SET idle_in_transaction_session_timeout = {_STALLED_FOR}")
            connection.commit()

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        # The driver may not know yet that the server closes the connection.
        context.is_disconnect |= is_stalled(context.sqlalchemy_exception)


def prepare_sqlite(engine: Engine) -> None:
    """Make transactions start explicitly, and enforce foreign keys."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        # The driver would start transactions too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A transaction that starts with a read fails, rather than waits, if there is another writer
        # when it comes to write. A transaction that will write therefore starts as one.
        options = connection.get_execution_options()
        connection.exec_driver_sql(options.get(BEGIN, "BEGIN IMMEDIATE"))
