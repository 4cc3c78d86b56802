"""Reads threads, their turns and the event log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from chatkit.store import NotFoundError
from chatkit.types import Page, ThreadItem, ThreadMetadata
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    between,
    bindparam,
    exists,
    literal,
    select,
)

from .database import Database
from .rows import data_up_to, each_row, load_page, thread_key, unknown_thread
from .stored import read_stored
from .tables import FIRST, events, items, requests, threads, turns, workers
from .tables import owners as owners_table
from .turn_rows import (
    ListedThread,
    LogRow,
    ReadRows,
    RequestRow,
    Snapshot,
    StoredThread,
    TurnRow,
)
from .writes import parse_item, parse_thread

_TURN_COLUMNS = (
    turns.c.thread,
    turns.c.id,
    turns.c.run,
    turns.c.worker,
    turns.c.state,
    turns.c.ended_at,
    turns.c.stop,
    turns.c.log_position,
)

_EVENTS = (events.c.position, events.c.run, events.c.first, events.c.last, events.c.data)
"""The columns of the log that followers need."""

_TURN_OF = select(*_TURN_COLUMNS).where(turns.c.thread == bindparam("b_thread"))

_TURNS_OF = select(*_TURN_COLUMNS).where(turns.c.thread.in_(bindparam("b_threads", expanding=True)))

_LISTED = (threads.c.data, turns.c.id, turns.c.state)
"""The columns that clients see in a list of threads."""

_NEWEST = 100
"""The number of an owner's threads that are compared with what clients know of them."""

READ_AT_ONCE = 256 * 1024
"""The number of characters of the log after which no more rows are read at once."""

IS_ALIVE = exists().where(workers.c.id == turns.c.worker)
"""Whether the worker that holds a turn's lease is alive, as far as is known."""


class ThreadLog:
    """Reads threads, their turns, and their logs.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def orphans(self) -> list[TurnRow]:
        """Return turns whose worker died."""
        statement = select(*_TURN_COLUMNS).where(turns.c.worker.is_not(None), ~IS_ALIVE)
        return await self._database.read(
            lambda connection: [TurnRow(*row) for row in connection.execute(statement)]
        )

    async def find_request(self, owner: str, request_id: str) -> RequestRow | None:
        """Return a repeated request's thread, turn and run, if it was received before.

        Raises:
            NotFoundError: If its thread is deleted.
        """
        return await self._database.read(
            lambda connection: find_request(connection, owner, request_id)
        )

    async def of_thread(self, thread_id: str, owner: str) -> TurnRow | None:
        """Return a thread's last turn, if it had one.

        Raises:
            NotFoundError: If the owner has no such thread.
        """

        def find(connection: Connection) -> TurnRow | None:
            key = connection.scalar(select(thread_key(thread_id, owner)))
            if key is None:
                raise unknown_thread(thread_id)
            return find_turn(connection, key)

        return await self._database.read(find)

    async def of_keys(self, keys: Sequence[int]) -> list[TurnRow]:
        """Return the last turns of the threads with these keys."""
        values = {"b_threads": keys}
        return await self._database.read(
            lambda connection: [TurnRow(*row) for row in connection.execute(_TURNS_OF, values)]
        )

    async def key_of(self, thread_id: str, owner: str) -> int:
        """Return a thread's key.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        statement = select(thread_key(thread_id, owner))
        key = await self._database.read(lambda connection: connection.scalar(statement))
        if key is None:
            raise unknown_thread(thread_id)
        return int(key)

    async def is_deleted(self, key: int) -> bool:
        """Return whether a thread is deleted."""
        statement = select(literal(1)).where(threads.c.key == key)
        return await self._database.read(lambda c: c.scalar(statement) is None)

    async def listed(
        self, owners: Sequence[str], keys: Collection[int] | None = None
    ) -> list[ListedThread]:
        """Return the threads that belong to these owners.

        Args:
            owners: The owners.
            keys: The threads' keys; `None` for each owner's newest threads.
        """
        statement = select(threads.c.key, threads.c.id, threads.c.owner, *_LISTED).join(
            turns, turns.c.thread == threads.c.key
        )
        if keys is None:
            is_new = threads.c.position > owners_table.c.last_position - _NEWEST
            statement = statement.join(
                owners_table, and_(owners_table.c.id == threads.c.owner, is_new)
            ).where(owners_table.c.id.in_(owners))
        else:
            statement = statement.where(threads.c.owner.in_(owners), threads.c.key.in_(keys))
        return await self._database.read(
            lambda connection: [
                ListedThread(key, name, owner, hash(tuple(listed)))
                for key, name, owner, *listed in connection.execute(statement)
            ]
        )

    async def summary(self, key: int) -> tuple[ThreadMetadata, TurnRow | None] | None:
        """Return a thread and its last turn, or `None` if the thread is deleted."""

        def read(connection: Connection) -> tuple[ThreadMetadata, TurnRow | None] | None:
            row = connection.execute(
                select(threads.c.id, threads.c.data).where(threads.c.key == key)
            ).one_or_none()
            thread = None if row is None else parse_thread(row.id, row.data)
            return None if thread is None else (thread, find_turn(connection, key))

        return await self._database.read(read)

    async def of_threads(self, ids: Sequence[str], owner: str) -> dict[str, TurnRow]:
        """Return the last turns of an owner's threads, by thread ID."""
        statement = (
            select(threads.c.id.label("thread_id"), *_TURN_COLUMNS)
            .join(threads, threads.c.key == turns.c.thread)
            .where(threads.c.id.in_(ids), threads.c.owner == owner)
        )
        return await self._database.read(
            lambda connection: {row[0]: TurnRow(*row[1:]) for row in connection.execute(statement)}
        )

    async def read_stored(
        self, key: int, thread_id: str, known: ReadRows | None = None
    ) -> StoredThread:
        """Return the stored data of a thread that an agent needs at the start of a turn.

        Args:
            key: The thread's key.
            thread_id: The thread's ID, for log messages.
            known: The message rows that the caller has already read.
        """
        return await self._database.read(
            lambda connection: read_stored(connection, key, thread_id, known), is_snapshot=True
        )

    async def snapshot(
        self, thread_id: str, owner: str, limit: int, *, with_log: bool = False
    ) -> Snapshot:
        """Return a thread at one point in time.

        Raises:
            NotFoundError: If the owner has no such thread.
        """

        def read(connection: Connection) -> Snapshot:
            row = connection.execute(
                select(threads.c.key, threads.c.data).where(
                    threads.c.id == thread_id, threads.c.owner == owner
                )
            ).one_or_none()
            thread = None if row is None else parse_thread(thread_id, row.data)
            if row is None or thread is None:
                raise unknown_thread(thread_id)
            page: Page[ThreadItem] = load_page(
                connection,
                items,
                items.c.thread == row.key,
                parse_item,
                position=None,
                limit=limit,
                order="desc",
            )
            turn = find_turn(connection, row.key)
            is_running = turn is not None and turn.worker is not None
            log = (
                rows_of_run(connection, row.key, turn.run)
                if with_log and is_running and turn is not None
                else []
            )
            last_id = None
            if turn is not None:
                newest = select(events.c.run, events.c.last).where(
                    events.c.thread == row.key, events.c.position == turn.log_position
                )
                last = connection.execute(newest).one_or_none()
                last_id = None if last is None else f"{last.run}.{last.last}"
            return Snapshot(thread, page, turn, log, last_id)

        return await self._database.read(read, is_snapshot=True)

    async def read_log(self, key: int, after: int, limit: int = 100) -> list[LogRow]:
        """Return rows of a thread's log after a position, oldest first.

        There may be more rows even if fewer than `limit` are returned, so that readers do not hold
        much of the log in memory.
        """

        def read(connection: Connection) -> list[LogRow]:
            data = data_up_to(READ_AT_ONCE, connection, events, events.c.position)
            statement = (
                select(*_EVENTS[:-1], data)
                .where(events.c.thread == key, events.c.position > after)
                .order_by(events.c.position)
                .limit(limit)
            )
            rows: list[LogRow] = []
            size = 0
            for row in each_row(connection, statement):
                if row.data is None:
                    break
                rows.append(_log_row(row))
                size += len(row.data)
                if size > READ_AT_ONCE:
                    break
            return rows

        return await self._database.read(read)

    async def find_in_log(self, key: int, run: str, number: int) -> LogRow | None:
        """Return the row of a thread's log that contains an event, if it still exists."""
        return await self._database.read(
            lambda connection: find_in_log(connection, key, run, number)
        )

    async def may_have_missed(self, key: int, run: str, number: int) -> bool:
        """Return whether a client that received an event may have missed earlier events.

        A run's worker sends the run's own events immediately, but events that others add to the
        log only when it reads them there.

        Args:
            key: The thread's key.
            run: The event's run.
            number: The event's number.
        """

        def find(connection: Connection) -> bool:
            start = connection.scalar(_start(key, run))
            if start is None:
                return True
            others = select(events.c.position).where(
                events.c.thread == key, events.c.run != run, events.c.position > start
            )
            row = find_in_log(connection, key, run, number)
            if row is not None:
                others = others.where(events.c.position < row.position)
            return connection.execute(others.limit(1)).first() is not None

        return await self._database.read(find)

    async def first_of_run(self, key: int, run: str) -> LogRow | None:
        """Return the first row of a run in a thread's log, if it still exists."""
        return await self.find_in_log(key, run, 1)


def find_in_log(connection: Connection, key: int, run: str, number: int) -> LogRow | None:
    """Return the row of a thread's log that contains an event, if it still exists."""
    found = select(*_EVENTS).where(
        _of_run(key, run), between(number, events.c.first, events.c.last)
    )
    if number == 1:
        found = found.where(events.c.first == FIRST)
    # Clients that resume have mostly received nearly everything.
    row = connection.execute(found.order_by(events.c.position.desc()).limit(1)).one_or_none()
    return None if row is None else _log_row(row)


def rows_of_run(
    connection: Connection, key: int, run: str, *, with_updates: bool = False
) -> list[LogRow]:
    """Return the log rows of a run, on request with the agent's updates."""
    columns = (*_EVENTS, events.c.updates) if with_updates else _EVENTS
    rows = connection.execute(select(*columns).where(_of_run(key, run)).order_by(events.c.position))
    return [_log_row(row, row.updates if with_updates else None) for row in rows]


def find_turn(connection: Connection, key: int) -> TurnRow | None:
    """Return a thread's last turn, if it had one."""
    row = connection.execute(_TURN_OF, {"b_thread": key}).one_or_none()
    return None if row is None else TurnRow(*row)


def find_request(connection: Connection, owner: str, request_id: str) -> RequestRow | None:
    """Return a repeated request's thread, turn and run, if it was received before.

    Raises:
        NotFoundError: If its thread is deleted.
    """
    row = connection.execute(
        select(threads.c.id, requests.c.turn, requests.c.run, requests.c.digest)
        .outerjoin(threads, threads.c.key == requests.c.thread)
        .where(requests.c.owner == owner, requests.c.id == request_id)
    ).one_or_none()
    if row is not None and row.id is None:
        raise NotFoundError("The chat of this request was deleted.")
    return None if row is None else RequestRow(*row)


def _of_run(key: int, run: str) -> ColumnElement[bool]:
    """Find the log rows of a run."""
    return and_(
        events.c.thread == key,
        events.c.position >= _start(key, run).scalar_subquery(),
        events.c.run == run,
    )


def _start(key: int, run: str) -> Select[tuple[int]]:
    """Return a query for the position of a run's first log row."""
    starts = events.alias("starts")
    return select(starts.c.position).where(
        starts.c.thread == key, starts.c.run == run, starts.c.first == FIRST
    )


def _log_row(row: Any, updates: str | None = None) -> LogRow:
    return LogRow(row.first, row.last, row.data, updates, row.run, row.position)
