"""Writes to a thread and its event log within a transaction.

A run can only write while it holds the lease: the first statement of each of its transactions
checks this.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chatkit.types import ThreadMetadata
from sqlalchemy import Connection, select

from .database import Database
from .log import find_in_log
from .log_appender import LogAppender, lease_values, log_values
from .rows import free_after
from .search_index import index_title
from .sessions import write_session
from .tables import threads
from .turn_rows import Lease, LeaseLostError, LogRow, ThreadChange, Writes
from .writes import add_items, delete_item, dump_thread


class ThreadWriter:
    """Writes to threads.

    Args:
        database: Provides the statements.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = database.statements
        self._appender = LogAppender(database.statements, database.dialect)

    def append(
        self, connection: Connection, rows: Sequence[tuple[Lease, LogRow]], is_repeated: bool
    ) -> list[Lease]:
        """Add rows to the logs of many threads, and return the lost leases."""
        if is_repeated:
            rows = [each for each in rows if not _is_written(connection, *each)]
        if not rows:
            return []
        held = self._appender.append(connection, rows)
        for key in held:
            self._database.announce(key)
        return [lease for lease, _ in rows if lease.key not in held]

    def commit(
        self, connection: Connection, lease: Lease, writes: Writes, is_repeated: bool
    ) -> None:
        """Write a run's changes.

        Raises:
            LeaseLostError: If the run no longer holds the lease.
        """
        if is_repeated and writes.log is not None and _is_written(connection, lease, writes.log):
            return
        # Every transaction locks the thread's row before the turn's, so there is no deadlock.
        position = self._number_writes(connection, lease.key, writes)
        if writes.end is not None:
            end = {"b_state": writes.end.state, "b_ended_at": writes.end.at}
            held = connection.execute(self._statements.end, lease_values(lease) | end)
        else:
            held = connection.execute(self._statements.advance, lease_values(lease))
        if held.rowcount != 1:
            raise LeaseLostError
        self._write(connection, lease.key, lease.run, writes, position)

    def write(self, connection: Connection, key: int, run: str, writes: Writes) -> None:
        """Write to a thread whose lease the transaction has checked."""
        position = self._number_writes(connection, key, writes)
        self._write(connection, key, run, writes, position)

    def _number_writes(self, connection: Connection, key: int, writes: Writes) -> int | None:
        """Return the first position of the new rows; `None` if no row needs one."""
        count = len(writes.items) + len(writes.messages) + (writes.session is not None)
        if not count and not writes.thread:
            return None
        return self.number(connection, key, count, writes.thread)

    def _write(
        self, connection: Connection, key: int, run: str, writes: Writes, position: int | None
    ) -> None:
        if writes.log is not None:
            self.log(connection, key, run, writes.log)
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
                free_after(connection, added.data)
                position += 1
            if writes.session is not None:
                name, data = writes.session
                write_session(self._database, connection, key, position, name, data)
        for item_id in writes.removed:
            delete_item(connection, key, item_id)

    def number(
        self, connection: Connection, key: int, count: int, change: ThreadChange | None
    ) -> int:
        """Return the first position of new rows of a thread, and change the thread's metadata."""
        statements = self._statements
        values: dict[str, Any] = {"b_key": key, "b_count": count}
        last = None
        if change is not None:
            values |= {"b_data": dump_thread(change.after), "b_known": dump_thread(change.before)}
            last = connection.scalar(statements.number_and_change_known, values)
            if last is None:
                # Somebody else has changed the metadata.
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
        if data is None:
            raise LeaseLostError
        changed = {
            name: value
            for name, value in change.after.model_dump(mode="json").items()
            if getattr(change.after, name) != getattr(change.before, name)
        }
        merged = ThreadMetadata.model_validate({**json.loads(data), **changed})
        return dump_thread(merged)

    def log(self, connection: Connection, key: int, run: str, row: LogRow) -> None:
        """Add a row to a thread's log, and announce it."""
        connection.execute(self._statements.add_events, log_values(key, run, row))
        self._database.announce(key)


def _is_written(connection: Connection, lease: Lease, row: LogRow) -> bool:
    """Return whether an earlier attempt wrote a log row."""
    return find_in_log(connection, lease.key, lease.run, row.first) is not None
