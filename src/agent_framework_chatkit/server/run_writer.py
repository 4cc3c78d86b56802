"""Writes what a run shows and exchanges, and passes it on to clients as soon as that may be."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from chatkit.types import ThreadStreamEvent

from ..stores.sql.availability import does_not_answer
from ..stores.sql.log import ThreadLog
from ..stores.sql.turn_rows import Lease, LeaseLostError, LogRow, TurnEnd, Writes
from ..stores.sql.turns import Turns
from .channel import Channel
from .event_log import Entry, TextDelta, log_row
from .exchange import Exchange
from .remembered import RememberedTurn
from .text_joiner import TextJoiner

logger = logging.getLogger(__name__)

MAX_UNWRITTEN = 1024 * 1024
"""Bytes of events that may wait to be written before the run waits too."""


class RunWriter:
    """Numbers a run's events, writes them to the log, and delivers them.

    An event that changes what is stored is delivered once it is stored, and those after it wait
    for it; any other is delivered at once, and written with the others of its time.

    Args:
        channel: Delivers the events.
        lease: The run's lease on its thread.
        turns: Writes.
        log: Knows whether the thread is deleted.
        persist: Repeats a write for as long as the database does not answer.
        text_interval: Seconds between two text deltas; 0 sends each by itself.
        lose: Told that the thread is not this run's any more, and whether it is deleted.
        fail: Told that something cannot be stored, whatever is tried.
    """

    def __init__(
        self,
        channel: Channel,
        lease: Lease,
        turns: Turns,
        log: ThreadLog,
        persist: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]],
        text_interval: float,
        *,
        lose: Callable[[bool], None],
        fail: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._lease = lease
        self._turns = turns
        self._log = log
        self._persist = persist
        self._lose = lose
        self._fail = fail
        self.text = TextJoiner(self.add, text_interval)
        """Joins the text that is sent."""
        self.exchange: Exchange | None = None
        """What is exchanged with the agent, if one runs; it is written beside the events."""
        self.writes = Writes()
        """What else is to be written with the next events."""
        self.committed = 0
        """The number of the last event that is stored."""
        self.lock = asyncio.Lock()
        """Held while something is committed, or must not be."""
        self.is_closed = False
        """Whether the run has lost its thread, and nothing more is written."""
        self._number = 0
        self._unwritten: list[Entry] = []
        self._unwritten_size = 0
        self._held: deque[Entry] = deque()
        """Events that clients must not see yet, and what comes after them."""
        self._is_ending = False
        self._committing: asyncio.Task[None] | None = None
        self._must_commit = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def pass_on(self, prelude: list[Entry]) -> None:
        """Pass on the first events, which were stored when the turn began."""
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
        """Write an event, given its JSON, and return its number. `Entry` says what the rest is."""
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
        """Whether something is yet to be written, and nothing is being written."""
        return (
            bool(self._unwritten)
            and self._committing is None
            and not self._is_ending
            and not self.lock.locked()
        )

    @property
    def is_full(self) -> bool:
        """Whether so much is yet to be written that the run must wait."""
        return self._unwritten_size + self.text.size > MAX_UNWRITTEN

    @property
    def has_only_log(self) -> bool:
        """Whether all that is to be written is rows of the log."""
        writes = self.writes
        return not (writes.items or writes.removed or writes.thread or writes.session)

    def may_append(self) -> bool:
        """Return whether something is yet to be written, and all of it is rows of the log."""
        return bool(self._unwritten) and not self._is_ending and self.has_only_log

    def take_log(self) -> LogRow:
        """Return what is yet to be written to the log, which counts as being written from now on.

        If there are no events, one that nobody sees stands for what is beside them.
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

    def note_committed(self, number: int) -> None:
        """Pass on what was held until it is stored."""
        if number <= self.committed:
            # It was found in the log, before the database's answer came.
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
        """Write what is there, without waiting for the next group commit."""
        if self._is_ending:
            return
        if self._committing is not None:
            self._must_commit = True
            return
        self._committing = asyncio.create_task(self._commit_all())

    async def checkpoint(self) -> None:
        """Wait until everything so far is stored.

        Raises:
            asyncio.CancelledError: If nothing more is written, since the thread was lost.
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
        """Wait for what is being written; from now on, only `commit` with an end writes."""
        while self._committing is not None:
            await self._committing
        self._is_ending = True

    async def commit(
        self, end: TurnEnd | None = None, remembered: RememberedTurn | None = None
    ) -> None:
        """Write everything so far, and how the turn has ended if it has."""
        async with self.lock:
            if self.is_closed:
                return
            row = self.take_log()
            writes, self.writes = self.writes, Writes()
            writes.log = row
            writes.end = end
            if remembered is not None:
                writes.messages = remembered.messages
                writes.session = remembered.session
            try:
                await self._write(writes)
            except LeaseLostError:
                self._lose(await self._log.is_deleted(self._lease.key))
                return
            except Exception as error:
                if does_not_answer(error):
                    logger.warning(
                        "Run %s is left to another worker, or to the next start: this one stops, "
                        "and the database does not answer.",
                        self._lease.run,
                    )
                    self.close()
                    return
                if end is not None:
                    raise
                logger.exception("What run %s has shown cannot be stored.", self._lease.run)
                self._fail()
                return
        self.note_committed(row.last)

    def close(self) -> None:
        """Write nothing more."""
        self.is_closed = True
        self.release_waiting()

    def drop(self) -> None:
        """Drop what was not stored, which clients have not seen."""
        self.writes = Writes()
        self._held.clear()
        self._unwritten = []
        self._unwritten_size = 0
        self.release_waiting()

    def release_waiting(self) -> None:
        """Let those go on that wait until something is stored."""
        for _, future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting = []

    async def _commit_all(self) -> None:
        try:
            # What comes with the end of the turn is written with it.
            while not self._is_ending:
                self._must_commit = False
                await self.commit()
                if not self._must_commit:
                    return
        finally:
            self._committing = None

    async def _write(self, writes: Writes) -> None:
        is_repeated = False

        async def write() -> None:
            nonlocal is_repeated
            was_repeated, is_repeated = is_repeated, True
            await self._turns.commit(self._lease, writes, is_repeated=was_repeated)

        await self._persist(write)

    def _raise_if_closed(self) -> None:
        if self.is_closed:
            raise asyncio.CancelledError
