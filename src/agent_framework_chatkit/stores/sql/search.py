"""Finds threads by the words of their messages and titles."""

from __future__ import annotations

from dataclasses import dataclass

from chatkit.types import Page, ThreadMetadata
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from .database import Database
from .rows import each_row, position_after, unknown_thread
from .search_text import MAX_TEXT, beginnings_in, marked, text_of
from .tables import SEARCH, TITLE, items, threads, words
from .writes import parse_item, parse_thread

_READ_AT_ONCE = 5
"""The number of messages that are read at once."""

_MAX_EXCERPTED = 100_000
"""The number of characters of all messages of a page that are searched for an excerpt."""

_INDEX = table(SEARCH, column("rowid"))


@dataclass(frozen=True)
class Found:
    """A thread that matches a query.

    Attributes:
        thread: The thread.
        item_id: The ID of the newest matching message; `None` if only the title matches.
        snippet: An excerpt of the message, in pieces: a text, and whether it matches.
    """

    thread: ThreadMetadata
    item_id: str | None
    snippet: list[tuple[str, bool]]


class Search:
    """Finds threads.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, owner: str, query: str, limit: int, after: str | None) -> Page[Found]:
        """Return a page of threads with a message or a title that contains all words of a query.

        Raises:
            NotFoundError: If `after` is the ID of a thread that the owner does not have.
            ValueError: If the limit is less than 1.
        """
        if limit < 1:
            raise ValueError(f"A page must have at least one row, not {limit}.")
        beginnings = beginnings_in(query)
        if not beginnings:
            return Page()
        return await self._database.read(
            lambda connection: self._find(connection, owner, query, beginnings, limit, after)
        )

    def _find(
        self,
        connection: Connection,
        owner: str,
        query: str,
        beginnings: list[str],
        limit: int,
        after: str | None,
    ) -> Page[Found]:
        scope = threads.c.owner == owner
        newest = func.max(case((words.c.item == TITLE, 0), else_=words.c.key)).label("newest")
        statement = (
            select(threads.c.position, threads.c.id, threads.c.data, newest)
            .join(words, words.c.thread == threads.c.key)
            .where(scope, self._has(beginnings))
            .group_by(threads.c.key)
            .order_by(threads.c.position.desc())
            .limit(limit + 1)
        )
        position = position_after(connection, threads, scope, after, unknown_thread)
        if position is not None:
            statement = statement.where(threads.c.position < position)
        rows = connection.execute(statement).all()
        shown = rows[:limit]
        messages = self._messages(connection, [row.newest for row in shown if row.newest])
        found: list[Found] = []
        room = _MAX_EXCERPTED
        for number, row in enumerate(shown):
            thread = parse_thread(row.id, row.data)
            item_id, text = messages.get(row.newest, (None, ""))
            text = text[: room // (len(shown) - number)]
            room -= len(text)
            if thread is not None:
                found.append(Found(thread, item_id, marked(text, query) if text else []))
        has_more = len(rows) > limit
        return Page(
            data=found,
            has_more=has_more,
            after=f"after:{rows[limit - 1].position}" if has_more else None,
        )

    def _has(self, beginnings: list[str]) -> ColumnElement[bool]:
        """Return a condition on a message's words. Prefixes contain only letters and digits."""
        if self._database.is_sqlite:
            match = literal_column(SEARCH).match(" AND ".join(f'"{each}"*' for each in beginnings))
            return words.c.key.in_(select(_INDEX.c.rowid).where(match))
        vector = func.array_to_tsvector(func.string_to_array(words.c.words, literal_column("' '")))
        wanted = " & ".join(f"'{each}':*" for each in beginnings)
        return vector.bool_op("@@")(cast(wanted, TSQUERY))

    def _messages(self, connection: Connection, keys: list[int]) -> dict[int, tuple[str, str]]:
        """Return the IDs and texts of messages, by the keys of their words."""
        found: dict[int, tuple[str, str]] = {}
        # The messages may be large, and PostgreSQL's driver reads all rows at once.
        for start in range(0, len(keys), _READ_AT_ONCE):
            statement = (
                select(words.c.key, items.c.id, items.c.data)
                .join(items, and_(items.c.thread == words.c.thread, items.c.id == words.c.item))
                .where(words.c.key.in_(keys[start : start + _READ_AT_ONCE]))
            )
            for row in each_row(connection, statement):
                item = parse_item(row.id, row.data)
                if item is not None:
                    found[row.key] = (row.id, text_of(item)[:MAX_TEXT])
        return found
