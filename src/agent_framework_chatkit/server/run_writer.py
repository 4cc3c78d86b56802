"""Writes a run's events and messages, and delivers the events as soon as allowed."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from chatkit.types import ThreadStreamEvent

from ..error_log import log_error
from ..stores import SQLStore
from ..stores.sql.availability import is_unavailable
from ..stores.sql.turn_rows import Lease, LeaseLostError, LogRow, TurnEnd, Writes
from .channel import Channel
from .event_log import Entry, TextDelta, log_row
from .exchange import Exchange
from .remembered import RememberedTurn
from .text_joiner import TextJoiner

logger = logging.getLogger(__name__)

MAX_UNWRITTEN = 1024 * 1024
"""Maximum bytes of unwritten events before the run has to wait."""


class RunWriter:
    """Numbers a run's events, writes them to the log, and delivers them.

    An event that changes stored data is delivered after its commit, and later events wait for it.
    All other events are delivered immediately and written with the next group commit.

    Args:
        channel: Delivers the events.
        lease: The run's lease on its thread.
        store: Stores the events.
        text_interval: Seconds between two text deltas; 0 sends each separately.
        lose: Called when the run loses its thread, with whether the thread is deleted.
        fail: Called when something cannot be stored at all.
    """

    def __init__(
        self,
        channel: Channel,
        lease: Lease,
        store: SQLStore[Any],
        text_interval: float,
        *,
        lose: Callable[[bool], None],
        fail: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._lease = lease
        self._store = store
        self._lose = lose
        self._fail = fail
        self.text = TextJoiner(self.add, text_interval)
        """Joins text deltas before they are sent."""
        self.exchange: Exchange | None = None
        """The agent's exchange, if an agent runs; it is written with the events."""
        self.writes = Writes()
        """Other data to write with the next events."""
        self.committed = 0
        """The number of the last stored event."""
        self.lock = asyncio.Lock()
        """Held during a commit, and while no commit may happen."""
        self.is_closed = False
        """Whether the run has ended or lost its thread. It then writes nothing more."""
        self._number = 0
        self._unwritten: list[Entry] = []
        self._unwritten_size = 0
        self._held: deque[Entry] = deque()
        """Events that clients must not receive yet, and the events after them."""
        self.is_ending = False
        """Whether the run's end is being written, and nothing else may be."""
        self._committing: asyncio.Task[None] | None = None
        self._must_commit = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def deliver_first(self, prelude: list[Entry]) -> None:
        """Deliver the first events, which were stored when the turn started."""
        self._number = self.committed = prelude[-1].number if prelude else 0
        for entry in prelude:
            self._channel.deliver(entry)

    def add(
        self,
        data: bytes,
        event: ThreadStreamEvent | TextDelta | None = None,
        *,
        needs_commit: bool = False,
        is_passing: bool = False,
        is_internal: bool = False,
        is_addition: bool = False,
        is_last: bool = False,
        page: str | None = None,
    ) -> int:
        """Write an event and return its number. See `Entry` for the parameters."""
        self._number += 1
        entry = Entry(
            self._lease.run,
            self._number,
            data,
            event,
            is_passing=is_passing,
            is_addition=is_addition,
            page=page,
            needs_commit=needs_commit,
            is_internal=is_internal,
            is_last=is_last,
        )
        if self.is_closed:
            return entry.number
        self._unwritten.append(entry)
        self._unwritten_size += len(data)
        if needs_commit or self._held:
            self._held.append(entry)
        else:
            self._channel.deliver(entry)
        if needs_commit:
            self.commit_soon()
        return entry.number

    @property
    def is_dirty(self) -> bool:
        """Whether events are waiting to be written and no write is in progress."""
        return (
            bool(self._unwritten)
            and self._committing is None
            and not self.is_ending
            and not self.lock.locked()
        )

    @property
    def is_full(self) -> bool:
        """Whether so many events are unwritten that the run must wait."""
        return self._unwritten_size + self.text.size > MAX_UNWRITTEN

    @property
    def has_only_log(self) -> bool:
        """Whether only log rows are waiting to be written."""
        writes = self.writes
        return not (writes.items or writes.removed or writes.thread or writes.session)

    def may_append(self) -> bool:
        """Return whether events are waiting to be written, and nothing else is."""
        return bool(self._unwritten) and not self.is_ending and self.has_only_log

    def take_log(self) -> LogRow:
        """Return the next log row. The caller must write it.

        If there are no events, the row holds an internal one, which marks the commit of other data.
        """
        self.text.flush()
        updates = self.exchange.take_new() if self.exchange is not None else None
        if not self._unwritten:
            self._number += 1
            self._unwritten.append(Entry(self._lease.run, self._number, b"{}", is_internal=True))
        row = log_row(self._unwritten, updates)
        self._unwritten = []
        self._unwritten_size = 0
        return row

    def try_to_take_log(self) -> LogRow | None:
        """Return the next log row, or fail the run and return `None` if it cannot be stored."""
        try:
            return self.take_log()
        except Exception:
            self._fail_unstorable()
            return None

    def _fail_unstorable(self) -> None:
        log_error(logger, "Cannot store the events of run %s.", self._lease.run)
        self._fail()

    def note_committed(self, number: int) -> None:
        """Deliver the events that waited for the commit of an event."""
        if number <= self.committed:
            # The row was read from the log before the database's answer arrived.
            return
        self.committed = number
        self._channel.ahead += 1
        while self._held and (
            not self._held[0].needs_commit or self._held[0].number <= self.committed
        ):
            self._channel.deliver(self._held.popleft())
        still = []
        for wanted, future in self._waiting:
            if wanted <= self.committed:
                if not future.done():
                    future.set_result(None)
            else:
                still.append((wanted, future))
        self._waiting = still

    def commit_soon(self) -> None:
        """Start a commit without waiting for the next group commit."""
        if self.is_ending:
            return
        if self._committing is not None:
            self._must_commit = True
            return
        self._committing = asyncio.create_task(self._commit_all())

    async def checkpoint(self) -> None:
        """Wait until everything so far is stored.

        Raises:
            asyncio.CancelledError: If the run lost its thread, so that nothing more is written.
        """
        self._raise_if_closed()
        self.text.flush()
        has_new = self.exchange is not None and self.exchange.has_new
        is_writing = self._committing is not None or self.lock.locked()
        if not (has_new or self._unwritten or is_writing):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        number = self.add(b"{}", is_internal=True, needs_commit=True)
        self._waiting.append((number, future))
        await future
        self._raise_if_closed()

    async def begin_end(self) -> None:
        """Wait for the current write. After this, only `commit` with an end writes."""
        # A commit that has not started yet becomes part of the end's.
        self.is_ending = True
        while self._committing is not None:
            await self._committing

    async def commit(
        self, end: TurnEnd | None = None, remembered: RememberedTurn | None = None
    ) -> None:
        """Write everything so far, and the end of the turn if given."""
        async with self.lock:
            if self.is_closed:
                return
            writes, self.writes = self.writes, Writes()
            writes.end = end
            if remembered is not None:
                writes.messages = remembered.messages
                writes.session = remembered.session
            try:
                writes.log = row = self.take_log()
                await self._store.turns.commit(self._lease, writes)
            except LeaseLostError:
                await self.lose_lease()
                return
            except Exception as error:
                if is_unavailable(error):
                    logger.warning(
                        "Leaving run %s to another worker or to the next start: this worker is "
                        "stopping and the database does not respond.",
                        self._lease.run,
                    )
                    self.close()
                    return
                if end is not None:
                    raise
                self._fail_unstorable()
                return
        self.note_committed(row.last)

    async def lose_lease(self) -> None:
        """Report that the lease is gone, and whether that is because the thread is deleted."""
        self._lose(await self._store.log.is_deleted(self._lease.key))

    def close(self) -> None:
        """Write nothing more, and do not keep the run in memory."""
        self.is_closed = True
        self.release_waiting()
        self.text = TextJoiner(_ignore, 0)
        self._lose = self._fail = _ignore

    def drop(self) -> None:
        """Drop everything that is not stored, and the agent's exchange."""
        self.text.drop()
        self.exchange = None
        self.writes = Writes()
        self._held.clear()
        self._unwritten = []
        self._unwritten_size = 0
        self.release_waiting()

    def release_waiting(self) -> None:
        """Wake all tasks that wait for a commit."""
        for _, future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting = []

    async def _commit_all(self) -> None:
        try:
            # Anything added during the end of the turn is written with the end.
            while not self.is_ending:
                self._must_commit = False
                await self.commit()
                if not self._must_commit:
                    return
        finally:
            self._committing = None

    def _raise_if_closed(self) -> None:
        if self.is_closed:
            raise asyncio.CancelledError


def _ignore(*_: object) -> None:
    pass
