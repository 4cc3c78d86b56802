"""Delivers a thread's events to the clients that follow it on this worker."""

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
"""Maximum bytes of events to keep in memory for slow clients."""


class ChannelClosedError(Exception):
    """The channel sends no more events: the thread is deleted or the worker stops."""


class Channel:
    """Passes a thread's events on to its followers.

    The newest events are in memory; a client further behind reads the log. A client that reads
    slowly, or not at all, therefore costs no memory and delays nobody.

    Args:
        log: Reads the log.
        key: The thread's key.
        thread_id: The thread's ID.
        owner: The thread's owner.
        log_position: The position of the newest log row that this channel knows.
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
        """The number of rows after this position that this worker wrote itself."""
        self.beginning: Container[str] = ()
        """IDs of runs whose first events are about to be delivered."""
        self.must_pull = False
        """Whether events in the log wait for those first events."""
        self.run: Run | None = None
        """The run that this worker executes in the thread, if any."""
        self.is_thread_unsure = False
        """Whether clients may have received a title or status that differs from the stored one."""
        self.unfinished = UnfinishedItems()
        self.is_closed = False
        self._own_runs: set[str] = set()
        """IDs of the runs that this worker executed, whose events were already delivered."""
        self._followers: dict[Follower, None] = {}
        self._tail: deque[Entry] = deque()
        self._first = 0
        """The place of the tail's first event among all events delivered here."""
        self._size = 0
        self._pulling = asyncio.Lock()

    @property
    def is_used(self) -> bool:
        """Whether the channel has followers or a run."""
        return bool(self._followers) or self.run is not None

    @property
    def known(self) -> int:
        """The log's position as far as this worker knows: others may have written more."""
        return self.log_position + self.ahead

    @property
    def first(self) -> int:
        """The place of the oldest event still in memory."""
        return self._first

    @property
    def end(self) -> int:
        """The place after the newest event."""
        return self._first + len(self._tail)

    @property
    def newest_id(self) -> str | None:
        """The ID of the newest event that a client may resume after, if any."""
        found = (entry.id for entry in reversed(self._tail) if entry.has_id)
        return next(found, None)

    def begin_run(self, run: Run) -> None:
        """Set the run of this worker that delivers its events here."""
        if self.run is not None and not self.run.writer.is_ending:
            # Another worker has ended its turn.
            self.run.lose()
        self.run = run
        self._own_runs.add(run.id)

    def end_run(self, run: Run) -> None:
        """Clear an ended run. A run that lost its lease may end after the next one starts."""
        if self.run is run:
            self.run = None
        self._wake()

    def is_delivered(self, row: LogRow) -> bool:
        """Return whether the events of a log row were delivered here, or never will be."""
        if row.run not in self._own_runs:
            return row.position <= self.log_position
        run = self.run
        # A local run delivers its events once the database confirms their commit.
        return run is None or run.id != row.run or row.last <= run.writer.committed

    def deliver(self, entry: Entry) -> None:
        """Pass an event on to the followers."""
        if entry.event is not None:
            self.unfinished.apply(entry.event)
            entry.event = None
        if entry.is_last:
            self.unfinished.clear()
        self._tail.append(entry)
        self._size += len(entry.data)
        if self._size > TAIL:
            self.trim()
        self._wake()

    def trim(self) -> None:
        """Drop the oldest events over the limit, unless they are not stored yet."""
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
        """Deliver the events that others added to the log.

        Args:
            position: A position that the log has reached. Rows up to it may already be purged.
        """
        async with self._pulling:
            while rows := await self.log.read_log(self.key, self.log_position):
                for row in rows:
                    self.must_pull = row.run in self.beginning
                    if self.must_pull:
                        # Its first events must be delivered before the events after them.
                        return
                    self.log_position = row.position
                    if row.run in self._own_runs:
                        if self.run is not None and self.run.id == row.run:
                            # Its events must be delivered before those of the next rows.
                            self.run.writer.note_committed(row.last)
                        self.ahead -= 1
                    else:
                        is_ahead = self.run is not None or self.ahead > 0
                        if self._deliver_row(row) and is_ahead:
                            self.is_thread_unsure = True
            if self.is_thread_unsure:
                self.is_thread_unsure = False
                await self._deliver_thread()
            if position > self.known:
                self.log_position = position - self.ahead

    def restore(self, rows: list[LogRow]) -> None:
        """Restore from the log the unfinished items of a run on another worker."""
        for row in rows:
            for entry in read_row(row):
                event = _parse(entry)
                if event is not None:
                    self.unfinished.apply(event)

    def close(self) -> None:
        """Disconnect the followers of the thread. Followers of a single run stay to its end."""
        self.is_closed = True
        self._wake()

    def delete(self) -> None:
        """Notify the followers that the thread is deleted, and disconnect them."""
        event = to_json({"type": "thread.deleted", "thread_id": self.thread_id})
        self.deliver(Entry("", 0, event, is_addition=True, is_last=True, has_id=False))
        self.close()

    def find(self, run: str, number: int) -> int | None:
        """Return the place after an event, or `None` if the event is not in memory."""
        for index in range(len(self._tail) - 1, -1, -1):
            entry = self._tail[index]
            # Events without an ID may be in a different order here than in the log.
            if entry.run == run and entry.number == number and entry.has_id:
                return self._first + index + 1
        return None

    def unlogged(self) -> int:
        """Return the place of the first event in memory that may not be in the log yet."""
        if self.run is not None:
            for index, entry in enumerate(self._tail):
                if entry.run == self.run.id and entry.number > self.run.writer.committed:
                    return self._first + index
        return self.end

    def since(self, place: int) -> list[Entry]:
        """Return the events from a place onwards."""
        start = place - self._first
        if start == 0:
            return list(self._tail)
        count = len(self._tail) - start
        newest = [self._tail[-1 - index] for index in range(count)]
        return newest[::-1]

    def has(self, place: int) -> bool:
        """Return whether the events from a place onwards are still in memory."""
        return place >= self._first

    def add(self, follower: Follower) -> None:
        """Add a follower, which new events wake."""
        self._followers[follower] = None

    def remove(self, follower: Follower) -> None:
        """Remove a follower."""
        self._followers.pop(follower, None)

    def _wake(self) -> None:
        for follower in self._followers:
            follower.wake()

    def _deliver_row(self, row: LogRow) -> bool:
        """Deliver a row that others added; return whether it changes the thread's metadata."""
        has_changed = False
        for entry in read_row(row):
            entry.event = _parse(entry)
            # This worker delivers its own events ahead of the log: a client that resumed after
            # this event could miss some of them.
            entry.has_id = self.run is None and not self.ahead
            if entry.is_last:
                if self.run is not None and row.position > self.run.begun_at:
                    self.run.lose()
                self._remove_unknown()
            has_changed = has_changed or isinstance(entry.event, ThreadUpdatedEvent)
            self.deliver(entry)
        return has_changed

    async def _deliver_thread(self) -> None:
        """Deliver the thread's metadata after both a local run and others changed it.

        Clients of this worker may have received the changes in the wrong order.
        """
        run = None if self.run is None or self.run.is_lost else self.run
        async with nullcontext() if run is None else run.writer.lock:
            found = await self.log.summary(self.key)
            if found is None:
                return
            thread, _ = found
            if run is not None:
                run.metadata.apply(thread, run.writer.writes.thread)
                thread = with_change(thread, run.writer.writes.thread)
            event = ThreadUpdatedEvent(thread=thread_response(thread))
            self.deliver(Entry("", 0, serialize(event), event, has_id=False))

    def _remove_unknown(self) -> None:
        """Remove unfinished items of a lost local run, which only clients here have seen."""
        for item in self.unfinished.items():
            event = ThreadItemRemovedEvent(item_id=item.id)
            self.deliver(Entry("", 0, serialize(event), event, has_id=False))


def _parse(entry: Entry) -> ThreadStreamEvent | None:
    if entry.is_addition or entry.is_internal or entry.is_passing:
        return None
    return EVENT.validate_json(entry.data)
