"""Finds, numbers and pages rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from chatkit.store import NotFoundError
from chatkit.types import Page
from sqlalchemy import ColumnElement, Connection, ScalarSelect, Table, select, update

from .tables import threads
from .time import database_time

T = TypeVar("T")

_CURSOR = re.compile(r"after:(\d{1,18})")

PAGE_BYTES = 4 * 1024 * 1024
"""The size of rows in bytes after which a page ends."""


def thread_key(thread_id: str, owner: str) -> ScalarSelect[int]:
    """Return a subquery for the key of an owner's thread.

    The database evaluates it once, first. A join would be slower: PostgreSQL might sort all rows of
    a thread to find the first few.
    """
    return (
        select(threads.c.key)
        .where(threads.c.id == thread_id, threads.c.owner == owner)
        .scalar_subquery()
    )


def hold_thread(
    connection: Connection, thread_id: str, owner: str, *, against_changes: bool = False
) -> int:
    """Return a thread's key, and lock the thread against deletion until the transaction ends.

    Args:
        connection: The transaction.
        thread_id: The thread's ID.
        owner: The thread's owner.
        against_changes: Whether to lock it against changes by others, too.

    Raises:
        NotFoundError: If the owner has no such thread.
    """
    key = connection.scalar(
        select(threads.c.key)
        .where(threads.c.id == thread_id, threads.c.owner == owner)
        .with_for_update(read=not against_changes, key_share=True)
    )
    if key is None:
        raise unknown_thread(thread_id)
    return int(key)


def number(connection: Connection, thread_id: str, owner: str) -> tuple[int, int]:
    """Return the position of a new row of a thread, and mark the thread as active.

    Returns:
        The thread's key, and the number.

    Raises:
        NotFoundError: If the owner has no such thread.
    """
    row = (
        connection.execute(
            update(threads)
            .where(threads.c.id == thread_id, threads.c.owner == owner)
            .values(last_position=threads.c.last_position + 1, active_at=database_time())
            .returning(threads.c.key, threads.c.last_position)
        )
    ).one_or_none()
    if row is None:
        raise unknown_thread(thread_id)
    return row.key, row.last_position


def unknown_thread(thread_id: str) -> NotFoundError:
    """Return the error for a thread that the owner does not have."""
    return NotFoundError(f"There is no thread {thread_id!r}.")


def position_after(
    connection: Connection,
    table: Table,
    scope: ColumnElement[bool],
    after: str | None,
    unknown: Callable[[str], NotFoundError],
) -> int | None:
    """Return the number of the row after which a page starts; `None` for the first page.

    Args:
        connection: The connection.
        table: The table.
        scope: The condition on its rows.
        after: The `after` value of a page, or a row's ID.
        unknown: Returns the error to raise if there is no such row.
    """
    if after is None:
        return None
    cursor = _CURSOR.fullmatch(after)
    if cursor is not None:
        return int(cursor.group(1))
    position: int | None = connection.scalar(
        select(table.c.position).where(scope, table.c.id == after)
    )
    if position is None:
        raise unknown(after)
    return position


def load_page(
    connection: Connection,
    table: Table,
    scope: ColumnElement[bool],
    parse: Callable[[str, str], T | None],
    *,
    position: int | None,
    limit: int,
    order: str,
) -> Page[T]:
    """Load a page of rows, ordered by their numbers.

    The page's `after` is a number, not an ID, so that it stays valid if the row is deleted.

    Args:
        connection: The connection.
        table: The table.
        scope: The condition on its rows.
        parse: Converts a row's ID and data; returns `None` to leave the row out.
        position: The number of the row after which the page starts.
        limit: The maximum number of rows. A page also ends after `PAGE_BYTES`.
        order: `asc` or `desc`.

    Raises:
        ValueError: If the limit or the order is not valid.
    """
    if limit < 1:
        raise ValueError(f"A page must have at least one row, not {limit}.")
    if order not in ("asc", "desc"):
        raise ValueError(f"The order must be asc or desc, not {order!r}.")
    column = table.c.position
    data: list[T] = []
    size = 0
    while True:
        missing = limit - len(data)
        statement = (
            select(column, table.c.id, table.c.data)
            .where(scope)
            .order_by(column.desc() if order == "desc" else column)
            .limit(missing + 1)
        )
        if position is not None:
            statement = statement.where(column < position if order == "desc" else column > position)
        has_more = False
        with connection.execute(statement) as rows:
            for number, row in enumerate(rows):
                has_more = number == missing or (bool(data) and size > PAGE_BYTES)
                if has_more:
                    break
                position = row.position
                size += len(row.data)
                value = parse(row.id, row.data)
                if value is not None:
                    data.append(value)
        if not has_more or len(data) == limit or size > PAGE_BYTES:
            return Page(
                data=data, has_more=has_more, after=f"after:{position}" if has_more else None
            )
