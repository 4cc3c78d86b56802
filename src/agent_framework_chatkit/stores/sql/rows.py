"""Finds, numbers and pages rows."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from chatkit.store import NotFoundError
from chatkit.types import Page
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    Table,
    case,
    func,
    or_,
    select,
    update,
)

from .tables import threads
from .time import database_time

T = TypeVar("T")

_CURSOR = re.compile(r"after:(\d{1,18})")

PAGE_BYTES = 4 * 1024 * 1024
"""The maximum size of a page's rows in bytes, unless it has only one."""

_LARGE = 1024 * 1024
"""The length of data whose memory is freed at once."""


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


def each_row(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    """Yield rows, of which the driver keeps no copies.

    Args:
        connection: The connection.
        statement: Selects rows with a column `data`, which may be large.
    """
    if connection.dialect.name == "sqlite":
        with connection.execute(statement) as found:
            yield from found
        return
    rows = deque(connection.execute(statement))
    free_after(connection, *(row.data or "" for row in rows))
    while rows:
        yield rows.popleft()


def data_up_to(
    size: int, connection: Connection, table: Table, ordered: ColumnElement[Any]
) -> ColumnElement[str | None]:
    """Return a column with the data of the first rows, and nothing for those over a total size.

    The first row always has its data. SQLite's rows have all data, because they are read one at a
    time; PostgreSQL's driver reads all rows at once.

    Args:
        size: The size in bytes.
        connection: The connection.
        table: The table.
        ordered: The order of the rows.
    """
    if connection.dialect.name == "sqlite":
        return table.c.data
    own = func.octet_length(table.c.data)
    total = func.sum(own).over(order_by=ordered)
    return case((or_(total <= size, total == own), table.c.data)).label("data")


def free_after(connection: Connection, *texts: str) -> None:
    """Free the memory of texts that were written or read, after the transaction.

    A driver keeps copies of them until the connection executes the same statement again, or longer.
    """
    if any(len(text) > _LARGE for text in texts):
        connection.detach()


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
        limit: The maximum number of rows. A page also ends before it has more than `PAGE_BYTES`.
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
        ordered = column.desc() if order == "desc" else column
        statement = (
            select(column, table.c.id, data_up_to(PAGE_BYTES, connection, table, ordered))
            .where(scope)
            .order_by(ordered)
            .limit(missing + 1)
        )
        if position is not None:
            statement = statement.where(column < position if order == "desc" else column > position)
        has_more = is_full = False
        for number, row in enumerate(each_row(connection, statement)):
            is_too_much = row.data is None or size + len(row.data) > PAGE_BYTES
            is_full = is_too_much and bool(data)
            has_more = is_full or row.data is None or number == missing
            if has_more:
                break
            position = row.position
            size += len(row.data)
            value = parse(row.id, row.data)
            if value is not None:
                data.append(value)
        if not has_more or is_full or len(data) == limit:
            return Page(
                data=data, has_more=has_more, after=f"after:{position}" if has_more else None
            )
