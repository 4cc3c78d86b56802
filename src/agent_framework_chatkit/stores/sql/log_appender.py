"""Adds rows to the logs of many threads at once.

Every token of an answer is logged, so this avoids SQLAlchemy's processing of each row's parameters,
and PostgreSQL's answer for each row: both take longer than adding the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Connection,
    Dialect,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql.compiler import SQLCompiler

from .statements import ADVANCE, Statements, add_events
from .tables import events, turns
from .turn_rows import Lease, LogRow


class LogAppender:
    """Adds rows to the logs of many threads.

    Args:
        statements: Builds the statements.
        dialect: The database's dialect.
    """

    def __init__(self, statements: Statements, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"
        self._advance = _ForEachRow(statements.advance, dialect)
        self._add = _ForEachRow(statements.add_events_of_run, dialect)

    def append(self, connection: Connection, rows: Sequence[tuple[Lease, LogRow]]) -> set[int]:
        """Add the rows of the leases that are still held, and return the keys of their threads."""
        values = [
            lease_values(lease) | log_values(lease.key, lease.run, row) for lease, row in rows
        ]
        if not self._is_sqlite:
            return set(connection.scalars(_APPEND, {"b_rows": to_json(values).decode()}))
        advanced = self._advance.execute(connection, values)
        self._add.execute(connection, values)
        if advanced == len(rows):
            return {lease.key for lease, _ in rows}
        held = select(turns.c.thread).where(Statements.of_run)
        found = [connection.scalar(held, lease_values(lease)) for lease, _ in rows]
        return {key for key in found if key is not None}


class _ForEachRow:
    """A statement that SQLite executes for each row.

    Args:
        statement: The statement. All its parameters come from the rows, and need no conversion.
        dialect: The database's dialect.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 every statement's
        self._sql = str(compiled)
        self._names: Sequence[str] = compiled.positiontup or ()

    def execute(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
        """Execute the statement for each row, and return the number of rows that it changed."""
        given = [tuple(row[name] for name in self._names) for row in rows]
        return connection.exec_driver_sql(self._sql, given).rowcount


def lease_values(lease: Lease) -> dict[str, Any]:
    """Return a lease as the parameters of statements."""
    return {"b_thread": lease.key, "b_run": lease.run, "b_worker": lease.worker}


def log_values(key: int, run: str, row: LogRow) -> dict[str, Any]:
    """Return a log row as the parameters of statements."""
    return {
        "b_thread": key,
        "b_run": run,
        "b_first": row.first,
        "b_last": row.last,
        "b_data": row.data,
        "b_updates": row.updates,
    }


def _append() -> Any:
    """Return PostgreSQL's statement, which takes all rows as one JSON value."""
    logged: dict[str, type[BigInteger | Text]] = {
        "b_run": Text,
        "b_first": BigInteger,
        "b_last": BigInteger,
        "b_data": Text,
        "b_updates": Text,
    }
    new = (
        func.json_to_recordset(cast(bindparam("b_rows", type_=Text), JSON))
        .table_valued(
            column("b_thread", BigInteger),
            column("b_worker", Text),
            *(column(name, kind) for name, kind in logged.items()),
        )
        .render_derived(name="new", with_types=True)
    )
    held = (
        ADVANCE.where(
            turns.c.thread == new.c.b_thread,
            turns.c.run == new.c.b_run,
            turns.c.worker == new.c.b_worker,
        )
        .returning(turns.c.thread, turns.c.log_position, *(new.c[name] for name in logged))
        .cte("held")
    )
    return add_events(select(held)).add_cte(held).returning(events.c.thread)


_APPEND = _append()
