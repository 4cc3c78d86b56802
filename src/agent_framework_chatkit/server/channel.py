"""The events of one thread as they happen, for the clients that this worker serves."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Container
from contextlib import nullcontext
from typing import TYPE_CHECKING

from chatkit.types import ThreadItemRemovedEvent, ThreadStreamEvent, ThreadUpdatedEvent
from pydantic_core import to_json

from ..stores.sql.log import ThreadLog
from ..stores.sql.turn_rows import LogRow
from .event_log import EVENT, Entry, read_row, serialize
from .run_thread import with_change
from .threads import thread_response
from .unfinished import UnfinishedItems

if TYPE_CHECKING:
    from .follower import Follower
    from .run import Run

TAIL = 256 * 1024
"""Bytes of events that are kept in memory for clients that read slowly."""


class ChannelClosedError(Exception):
    """A client is let go: the thread is deleted, or the worker stops."""


class Channel:
    """Passes a thread's events on to the clients that follow it.

    The newest events are kept in memory; a client that is further behind reads the log. So a
    client that reads slowly, or not at all, costs no memory and delays nobody.

    Args:
        log: Reads the log.
        key: The thread's key.
        thread_id: The thread's id.
        owner: Whose thread it is.
        log_position: The position of the log's newest row whose events are known here.
    """

    def __init__(
        self, log: ThreadLog, key: int, thread_id: str, owner: str, log_position: int
    ) -> None:
        self.log = log
        self.key = key
        self.thread_id = thread_id
        self.owner = owner
        self.log_position = log_position
        self.ahead = 0
        """How many rows after this position this worker has written itself."""
        self.beginning: Container[str] = ()
        """Runs whose first events are about to be delivered."""
        self.run: Run | None = None
        """The run that this worker executes, if it does."""
        self.is_thread_unsure = False
        """Whether clients may have been told a title or status that is not the stored one."""
        self.unfinished = UnfinishedItems()
        self.is_closed = False
        self._own_runs: set[str] = set()
        """The runs that this worker has executed: their events were delivered already."""
        self._followers: dict[Follower, None] = {}
        self._tail: deque[Entry] = deque()
        self._first = 0
        """The place of the tail's first event among all that were delivered here."""
        self._size = 0
        self._pulling = asyncio.Lock()

    @property
    def is_used(self) -> bool:
        """Whether anybody follows the thread here, or a run is executed."""
        return bool(self._followers) or self.run is not None

    @property
    def has_followers(self) -> bool:
        """Whether anybody follows the thread here."""
        return bool(self._followers)

    @property
    def known(self) -> int:
        """The position up to which the log is known here, if nobody else has written to it."""
        return self.log_position + self.ahead

    @property
    def first(self) -> int:
        """The place of the oldest event that is still in memory."""
        return self._first

    @property
    def end(self) -> int:
        """The place after the newest event."""
        return self._first + len(self._tail)

    @property
    def newest_id(self) -> str | None:
        """The id of the newest event that a client may resume after, if there is one."""
        found = (entry.id for entry in reversed(self._tail) if entry.has_id)
        return next(found, None)

    def begin_run(self, run: Run) -> None:
        """Have a run of this worker deliver its events here."""
        self.run = run
        self._own_runs.add(run.id)

    def end_run(self, run: Run) -> None:
        """Note that a run has ended. One that was lost may end after the next has begun."""
        if self.run is run:
            self.run = None
        self._wake()

    def is_delivered(self, row: LogRow) -> bool:
        """Return whether the events of a row of the log were delivered here, or will not be."""
        if row.run not in self._own_runs:
            return row.position <= self.log_position
        run = self.run
        # What a run here has just stored is told when the run hears that it is stored.
        return run is None or run.id != row.run or row.last <= run.writer.committed

    def deliver(self, entry: Entry) -> None:
        """Pass an event on."""
        if entry.event is not None:
            self.unfinished.apply(entry.event)
            entry.event = None
        if entry.is_last:
            self.unfinished.clear()
        self._tail.append(entry)
        self._size += len(entry.data)
        self.trim()
        self._wake()

    def trim(self) -> None:
        """Drop what is too much for the memory, unless it is nowhere else yet."""
        committed = self.run.writer.committed if self.run is not None else None
        while self._size > TAIL and len(self._tail) > 1:
            first = self._tail[0]
            if (
                self.run is not None
                and first.run == self.run.id
                and first.number > (committed or 0)
            ):
                return
            self._tail.popleft()
            self._first += 1
            self._size -= len(first.data)

    async def pull(self, position: int = 0) -> None:
        """Deliver what others have added to the log.

        Args:
            position: How far the log is known to go. Rows up to there may be gone by now.
        """
        async with self._pulling:
            while rows := await self.log.read_log(self.key, self.log_position):
                for row in rows:
                    if row.run in self.beginning:
                        # What comes after its first events is delivered after them.
                        return
                    self.log_position = row.position
                    if row.run in self._own_runs:
                        if self.run is not None and self.run.id == row.run:
                            # Or it would be told after what comes next.
                            self.run.writer.note_committed(row.last)
                        self.ahead -= 1
                    else:
                        is_ahead = self.run is not None or self.ahead > 0
                        if self._deliver_row(row) and is_ahead:
                            self.is_thread_unsure = True
            if self.is_thread_unsure:
                self.is_thread_unsure = False
                await self._tell_thread()
            if position > self.known:
                self.log_position = position - self.ahead

    def restore(self, rows: list[LogRow]) -> None:
        """Learn from the log which items a run elsewhere is writing."""
        for row in rows:
            for entry in read_row(row):
                event = _parse(entry)
                if event is not None:
                    self.unfinished.apply(event)

    def close(self) -> None:
        """Let the followers go that follow the thread, rather than one run."""
        self.is_closed = True
        self._wake()

    def delete(self) -> None:
        """Tell the followers that the thread is deleted, and let them go."""
        event = to_json({"type": "thread.deleted", "thread_id": self.thread_id})
        self.deliver(Entry("", 0, event, is_addition=True, is_last=True, has_id=False))
        self.close()

    def find(self, run: str, number: int) -> int | None:
        """Return the place after an event, if the event is still in memory."""
        for index in range(len(self._tail) - 1, -1, -1):
            entry = self._tail[index]
            # One without an id may stand elsewhere among the others than it does in the log.
            if entry.run == run and entry.number == number and entry.has_id:
                return self._first + index + 1
        return None

    def unlogged(self) -> int:
        """Return the place of the first event that is in memory and perhaps not in the log."""
        if self.run is not None:
            for index, entry in enumerate(self._tail):
                if entry.run == self.run.id and entry.number > self.run.writer.committed:
                    return self._first + index
        return self.end

    def since(self, place: int) -> list[Entry]:
        """Return the events from a place on."""
        start = place - self._first
        if start == 0:
            return list(self._tail)
        count = len(self._tail) - start
        newest = [self._tail[-1 - index] for index in range(count)]
        return newest[::-1]

    def has(self, place: int) -> bool:
        """Return whether the events from a place on are still in memory."""
        return place >= self._first

    def add(self, follower: Follower) -> None:
        """Have a follower woken by events."""
        self._followers[follower] = None

    def remove(self, follower: Follower) -> None:
        """Forget a follower."""
        self._followers.pop(follower, None)

    def _wake(self) -> None:
        for follower in self._followers:
            follower.wake()

    def _deliver_row(self, row: LogRow) -> bool:
        """Deliver what others have added; return whether the thread itself has changed."""
        has_changed = False
        for entry in read_row(row):
            entry.event = _parse(entry)
            # Events of a run of this worker were delivered ahead of the log: none may be missed by
            # a client that resumes after this one.
            entry.has_id = self.run is None and not self.ahead
            if entry.is_last:
                if self.run is not None and row.position > self.run.begun_at:
                    self.run.lose()
                self._remove_unknown()
            has_changed = has_changed or isinstance(entry.event, ThreadUpdatedEvent)
            self.deliver(entry)
        return has_changed

    async def _tell_thread(self) -> None:
        """Tell how the thread is, after a run here and others have changed it.

        Clients of this worker may have heard of the changes in another order than that in which
        they were made.
        """
        run = None if self.run is None or self.run.is_lost else self.run
        async with nullcontext() if run is None else run.writer.lock:
            found = await self.log.summary(self.key)
            if found is None:
                return
            thread, _ = found
            if run is not None:
                run.metadata.learn(thread, run.writer.writes.thread)
                thread = with_change(thread, run.writer.writes.thread)
            event = ThreadUpdatedEvent(thread=thread_response(thread))
            self.deliver(Entry("", 0, serialize(event), event, has_id=False))

    def _remove_unknown(self) -> None:
        """Remove what clients were shown by a run here that was lost, and nobody else knows."""
        for item in self.unfinished.items():
            event = ThreadItemRemovedEvent(item_id=item.id)
            self.deliver(Entry("", 0, serialize(event), event, has_id=False))


def _parse(entry: Entry) -> ThreadStreamEvent | None:
    if entry.is_addition or entry.is_internal or entry.is_passing:
        return None
    return EVENT.validate_json(entry.data)
