"""Turns and the event log: who may write to a thread, and what has happened in it.

A turn is executed by a run, which holds the thread's lease. Whatever a run writes, it writes only
while the lease is its own: each of its transactions says so with the first statement.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata
from sqlalchemy import (
    BigInteger,
    Connection,
    Insert,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from ..errors import ThreadBusyError
from . import json_text
from .database import Database, database_time
from .rows import load_page, thread_key, unknown_thread
from .sessions import StoredSession, read_session, write_session
from .tables import events, items, messages, requests, sessions, threads, turns, workers
from .writes import (
    add_items,
    add_new_thread,
    delete_item,
    parse_item,
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


class LeaseLostError(Exception):
    """Another run has taken the thread: nothing of this one's is written any more."""


class OrphanedTurnError(Exception):
    """The thread's last turn was left by a worker that has died, and must be ended first.

    Attributes:
        turn: The turn as it was left.
    """

    def __init__(self, turn: TurnRow) -> None:
        super().__init__(f"Turn {turn.id!r} was left by a worker that has died.")
        self.turn = turn


class RepeatedRequestError(Exception):
    """The request was received before.

    Attributes:
        request: What it had led to.
    """

    def __init__(self, request: RequestRow) -> None:
        super().__init__("The request was received before.")
        self.request = request


@dataclass(frozen=True)
class RequestRow:
    """A request that was received before: the thread, and the turn and run that it began."""

    thread_id: str
    turn: str
    run: str


@dataclass(frozen=True)
class TurnRow:
    """The last turn of a thread.

    Attributes:
        key: The thread's key.
        id: The turn's id; empty if the thread has had none.
        run: The run that executes it, or has.
        worker: The worker that holds the lease, if one does.
        state: How it stands.
        ended_at: When it ended, in seconds since 1970.
        stop: The run that somebody has asked to stop.
        log_position: The position of the newest row of the log.
    """

    key: int
    id: str
    run: str
    worker: str | None
    state: str
    ended_at: float | None
    stop: str | None
    log_position: int


@dataclass(frozen=True)
class LogRow:
    """Events that are committed together.

    Attributes:
        first: The number of the first, within the run.
        last: The number of the last.
        data: The events, as the event log writes them.
        updates: What the agent has sent meanwhile, as JSON.
        run: The run.
        position: The row's place in the log, for a row that was read.
    """

    first: int
    last: int
    data: str
    updates: str | None = None
    run: str = ""
    position: int = 0


@dataclass(frozen=True)
class StoredMessages:
    """Messages to add to a thread's history.

    Attributes:
        turn: The turn that they belong to.
        data: The messages, as JSON.
        read_to: The position up to which the agent has been told of the thread's items.
    """

    turn: str
    data: str
    read_to: int | None = None


@dataclass(frozen=True)
class TurnEnd:
    """How a turn ended."""

    state: str


@dataclass
class Writes:
    """What a run writes in one transaction.

    Attributes:
        items: Items to add, or to replace where they are.
        is_news: Whether the agent is to be told of the items.
        removed: Ids of items to delete.
        thread: What has changed of the thread's metadata.
        messages: Messages to add to the history.
        session: The id and the JSON of a session to store.
        log: Events to add to the log.
        end: How the turn has ended.
    """

    items: list[ThreadItem] = field(default_factory=list)
    is_news: bool = False
    removed: list[str] = field(default_factory=list)
    thread: dict[str, Any] | None = None
    messages: list[StoredMessages] = field(default_factory=list)
    session: tuple[str, str] | None = None
    log: LogRow | None = None
    end: TurnEnd | None = None


@dataclass(frozen=True)
class Lease:
    """A run's right to write to a thread."""

    key: int
    run: str
    worker: str


@dataclass
class NewTurn:
    """What begins a turn, in one transaction.

    Attributes:
        owner: Whose thread it is.
        thread_id: The thread.
        run: The run.
        worker: The worker that executes it.
        turn_id: The turn, if it is a new one; otherwise the last one goes on.
        first_turn_id: The turn, if one goes on and there was none.
        state: How it stands at first.
        new_thread: The thread, if it is to be added.
        item: The message that begins the turn.
        attachments: The message's attachments, which are the thread's from now on.
        retry_after: The message after which all is deleted.
        request_id: Makes the request safe to repeat.
        check: Called with the thread; may raise.
        log: Returns the first events, given what was begun.
    """

    owner: str
    thread_id: str
    run: str
    worker: str
    turn_id: str | None = None
    first_turn_id: str = ""
    state: str = "running"
    new_thread: ThreadMetadata | None = None
    item: ThreadItem | None = None
    attachments: Sequence[Attachment] = ()
    retry_after: str | None = None
    request_id: str | None = None
    check: Callable[[ThreadMetadata], None] | None = None
    log: Callable[[BegunTurn], LogRow] | None = None


@dataclass(frozen=True)
class BegunTurn:
    """A turn that has begun.

    Attributes:
        lease: The right to write to the thread.
        thread: The thread as it is.
        turn_id: The turn.
        removed: Ids of the items that were deleted.
        before: The turn before it, if there was one.
        log_position: The position of the log's newest row.
        is_retry: Whether what came of an earlier try was deleted.
    """

    lease: Lease
    thread: ThreadMetadata
    turn_id: str
    removed: tuple[str, ...]
    before: TurnRow | None
    log_position: int
    is_retry: bool


@dataclass(frozen=True)
class ReadRows:
    """How far a thread's messages were read.

    Attributes:
        count: How many rows there are.
        last: The position of the last one.
        read_to: The position up to which the agent has been told of the thread's items.
    """

    count: int
    last: int
    read_to: int


@dataclass(frozen=True)
class UnreadItem:
    """An item that an agent has not been told of: its place, and whether it is to be told."""

    position: int
    item: ThreadItem
    is_news: bool


@dataclass(frozen=True)
class StoredThread:
    """What an agent may need to know of a thread when a turn starts.

    Attributes:
        session: The session that was stored last.
        is_continued: Whether the messages that the caller knows are still all there.
        messages: The turns and the JSON of the rows that the caller does not know.
        read: How far the messages are read with these.
        unread: The items that the agent has not been told of.
    """

    session: StoredSession | None
    is_continued: bool
    messages: list[tuple[str, str]]
    read: ReadRows
    unread: list[UnreadItem]


@dataclass(frozen=True)
class Snapshot:
    """A thread at one point in time.

    Attributes:
        thread: The thread.
        items: The newest page of its items, newest first.
        turn: Its last turn.
        log: The rows of the log that belong to the run of that turn, if it is running and they
            were asked for.
        last_id: The id of the log's newest event, if the log has one.
    """

    thread: ThreadMetadata
    items: Page[ThreadItem]
    turn: TurnRow | None
    log: list[LogRow]
    last_id: str | None


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

_OF_RUN = and_(
    turns.c.thread == bindparam("b_thread"),
    turns.c.run == bindparam("b_run"),
    turns.c.worker == bindparam("b_worker"),
)

_ADVANCE = (
    update(turns)
    .where(_OF_RUN)
    .values(log_position=turns.c.log_position + 1, logged_at=database_time())
)
_END = _ADVANCE.values(
    worker=None, state=bindparam("b_state"), ended_at=database_time(), stop=None, claim=None
)
_LEASE_OF = select(*_TURN_COLUMNS).where(turns.c.thread == bindparam("b_thread"))
_IS_ALIVE = exists().where(workers.c.id == turns.c.worker)


class Turns:
    """Begins, writes and ends turns, and reads the event log.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        selected = select(
            cast(bindparam("b_thread"), BigInteger),
            turns.c.log_position,
            cast(bindparam("b_run"), Text),
            cast(bindparam("b_first"), BigInteger),
            cast(bindparam("b_last"), BigInteger),
            cast(bindparam("b_data"), Text),
            cast(bindparam("b_updates"), Text),
        ).where(turns.c.thread == bindparam("b_thread"))
        self._append = _insert_events(database, selected)
        self._append_of_run = _insert_events(
            database, selected.where(turns.c.run == bindparam("b_run"))
        )
        new = database.insert(turns).values(
            thread=bindparam("b_thread"),
            id=bindparam("b_id"),
            run=bindparam("b_run"),
            worker=bindparam("b_worker"),
            state=bindparam("b_state"),
            log_position=1,
            logged_at=database_time(),
        )
        taken = {
            "id": new.excluded.id,
            "run": new.excluded.run,
            "worker": new.excluded.worker,
            "state": new.excluded.state,
            "ended_at": None,
            "stop": None,
            "claim": None,
            "log_position": turns.c.log_position + 1,
            "logged_at": new.excluded.logged_at,
        }
        self._take = new.on_conflict_do_update(index_elements=[turns.c.thread], set_=taken)

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
        if new.request_id is not None:
            repeated = self._find_request(connection, new.owner, new.request_id)
            if repeated is not None:
                raise RepeatedRequestError(repeated)
        before: TurnRow | None = None
        if new.new_thread is not None:
            thread = new.new_thread
            key = add_new_thread(self._database, connection, thread, new.owner)
        else:
            key, thread = self._hold(connection, new)
            before = self._find_turn(connection, key)
            self._check_free(connection, new.thread_id, before)
        removed: tuple[str, ...] = ()
        if new.retry_after is not None:
            removed = self._cut(connection, key, new.retry_after)
        turn_id = new.turn_id or self._last_turn_id(connection, key, before) or new.first_turn_id
        for attachment in new.attachments:
            save_attachment_row(self._database, connection, attachment, new.owner, key)
        if new.item is not None:
            self.write(connection, key, new.run, Writes(items=[new.item]))
        connection.execute(
            self._take,
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
        )
        if new.log is not None:
            self._log(connection, key, new.run, new.log(begun))
        if new.request_id is not None:
            connection.execute(
                insert(requests).values(
                    owner=new.owner,
                    id=new.request_id,
                    thread=key,
                    turn=turn_id,
                    run=new.run,
                    created_at=database_time(),
                )
            )
        return begun

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
        row = connection.execute(
            select(threads.c.key, threads.c.data)
            .where(threads.c.id == new.thread_id, threads.c.owner == new.owner)
            .with_for_update()
        ).one_or_none()
        thread = None if row is None else parse_thread(new.thread_id, row.data)
        if row is None or thread is None:
            raise unknown_thread(new.thread_id)
        if new.check is not None:
            new.check(thread)
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
        held = connection.execute(_ADVANCE, [_of(lease) for lease, _ in rows])
        connection.execute(
            self._append_of_run, [_log_values(lease.key, lease.run, row) for lease, row in rows]
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
        if writes.end is not None:
            held = connection.execute(_END, {**_of(lease), "b_state": writes.end.state})
        else:
            held = connection.execute(_ADVANCE, _of(lease))
        if held.rowcount != 1:
            raise LeaseLostError
        self.write(connection, lease.key, lease.run, writes)

    def write(self, connection: Connection, key: int, run: str, writes: Writes) -> None:
        """Write to a thread that the transaction has the right to write to."""
        count = len(writes.items) + len(writes.messages) + (writes.session is not None)
        if count or writes.thread:
            position = self._number(connection, key, count, writes.thread)
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
                connection.execute(
                    insert(messages).values(
                        thread=key,
                        position=position,
                        turn=added.turn,
                        data=added.data,
                        read_to=added.read_to,
                    )
                )
                position += 1
            if writes.session is not None:
                name, data = writes.session
                write_session(self._database, connection, key, position, name, data)
        for item_id in writes.removed:
            delete_item(connection, key, item_id)
        if writes.log is not None:
            self._log(connection, key, run, writes.log)

    def _number(
        self, connection: Connection, key: int, count: int, changes: dict[str, Any] | None
    ) -> int:
        """Return the first of the numbers for what is added to a thread; change its metadata."""
        values: dict[str, Any] = {
            "last_position": threads.c.last_position + count,
            "active_at": database_time(),
        }
        if changes:
            data = connection.scalar(select(threads.c.data).where(threads.c.key == key))
            thread = ThreadMetadata.model_validate({**json.loads(data or "{}"), **changes})
            values["data"] = json_text.dump(thread)
        statement = update(threads).where(threads.c.key == key).values(values)
        last = connection.scalar(statement.returning(threads.c.last_position))
        if last is None:
            raise LeaseLostError
        return int(last) - count + 1

    def _log(self, connection: Connection, key: int, run: str, row: LogRow) -> None:
        connection.execute(self._append, _log_values(key, run, row))
        self._database.announce(key)

    def _is_held(self, connection: Connection, lease: Lease) -> bool:
        return connection.scalar(select(literal(1)).where(_OF_RUN), _of(lease)) is not None

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
                .with_for_update()
            )
            if key is None:
                raise unknown_thread(thread_id)
            self._check_free(connection, thread_id, self._find_turn(connection, key))
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
        statement = update(turns).where(_OF_RUN).values(worker=None, stop=None)
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
                .with_for_update()
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
            turn = self._find_turn(connection, key)
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
            taken = connection.execute(
                update(turns)
                .where(
                    turns.c.thread == turn.key,
                    turns.c.run == turn.run,
                    turns.c.worker.is_not(None),
                    ~_IS_ALIVE,
                )
                .values(
                    run=run,
                    worker=None,
                    stop=None,
                    claim=None,
                    ended_at=database_time(),
                    log_position=turns.c.log_position + 1,
                    logged_at=database_time(),
                )
            )
            if taken.rowcount != 1:
                return False
            log = self._rows(connection, turn.key, turn.run)
            stored = self._read_stored(connection, turn.key, None)
            thread_id = connection.execute(
                select(threads.c.id).where(threads.c.key == turn.key)
            ).scalar_one()
            writes = finish(thread_id, stored, log)
            if writes.end is not None:
                connection.execute(
                    update(turns).where(turns.c.thread == turn.key).values(state=writes.end.state)
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

    async def orphans(self) -> list[TurnRow]:
        """Return turns whose worker has died."""
        statement = select(*_TURN_COLUMNS).where(turns.c.worker.is_not(None), ~_IS_ALIVE)
        return await self._database.read(
            lambda connection: [TurnRow(*row) for row in connection.execute(statement)]
        )

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

    # Reading

    async def find_request(self, owner: str, request_id: str) -> RequestRow | None:
        """Return what a request has led to, if it was received before."""
        return await self._database.read(
            lambda connection: self._find_request(connection, owner, request_id)
        )

    async def of_thread(self, thread_id: str, owner: str) -> TurnRow | None:
        """Return a thread's last turn, if it has had one.

        Raises:
            NotFoundError: If the owner has no such thread.
        """

        def find(connection: Connection) -> TurnRow | None:
            key = connection.scalar(select(thread_key(thread_id, owner)))
            if key is None:
                raise unknown_thread(thread_id)
            return self._find_turn(connection, key)

        return await self._database.read(find)

    async def of_keys(self, keys: Sequence[int]) -> list[TurnRow]:
        """Return the last turns of threads, by the threads' keys."""
        statement = select(*_TURN_COLUMNS).where(turns.c.thread.in_(keys))
        return await self._database.read(
            lambda connection: [TurnRow(*row) for row in connection.execute(statement)]
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
        """Return whether a thread is gone."""
        statement = select(literal(1)).where(threads.c.key == key)
        return await self._database.read(lambda c: c.scalar(statement) is None)

    async def owners_of(
        self, keys: set[int] | None, owners: Sequence[str]
    ) -> list[tuple[int, str]]:
        """Return which threads are these owners', with the owner of each.

        Args:
            keys: The threads; `None` for those that were active last.
            owners: The owners.
        """
        statement = select(threads.c.key, threads.c.owner).where(threads.c.owner.in_(owners))
        if keys is None:
            statement = statement.order_by(threads.c.position.desc()).limit(100)
        else:
            statement = statement.where(threads.c.key.in_(keys))
        return await self._database.read(
            lambda connection: [(row.key, row.owner) for row in connection.execute(statement)]
        )

    async def summary(self, key: int) -> tuple[ThreadMetadata, TurnRow | None] | None:
        """Return a thread and its last turn, or `None` if the thread is gone."""

        def read(connection: Connection) -> tuple[ThreadMetadata, TurnRow | None] | None:
            row = connection.execute(
                select(threads.c.id, threads.c.data).where(threads.c.key == key)
            ).one_or_none()
            thread = None if row is None else parse_thread(row.id, row.data)
            return None if thread is None else (thread, self._find_turn(connection, key))

        return await self._database.read(read)

    async def of_threads(self, ids: Sequence[str], owner: str) -> dict[str, TurnRow]:
        """Return the last turns of an owner's threads, by the threads' ids."""
        statement = (
            select(threads.c.id.label("thread_id"), *_TURN_COLUMNS)
            .join(threads, threads.c.key == turns.c.thread)
            .where(threads.c.id.in_(ids), threads.c.owner == owner)
        )
        return await self._database.read(
            lambda connection: {row[0]: TurnRow(*row[1:]) for row in connection.execute(statement)}
        )

    async def read_stored(self, key: int, known: ReadRows | None = None) -> StoredThread:
        """Return what an agent may need to know of a thread when a turn starts.

        Args:
            key: The thread's key.
            known: How far the caller has read the messages before.
        """
        return await self._database.read(
            lambda connection: self._read_stored(connection, key, known), is_snapshot=True
        )

    async def snapshot(
        self, thread_id: str, owner: str, limit: int, *, with_log: bool = False
    ) -> Snapshot:
        """Return a thread as it is at one point in time.

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
            turn = self._find_turn(connection, row.key)
            is_running = turn is not None and turn.worker is not None
            log = (
                self._rows(connection, row.key, turn.run)
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
        """Return rows of a thread's log that come after a position, oldest first."""
        statement = (
            select(events)
            .where(events.c.thread == key, events.c.position > after)
            .order_by(events.c.position)
            .limit(limit)
        )
        return await self._database.read(
            lambda connection: [_log_row(row) for row in connection.execute(statement)]
        )

    async def find_in_log(self, key: int, run: str, number: int) -> LogRow | None:
        """Return the row of a thread's log that holds an event, if it is still there."""
        statement = select(events).where(
            events.c.thread == key,
            events.c.run == run,
            events.c.first <= number,
            events.c.last >= number,
        )

        def find(connection: Connection) -> LogRow | None:
            row = connection.execute(statement).one_or_none()
            return None if row is None else _log_row(row)

        return await self._database.read(find)

    async def first_of_run(self, key: int, run: str) -> LogRow | None:
        """Return the first row of a run in a thread's log, if it is still there."""
        return await self.find_in_log(key, run, 1)

    def _rows(self, connection: Connection, key: int, run: str) -> list[LogRow]:
        rows = connection.execute(
            select(events)
            .where(events.c.thread == key, events.c.run == run)
            .order_by(events.c.first)
        )
        return [_log_row(row) for row in rows]

    def _find_turn(self, connection: Connection, key: int) -> TurnRow | None:
        row = connection.execute(_LEASE_OF, {"b_thread": key}).one_or_none()
        return None if row is None else TurnRow(*row)

    def _find_request(
        self, connection: Connection, owner: str, request_id: str
    ) -> RequestRow | None:
        row = connection.execute(
            select(threads.c.id, requests.c.turn, requests.c.run)
            .join(threads, threads.c.key == requests.c.thread)
            .where(requests.c.owner == owner, requests.c.id == request_id)
        ).one_or_none()
        return None if row is None else RequestRow(*row)

    def _read_stored(
        self, connection: Connection, key: int, known: ReadRows | None
    ) -> StoredThread:
        session = connection.execute(
            select(sessions.c.id, sessions.c.data)
            .where(sessions.c.thread == key)
            .order_by(sessions.c.position.desc())
            .limit(1)
        ).one_or_none()
        before = known or ReadRows(0, 0, 0)
        if before.count:
            count = connection.scalar(
                select(func.count()).where(
                    messages.c.thread == key, messages.c.position <= before.last
                )
            )
            if count != before.count:
                before = ReadRows(0, 0, 0)
        rows = connection.execute(
            select(messages.c.position, messages.c.turn, messages.c.data, messages.c.read_to)
            .where(messages.c.thread == key, messages.c.position > before.last)
            .order_by(messages.c.position)
        ).all()
        read = ReadRows(
            before.count + len(rows),
            rows[-1].position if rows else before.last,
            max([before.read_to, *(row.read_to or 0 for row in rows)]),
        )
        unread = connection.execute(
            select(items.c.position, items.c.id, items.c.data, items.c.is_news)
            .where(items.c.thread == key, items.c.position > read.read_to)
            .order_by(items.c.position)
        )
        return StoredThread(
            None if session is None else read_session(session.id, session.data, str(key)),
            known is not None and before.count == known.count,
            [(row.turn, row.data) for row in rows],
            read,
            [
                UnreadItem(row.position, item, bool(row.is_news))
                for row in unread
                if (item := parse_item(row.id, row.data)) is not None
            ],
        )


def _insert_events(database: Database, selected: Select[Any]) -> Insert:
    columns = ["thread", "position", "run", "first", "last", "data", "updates"]
    # A row that is there already was written by an earlier try.
    return database.insert(events).from_select(columns, selected).on_conflict_do_nothing()


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


def _log_row(row: Any) -> LogRow:
    return LogRow(row.first, row.last, row.data, row.updates, row.run, row.position)
