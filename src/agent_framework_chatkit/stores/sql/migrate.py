"""Brings the tables up to date, even if many workers start at the same time."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, PoolProxiedConnection, func, inspect, select, text

from ..errors import NewerDatabaseError
from .tables import PREFIX

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = f"{PREFIX}version"

_LOCK_KEY = 0x436861744B6974
"""The key of the PostgreSQL advisory lock."""

_ATTEMPTS = 600
_PAUSE = 0.05
"""The number of attempts to enable SQLite's write-ahead log, and the seconds between them."""

_alembic = threading.Lock()
"""Alembic keeps its state in global variables."""

_empty: list[sqlite3.Connection] = []
"""The first in-memory database of this process, as it was when it had only tables."""

_empty_lock = threading.Lock()


def upgrade(engine: Engine) -> None:
    """Bring a database's tables up to date.

    Args:
        engine: Connects to the database.

    Raises:
        NewerDatabaseError: If a newer version of this package changed the tables.
    """
    with _alembic:
        if engine.dialect.name == "sqlite":
            _use_write_ahead_log(engine)
        # SQLite's write transactions start by waiting for the only writer.
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
            _assert_known(connection)
            command.upgrade(alembic_config(connection), "head")


def copy_tables(new: sqlite3.Connection) -> bool:
    """Copy the tables that `keep_tables` kept, if any, into a new in-memory database.

    This takes a twentieth of the time of all migrations. Apps' tests create many such databases.
    """
    with _empty_lock:
        if not _empty:
            return False
        _empty[0].backup(new)
    return True


def keep_tables(migrated: sqlite3.Connection) -> None:
    """Keep a copy of an in-memory database that was just migrated and is still empty."""
    with _empty_lock:
        if not _empty:
            copy = sqlite3.connect(":memory:", check_same_thread=False)
            migrated.backup(copy)
            _empty.append(copy)


def alembic_config(connection: Connection) -> Config:
    """Return the Alembic configuration for a connection's database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _assert_known(connection: Connection) -> None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return
    version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    if version is None:
        return
    try:
        ScriptDirectory.from_config(alembic_config(connection)).get_revision(version)
    except CommandError as error:
        raise NewerDatabaseError(
            f"The database's tables are those of a newer version ({version}). "
            "Upgrade agent-framework-chatkit."
        ) from error


def _use_write_ahead_log(engine: Engine) -> None:
    """Enable the write-ahead log, so that readers and the writer do not wait for each other.

    The database file stores this setting.
    """
    with engine.connect() as connection:
        # While others use the database, this fails immediately instead of waiting.
        for _ in range(_ATTEMPTS):
            if _try_write_ahead_log(connection.connection):
                return
            time.sleep(_PAUSE)
    raise TimeoutError("The database is locked: another process keeps writing to it.")


def _try_write_ahead_log(connection: PoolProxiedConnection) -> bool:
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True
