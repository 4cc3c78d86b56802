"""Turns and the event log: who may write to a thread, and what has happened in it.

A turn is executed by a run, which holds the thread's lease. Whatever a run writes, it writes only
while the lease is its own: each of its transactions says so with the first statement.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chatkit.types import ThreadMetadata
from sqlalchemy import (
    Connection,
    and_,
    delete,
    exists,
    literal,
    select,
    update,
)

from ..errors import ThreadBusyError
from .database import Database
from .log import IS_ALIVE, find_request, find_turn, read_stored, rows_of_run
from .rows import thread_key, unknown_thread
from .search_index import index_title
from .sessions import write_session
from .statements import Statements
from .tables import events, items, messages, requests, sessions, threads, turns, words, workers
from .time import database_time
from .turn_rows import (
    BegunTurn,
    Lease,
    LeaseLostError,
    LogRow,
    NewTurn,
    OrphanedTurnError,
    RepeatedRequestError,
    StoredThread,
    ThreadChange,
    TurnRow,
    Writes,
)
from .writes import (
    add_items,
    add_new_thread,
    delete_item,
    dump_thread,
    parse_thread,
    save_attachment_row,
    unknown_item,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

_REPEATABLE_FOR = 24 * 3600
"""How long, in seconds, a request may be repeated."""

_CLAIMED_FOR = 60
"""How long, in seconds, a page has for a client tool that it has claimed."""


class Turns:
    """Begins, writes and ends turns, and reads the event log.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = database.statements

    # Beginning

    async def begin(self, new: NewTurn) -> BegunTurn:
        """Begin a turn.

        Raises:
            NotFoundError: If the owner has no such thread, or the thread no such message.
            ThreadBusyError: If another turn of the thread is running.
            OrphanedTurnError: If the last turn must be ended first.
            RepeatedRequestError: If the request was received before.
            ValueError: If what is to be retried is no user message.
        """
        return await self._database.write(lambda connection: self._begin(connection, new))

    def _begin(self, connection: Connection, new: NewTurn) -> BegunTurn:
        before: TurnRow | None = None
        if new.new_thread is not None:
            thread = new.new_thread
            count = 0 if new.item is None else 1
            key = add_new_thread(self._database, connection, thread, new.owner, count)
        else:
            key, thread = self._hold(connection, new)
            before = find_turn(connection, key)
            try:
                if new.check is not None:
                    new.check(thread)
                self._check_free(connection, new.thread_id, before)
            except Exception:
                # What is in the way may be what the same request has begun.
                self._raise_if_repeated(connection, new)
                raise
        removed: tuple[str, ...] = ()
        tried: tuple[str, ...] = ()
        if new.retry_after is not None:
            tried = self._messages_of(connection, key, new.retry_after)
            removed = self._cut(connection, key, new.retry_after)
        turn_id = new.turn_id or self._last_turn_id(connection, key, before) or new.first_turn_id
        for attachment in new.attachments:
            save_attachment_row(self._database, connection, attachment, new.owner, key)
        if new.item is not None:
            position = 1 if new.new_thread is not None else self._number(connection, key, 1, None)
            add_items(self._database, connection, key, position, [new.item])
        connection.execute(
            self._statements.take_lease,
            {
                "b_thread": key,
                "b_id": turn_id,
                "b_run": new.run,
                "b_worker": new.worker,
                "b_state": new.state,
            },
        )
        begun = BegunTurn(
            Lease(key, new.run, new.worker),
            thread,
            turn_id,
            removed,
            before,
            1 if before is None else before.log_position + 1,
            new.retry_after is not None,
            new.new_thread is not None,
            tried,
        )
        if new.log is not None:
            self._log(connection, key, new.run, new.log(begun))
        if new.request_id is not None:
            self._add_request(connection, new, begun)
        return begun

    def _add_request(self, connection: Connection, new: NewTurn, begun: BegunTurn) -> None:
        added = connection.scalar(
            self._statements.add_request,
            {
                "owner": new.owner,
                "id": new.request_id,
                "thread": begun.lease.key,
                "turn": begun.turn_id,
                "run": new.run,
            },
        )
        if added is None:
            self._raise_if_repeated(connection, new)

    def _raise_if_repeated(self, connection: Connection, new: NewTurn) -> None:
        if new.request_id is not None:
            repeated = find_request(connection, new.owner, new.request_id)
            if repeated is not None:
                raise RepeatedRequestError(repeated)

    def _last_turn_id(self, connection: Connection, key: int, before: TurnRow | None) -> str | None:
        if before is not None and before.id:
            return before.id
        # A thread that an older version has kept.
        return connection.scalar(
            select(sessions.c.id)
            .where(sessions.c.thread == key)
            .order_by(sessions.c.position.desc())
            .limit(1)
        )

    def _hold(self, connection: Connection, new: NewTurn) -> tuple[int, ThreadMetadata]:
        values = {"b_id": new.thread_id, "b_owner": new.owner}
        row = connection.execute(self._statements.find_thread, values).one_or_none()
        thread = None if row is None else parse_thread(new.thread_id, row.data)
        if row is None or thread is None:
            raise unknown_thread(new.thread_id)
        return row.key, thread

    def _check_free(self, connection: Connection, thread_id: str, turn: TurnRow | None) -> None:
        if turn is None or turn.worker is None:
            return
        is_alive = connection.scalar(
            select(literal(1)).where(exists().where(workers.c.id == turn.worker))
        )
        if is_alive:
            raise ThreadBusyError(thread_id)
        raise OrphanedTurnError(turn)

    def _messages_of(self, connection: Connection, key: int, turn_id: str) -> tuple[str, ...]:
        statement = (
            select(messages.c.data)
            .where(messages.c.thread == key, messages.c.turn == turn_id)
            .order_by(messages.c.position)
        )
        return tuple(connection.execute(statement).scalars())

    def _cut(self, connection: Connection, key: int, item_id: str) -> tuple[str, ...]:
        """Delete what came after a message, and what was remembered of it and since."""
        position = connection.scalar(
            select(items.c.position).where(items.c.thread == key, items.c.id == item_id)
        )
        if position is None:
            raise unknown_item(item_id)
        later = and_(items.c.thread == key, items.c.position > position)
        removed = connection.execute(
            select(items.c.id).where(later).order_by(items.c.position.desc())
        ).scalars()
        ids = tuple(removed)
        # An earlier turn's session may have been stored again since.
        earlier = select(items.c.id).where(items.c.thread == key, items.c.position < position)
        for table, column in ((sessions, "id"), (messages, "turn")):
            connection.execute(
                delete(table).where(
                    table.c.thread == key,
                    table.c.position > position,
                    table.c[column].not_in(earlier),
                )
            )
        found = select(items.c.id).where(later)
        connection.execute(delete(words).where(words.c.thread == key, words.c.item.in_(found)))
        connection.execute(delete(items).where(later))
        return ids

    # Writing

    async def commit(self, lease: Lease, writes: Writes, *, is_repeated: bool = False) -> None:
        """Write what a run has done.

        Args:
            lease: The run's lease.
            writes: What to write.
            is_repeated: Whether it is not known if an earlier try has been committed.

        Raises:
            LeaseLostError: If the lease is no longer the run's.
        """
        await self._database.write(
            lambda connection: self._commit(connection, lease, writes, is_repeated)
        )

    async def append(self, rows: Sequence[tuple[Lease, LogRow]]) -> list[Lease]:
        """Add rows to the logs of many threads.

        Returns:
            The leases that are lost; nothing was written for these.
        """
        return await self._database.write(lambda connection: self._append_all(connection, rows))

    def _append_all(
        self, connection: Connection, rows: Sequence[tuple[Lease, LogRow]]
    ) -> list[Lease]:
        held = connection.execute(self._statements.advance, [_of(lease) for lease, _ in rows])
        connection.execute(
            self._statements.add_events_of_run,
            [_log_values(lease.key, lease.run, row) for lease, row in rows],
        )
        for lease, _ in rows:
            self._database.announce(lease.key)
        if held.rowcount == len(rows):
            return []
        return [lease for lease, _ in rows if not self._is_held(connection, lease)]

    def _commit(
        self, connection: Connection, lease: Lease, writes: Writes, is_repeated: bool
    ) -> None:
        if is_repeated and writes.log is not None:
            written = select(literal(1)).where(
                events.c.thread == lease.key,
                events.c.run == lease.run,
                events.c.first == writes.log.first,
            )
            if connection.scalar(written):
                return
        # The thread's row before the turn's, as all others do: nobody waits in a circle.
        position = self._number_writes(connection, lease.key, writes)
        if writes.end is not None:
            held = connection.execute(
                self._statements.end, {**_of(lease), "b_state": writes.end.state}
            )
        else:
            held = connection.execute(self._statements.advance, _of(lease))
        if held.rowcount != 1:
            raise LeaseLostError
        self._write(connection, lease.key, lease.run, writes, position)

    def write(self, connection: Connection, key: int, run: str, writes: Writes) -> None:
        """Write to a thread that the transaction has the right to write to."""
        position = self._number_writes(connection, key, writes)
        self._write(connection, key, run, writes, position)

    def _number_writes(self, connection: Connection, key: int, writes: Writes) -> int | None:
        """Return the first of the numbers for what is written, if any of it has one."""
        count = len(writes.items) + len(writes.messages) + (writes.session is not None)
        if not count and not writes.thread:
            return None
        return self._number(connection, key, count, writes.thread)

    def _write(
        self, connection: Connection, key: int, run: str, writes: Writes, position: int | None
    ) -> None:
        if position is not None:
            if writes.items:
                add_items(
                    self._database,
                    connection,
                    key,
                    position,
                    writes.items,
                    is_news=writes.is_news,
                )
                position += len(writes.items)
            for added in writes.messages:
                values = {
                    "thread": key,
                    "position": position,
                    "turn": added.turn,
                    "data": added.data,
                    "read_to": added.read_to,
                }
                connection.execute(self._statements.add_message, values)
                position += 1
            if writes.session is not None:
                name, data = writes.session
                write_session(self._database, connection, key, position, name, data)
        for item_id in writes.removed:
            delete_item(connection, key, item_id)
        if writes.log is not None:
            self._log(connection, key, run, writes.log)

    def _number(
        self, connection: Connection, key: int, count: int, change: ThreadChange | None
    ) -> int:
        """Return the first of the numbers for what is added to a thread; change its metadata."""
        statements = self._statements
        values: dict[str, Any] = {"b_key": key, "b_count": count}
        last = None
        if change is not None:
            values |= {"b_data": dump_thread(change.after), "b_known": dump_thread(change.before)}
            last = connection.scalar(statements.number_and_change_known, values)
            if last is None:
                # Others have changed something else of it.
                values["b_data"] = self._merged(connection, key, change)
                del values["b_known"]
                last = connection.scalar(statements.number_and_change, values)
        else:
            last = connection.scalar(statements.number, values)
        if last is None:
            raise LeaseLostError
        if change is not None and change.after.title != change.before.title:
            index_title(self._database, connection, key, change.after.title)
        return int(last) - count + 1

    def _merged(self, connection: Connection, key: int, change: ThreadChange) -> str:
        data = connection.scalar(select(threads.c.data).where(threads.c.key == key))
        changed = {
            name: value
            for name, value in change.after.model_dump(mode="json").items()
            if getattr(change.after, name) != getattr(change.before, name)
        }
        merged = ThreadMetadata.model_validate({**json.loads(data or "{}"), **changed})
        return dump_thread(merged)

    def _log(self, connection: Connection, key: int, run: str, row: LogRow) -> None:
        connection.execute(self._statements.add_events, _log_values(key, run, row))
        self._database.announce(key)

    def _is_held(self, connection: Connection, lease: Lease) -> bool:
        return (
            connection.scalar(select(literal(1)).where(Statements.of_run), _of(lease)) is not None
        )

    async def hold(self, thread_id: str, owner: str, run: str, worker: str) -> Lease:
        """Take a thread's lease without beginning a turn.

        Raises:
            NotFoundError: If the owner has no such thread.
            ThreadBusyError: If another run holds it.
            OrphanedTurnError: If the last turn must be ended first.
        """

        def hold(connection: Connection) -> Lease:
            key = connection.scalar(
                select(threads.c.key)
                .where(threads.c.id == thread_id, threads.c.owner == owner)
                .with_for_update(key_share=True)
            )
            if key is None:
                raise unknown_thread(thread_id)
            self._check_free(connection, thread_id, find_turn(connection, key))
            new = self._database.insert(turns).values(
                thread=key,
                id="",
                run=run,
                worker=worker,
                state="",
                log_position=0,
                logged_at=database_time(),
            )
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=[turns.c.thread],
                    set_={"run": new.excluded.run, "worker": new.excluded.worker, "stop": None},
                )
            )
            return Lease(key, run, worker)

        return await self._database.write(hold)

    async def release(self, lease: Lease) -> bool:
        """Give a lease back, and return whether it was still the run's."""
        statement = update(turns).where(Statements.of_run).values(worker=None, stop=None)
        return await self._database.write(
            lambda connection: connection.execute(statement, _of(lease)).rowcount == 1
        )

    # Turns of others

    async def add(self, thread_id: str, owner: str, run: str, writes: Writes) -> TurnRow:
        """Write to a thread from outside its turns, whether one is running or not.

        Returns:
            The thread's last turn.

        Raises:
            NotFoundError: If the owner has no such thread.
        """

        def add(connection: Connection) -> TurnRow:
            key = connection.scalar(
                select(threads.c.key)
                .where(threads.c.id == thread_id, threads.c.owner == owner)
                .with_for_update(key_share=True)
            )
            if key is None:
                raise unknown_thread(thread_id)
            new = self._database.insert(turns).values(
                thread=key, id="", run="", state="", log_position=1, logged_at=database_time()
            )
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=[turns.c.thread],
                    set_={
                        "log_position": turns.c.log_position + 1,
                        "logged_at": new.excluded.logged_at,
                    },
                )
            )
            self.write(connection, key, run, writes)
            turn = find_turn(connection, key)
            assert turn is not None  # noqa: S101 it was written just now
            return turn

        return await self._database.write(add)

    async def interrupt(
        self,
        turn: TurnRow,
        run: str,
        finish: Callable[[str, StoredThread, list[LogRow]], Writes],
    ) -> bool:
        """End a turn whose worker has died.

        Args:
            turn: The turn as it was found.
            run: A new run, under which its end is written.
            finish: Returns what to write, given the thread's id, what is stored of it, and the
                log of the run that was left.

        Returns:
            Whether it was ended here, rather than by another worker or by its own.
        """

        def end(connection: Connection) -> bool:
            thread_id = connection.scalar(
                select(threads.c.id)
                .where(threads.c.key == turn.key)
                .with_for_update(key_share=True)
            )
            if thread_id is None:
                return False
            taken = connection.execute(
                update(turns)
                .where(
                    turns.c.thread == turn.key,
                    turns.c.run == turn.run,
                    turns.c.worker.is_not(None),
                    ~IS_ALIVE,
                )
                .values(
                    run=run,
                    worker=None,
                    stop=None,
                    claim=None,
                    log_position=turns.c.log_position + 1,
                    logged_at=database_time(),
                )
            )
            if taken.rowcount != 1:
                return False
            log = rows_of_run(connection, turn.key, turn.run)
            stored = read_stored(connection, turn.key, None)
            writes = finish(thread_id, stored, log)
            if writes.end is not None:
                connection.execute(
                    update(turns)
                    .where(turns.c.thread == turn.key)
                    .values(state=writes.end.state, ended_at=database_time())
                )
            self.write(connection, turn.key, run, writes)
            return True

        return await self._database.write(end)

    async def ask_to_stop(self, turn: TurnRow) -> None:
        """Ask the worker that runs a turn to stop it."""
        statement = (
            update(turns)
            .where(turns.c.thread == turn.key, turns.c.run == turn.run)
            .values(stop=turn.run)
        )

        def ask(connection: Connection) -> None:
            connection.execute(statement)
            self._database.announce(turn.key)

        await self._database.write(ask)

    async def claim(self, thread_id: str, owner: str, item_id: str, page: str) -> bool:
        """Claim a client tool's call for a page, unless another page has it.

        Raises:
            NotFoundError: If the owner has no such thread.
        """

        def claim(connection: Connection) -> bool:
            row = connection.execute(
                select(turns.c.thread, turns.c.claim, database_time().label("now"))
                .where(turns.c.thread == thread_key(thread_id, owner))
                .with_for_update()
            ).one_or_none()
            if row is None:
                raise unknown_thread(thread_id)
            held = json.loads(row.claim) if row.claim else None
            is_held = (
                held is not None
                and held["item"] == item_id
                and held["page"] != page
                # A clock that was set back must not make a claim last longer.
                and held["at"] <= row.now < held["at"] + _CLAIMED_FOR
            )
            if is_held:
                return False
            claimed = json.dumps({"item": item_id, "page": page, "at": row.now})
            connection.execute(
                update(turns).where(turns.c.thread == row.thread).values(claim=claimed)
            )
            return True

        return await self._database.write(claim)

    async def purge_log(self, older_than: float) -> None:
        """Delete the logs of threads in which nothing has happened for so many seconds.

        Requests that are a day old are forgotten too.
        """

        def purge(connection: Connection) -> None:
            now = connection.execute(select(database_time())).scalar_one()
            logged = select(events.c.thread).distinct().subquery()
            quiet = connection.execute(
                select(turns.c.thread)
                .join(logged, logged.c.thread == turns.c.thread)
                .where(turns.c.logged_at < now - older_than, turns.c.worker.is_(None))
            ).scalars()
            for key in quiet.all():
                connection.execute(delete(events).where(events.c.thread == key))
            connection.execute(
                delete(requests).where(requests.c.created_at < now - _REPEATABLE_FOR)
            )

        await self._database.write(purge)


def _of(lease: Lease) -> dict[str, Any]:
    return {"b_thread": lease.key, "b_run": lease.run, "b_worker": lease.worker}


def _log_values(key: int, run: str, row: LogRow) -> dict[str, Any]:
    return {
        "b_thread": key,
        "b_run": run,
        "b_first": row.first,
        "b_last": row.last,
        "b_data": row.data,
        "b_updates": row.updates,
    }
