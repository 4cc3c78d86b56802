"""Starts, writes and ends turns, and writes to threads outside their turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Delete, and_, delete, select, tuple_, update

from .database import Database
from .log import IS_ALIVE, find_turn, rows_of_run
from .log_appender import lease_values
from .rows import hold_thread, thread_key, unknown_thread
from .statements import Statements
from .stored import read_stored
from .tables import events, requests, threads, turns
from .thread_writer import ThreadWriter
from .time import database_time
from .turn_rows import BegunTurn, Lease, LogRow, NewTurn, StoredThread, TurnRow, Writes
from .turn_starter import TurnStarter, check_free

T = TypeVar("T")

_REPEATABLE_FOR = 24 * 3600
"""Seconds for which a request may be repeated."""

_PURGED_THREADS = 50
_PURGED_ROWS = 500
"""The maximum numbers of threads and rows of the log to purge in one transaction."""

_CLAIMED_FOR = 60
"""Seconds that a page has to run a client tool that it has claimed."""


class Turns:
    """Starts, writes and ends turns. The run of a turn holds the thread's lease.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = ThreadWriter(database)
        self._starter = TurnStarter(database, self._writer)

    async def begin(self, new: NewTurn) -> BegunTurn:
        """Start a turn.

        Raises:
            NotFoundError: If the owner has no such thread, or the thread no such message.
            ThreadBusyError: If the thread is running another turn.
            OrphanedTurnError: If the last turn must be ended first.
            RepeatedRequestError: If the request was received before.
            ValueError: If the item to retry is not a user message.
        """
        return await self._database.write(lambda connection: self._starter.begin(connection, new))

    async def commit(self, lease: Lease, writes: Writes) -> None:
        """Write a run's changes once, however often the database does not respond.

        Raises:
            LeaseLostError: If the run no longer holds the lease.
        """
        await self._write_once(
            lambda connection, is_repeated: self._writer.commit(
                connection, lease, writes, is_repeated
            )
        )

    async def append(self, rows: Sequence[tuple[Lease, LogRow]]) -> list[Lease]:
        """Add rows to the logs of many threads once, however often the database does not respond.

        Returns:
            The lost leases, for which nothing was written.
        """
        return await self._write_once(
            lambda connection, is_repeated: self._writer.append(connection, rows, is_repeated)
        )

    async def _write_once(self, work: Callable[[Connection, bool], T]) -> T:
        """Repeat work until it succeeds. It is told if an earlier attempt may have succeeded."""
        is_repeated = False

        async def attempt() -> T:
            nonlocal is_repeated
            was_repeated, is_repeated = is_repeated, True
            return await self._database.write(lambda connection: work(connection, was_repeated))

        return await self._database.availability.retry(attempt)

    async def hold(self, thread_id: str, owner: str, run: str, worker: str) -> Lease:
        """Take a thread's lease without starting a turn.

        Raises:
            NotFoundError: If the owner has no such thread.
            ThreadBusyError: If another run holds it.
            OrphanedTurnError: If the last turn must be ended first.
        """

        def hold(connection: Connection) -> Lease:
            key = hold_thread(connection, thread_id, owner, against_changes=True)
            check_free(connection, thread_id, find_turn(connection, key))
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
        """Release a lease, and return whether the run still held it."""
        statement = update(turns).where(Statements.of_run).values(worker=None, stop=None)
        return await self._database.write(
            lambda connection: connection.execute(statement, lease_values(lease)).rowcount == 1
        )

    async def add(self, thread_id: str, owner: str, run: str, writes: Writes) -> TurnRow:
        """Write to a thread outside its turns, even while one is running.

        Returns:
            The thread's last turn.

        Raises:
            NotFoundError: If the owner has no such thread.
        """

        def add(connection: Connection) -> TurnRow:
            key = hold_thread(connection, thread_id, owner, against_changes=True)
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
            self._writer.write(connection, key, run, writes)
            turn = find_turn(connection, key)
            assert turn is not None  # noqa: S101 just written
            return turn

        return await self._database.write(add)

    async def interrupt(
        self,
        turn: TurnRow,
        run: str,
        finish: Callable[[str, StoredThread, list[LogRow]], Writes],
    ) -> bool:
        """End a turn whose worker died.

        Args:
            turn: The turn as it was found.
            run: The ID of a new run, under which the end is logged.
            finish: Returns the data to write, given the thread's ID, its stored data, and the log
                of the dead worker's run.

        Returns:
            Whether the turn was ended here, rather than by another worker or its own.
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
            log = rows_of_run(connection, turn.key, turn.run, with_updates=True)
            stored = read_stored(connection, turn.key, thread_id, with_messages=False)
            writes = finish(thread_id, stored, log)
            if writes.end is not None:
                connection.execute(
                    update(turns)
                    .where(turns.c.thread == turn.key)
                    .values(state=writes.end.state, ended_at=writes.end.at)
                )
            self._writer.write(connection, turn.key, run, writes)
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
        """Claim a client tool call for a page, unless another page has claimed it.

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
                # A clock that is set back must not extend a claim.
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
        """Delete the logs of threads without events for this many seconds.

        This also deletes stored requests that are more than a day old.
        """
        is_quiet = and_(turns.c.logged_at < database_time() - older_than, turns.c.worker.is_(None))
        logged = select(events.c.thread).distinct().subquery()
        found = select(turns.c.thread).join(logged, logged.c.thread == turns.c.thread)
        keys = await self._database.read(
            lambda connection: connection.scalars(found.where(is_quiet)).all()
        )
        for start in range(0, len(keys), _PURGED_THREADS):
            rows = (
                select(events.c.thread, events.c.position)
                .join(turns, turns.c.thread == events.c.thread)
                .where(events.c.thread.in_(keys[start : start + _PURGED_THREADS]), is_quiet)
                .limit(_PURGED_ROWS)
            )
            await self._delete_repeatedly(
                delete(events).where(tuple_(events.c.thread, events.c.position).in_(rows))
            )
        old = requests.c.created_at < database_time() - _REPEATABLE_FOR
        await self._database.write(
            lambda connection: connection.execute(delete(requests).where(old))
        )

    async def _delete_repeatedly(self, statement: Delete) -> None:
        """Delete rows in several transactions, until none are left. Turns can write in between."""
        deleted = _PURGED_ROWS
        while deleted == _PURGED_ROWS:
            deleted = await self._database.write(
                lambda connection: connection.execute(statement).rowcount
            )
