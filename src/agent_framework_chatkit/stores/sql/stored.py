"""Reads the stored data of a thread that an agent needs at the start of a turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agent_framework import Message
from sqlalchemy import Connection, func, literal, select

from .messages import load_messages
from .rows import each_row
from .sessions import read_session
from .tables import items, messages, sessions
from .turn_rows import ReadRows, StoredThread, UnreadItem
from .writes import parse_item


def read_stored(
    connection: Connection,
    key: int,
    thread_id: str,
    known: ReadRows | None = None,
    *,
    with_messages: bool = True,
) -> StoredThread:
    """Return the stored data of a thread that an agent needs at the start of a turn.

    Args:
        connection: The transaction's connection.
        key: The thread's key.
        thread_id: The thread's ID, for log messages.
        known: The message rows that the caller has already read.
        with_messages: Whether to read the messages, too.
    """
    session = connection.execute(
        select(sessions.c.id, sessions.c.data)
        .where(sessions.c.thread == key)
        .order_by(sessions.c.position.desc())
        .limit(1)
    ).one_or_none()
    before = known or ReadRows(0, 0, 0)
    if before.count:
        count = connection.scalar(
            select(func.count()).where(messages.c.thread == key, messages.c.position <= before.last)
        )
        if count != before.count:
            before = ReadRows(0, 0, 0)
    is_continued = known is not None and before.count == known.count
    rows = each_row(
        connection,
        select(
            messages.c.position,
            messages.c.read_to,
            messages.c.data if with_messages else literal("[]").label("data"),
        )
        .where(messages.c.thread == key, messages.c.position > before.last)
        .order_by(messages.c.position),
    )
    added, read = _read_messages(rows, before, thread_id)
    unread = each_row(
        connection,
        select(items.c.position, items.c.id, items.c.data, items.c.is_news)
        .where(items.c.thread == key, items.c.position > read.read_to)
        .order_by(items.c.position),
    )
    return StoredThread(
        None if session is None else read_session(session.id, session.data, str(key)),
        is_continued,
        added,
        read,
        [
            UnreadItem(row.position, item, bool(row.is_news))
            for row in unread
            if (item := parse_item(row.id, row.data)) is not None
        ],
    )


def _read_messages(
    rows: Iterable[Any], read: ReadRows, thread_id: str
) -> tuple[list[tuple[list[Message], int]], ReadRows]:
    """Read rows one at a time, because the text of each may be large."""
    added: list[tuple[list[Message], int]] = []
    for row in rows:
        added.append((load_messages(row.data, thread_id), len(row.data)))
        read = ReadRows(read.count + 1, row.position, max(read.read_to, row.read_to or 0))
        del row
    return added, read
