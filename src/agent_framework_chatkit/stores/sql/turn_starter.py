"""Starts turns: checks that the thread is free, and deletes and adds rows."""

from __future__ import annotations

from chatkit.store import NotFoundError
from chatkit.types import ThreadMetadata
from sqlalchemy import Connection, and_, delete, exists, literal, select, union
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ThreadBusyError
from .database import Database
from .log import find_request, find_turn
from .rows import unknown_thread
from .tables import items, messages, sessions, words, workers
from .thread_writer import ThreadWriter
from .turn_rows import (
    BegunTurn,
    Lease,
    NewTurn,
    OrphanedTurnError,
    RepeatedRequestError,
    TurnRow,
)
from .writes import add_items, add_new_thread, parse_thread, save_attachment_row, unknown_item

MAX_TRIED = 100
"""The maximum number of deleted message rows to return: the agent reads their tool calls."""


class TurnStarter:
    """Starts turns, each within one transaction.

    Args:
        database: Provides the statements.
        writer: Writes to threads.
    """

    def __init__(self, database: Database, writer: ThreadWriter) -> None:
        self._database = database
        self._statements = database.statements
        self._writer = writer

    def begin(self, connection: Connection, new: NewTurn) -> BegunTurn:
        """Start a turn; see `Turns.begin`."""
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
                check_free(connection, new.thread_id, before)
            except SQLAlchemyError:
                raise
            except Exception:
                # An earlier attempt of this request may have started the running turn.
                self._raise_if_repeated(connection, new)
                raise
        removed: tuple[str, ...] = ()
        tried: tuple[str, ...] = ()
        if new.retry_after is not None:
            removed, tried = self._cut(connection, key, new.retry_after)
        turn_id = new.turn_id or self._continued(connection, key, before, new) or new.first_turn_id
        self._add_attachments(connection, key, new)
        if new.item is not None:
            position = (
                1 if new.new_thread is not None else self._writer.number(connection, key, 1, None)
            )
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
            self._writer.log(connection, key, new.run, new.log(begun))
        if new.request_id is not None:
            self._add_request(connection, new, begun)
        return begun

    def _add_attachments(self, connection: Connection, key: int, new: NewTurn) -> None:
        try:
            for attachment in new.attachments:
                save_attachment_row(
                    self._database, connection, attachment, new.owner, key, may_move=False
                )
        except NotFoundError:
            # An earlier attempt of this request may have sent the files.
            self._raise_if_repeated(connection, new)
            raise

    def _add_request(self, connection: Connection, new: NewTurn, begun: BegunTurn) -> None:
        added = connection.scalar(
            self._statements.add_request,
            {
                "owner": new.owner,
                "id": new.request_id,
                "thread": begun.lease.key,
                "turn": begun.turn_id,
                "run": new.run,
                "digest": new.request_digest,
            },
        )
        if added is None:
            self._raise_if_repeated(connection, new)

    def _raise_if_repeated(self, connection: Connection, new: NewTurn) -> None:
        if new.request_id is not None:
            repeated = find_request(connection, new.owner, new.request_id)
            if repeated is not None:
                raise RepeatedRequestError(repeated)

    def _continued(
        self, connection: Connection, key: int, before: TurnRow | None, new: NewTurn
    ) -> str | None:
        """Return the ID of the turn that continues."""
        last = None if before is None else before.id
        if last and not new.is_answer:
            return last
        # Later turns, if any, ended before the agent received their messages. Or an older version
        # wrote the thread.
        asking: str | None = connection.scalar(
            select(sessions.c.id)
            .where(sessions.c.thread == key)
            .order_by(sessions.c.position.desc())
            .limit(1)
        )
        return asking or last

    def _hold(self, connection: Connection, new: NewTurn) -> tuple[int, ThreadMetadata]:
        values = {"b_id": new.thread_id, "b_owner": new.owner}
        row = connection.execute(self._statements.find_thread, values).one_or_none()
        thread = None if row is None else parse_thread(new.thread_id, row.data)
        if row is None or thread is None:
            raise unknown_thread(new.thread_id)
        return row.key, thread

    def _cut(
        self, connection: Connection, key: int, item_id: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Delete the items after a message, and the sessions and messages of its turn and later.

        Returns:
            The IDs of the items, newest first, and the first messages, oldest first.
        """
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
        # An earlier turn may have continued later. If code started it, it has no message.
        earlier = union(
            select(items.c.id).where(items.c.thread == key, items.c.position < position),
            select(messages.c.turn).where(messages.c.thread == key, messages.c.position < position),
        )
        cut, cut_sessions = (
            and_(table.c.thread == key, table.c.position > position, turn.not_in(earlier))
            for table, turn in ((messages, messages.c.turn), (sessions, sessions.c.id))
        )
        data = select(messages.c.data).where(cut).order_by(messages.c.position).limit(MAX_TRIED)
        tried = tuple(connection.execute(data).scalars())
        connection.execute(delete(messages).where(cut))
        connection.execute(delete(sessions).where(cut_sessions))
        found = select(items.c.id).where(later)
        connection.execute(delete(words).where(words.c.thread == key, words.c.item.in_(found)))
        connection.execute(delete(items).where(later))
        return ids, tried


def check_free(connection: Connection, thread_id: str, turn: TurnRow | None) -> None:
    """Raise if a thread's last turn has not ended.

    Args:
        connection: The transaction's connection.
        thread_id: The thread's ID.
        turn: The thread's last turn.

    Raises:
        ThreadBusyError: If the turn is running.
        OrphanedTurnError: If the turn's worker died.
    """
    if turn is None or turn.worker is None:
        return
    is_alive = connection.scalar(
        select(literal(1)).where(exists().where(workers.c.id == turn.worker))
    )
    if is_alive:
        raise ThreadBusyError(thread_id)
    raise OrphanedTurnError(turn)
