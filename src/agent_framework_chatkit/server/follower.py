"""Reads a thread's events for a client, from memory or, if it is further behind, from the log."""

from __future__ import annotations

import asyncio

from ..stores.sql.turn_rows import LogRow
from .channel import Channel, ChannelClosedError
from .event_log import Entry, read_row

HEARTBEAT = 15.0
"""Seconds without events after which a client receives a heartbeat.

Otherwise, proxies may close its connection.
"""


AT_ONCE = 64 * 1024
"""Bytes of events to read at once: a client that does not receive them keeps them in memory."""


class FellBehindError(Exception):
    """A client read so slowly that its next event is no longer in the log."""


class Follower:
    """Reads the events of a channel, starting at a place.

    Args:
        channel: The channel.
        place: The place of the first event to read.
        is_of_run: Whether to follow one run to its end, even while the worker stops.
        page: The ID of the page that receives the events.
        last: The run and number of the event before `place`, if that event is in the log.
        log_position: The position in the log before `place`, if `last` is not given.
    """

    def __init__(
        self,
        channel: Channel,
        place: int,
        *,
        is_of_run: bool = False,
        page: str | None = None,
        last: tuple[str, int] | None = None,
        log_position: int | None = None,
    ) -> None:
        self.channel = channel
        self._is_of_run = is_of_run
        self._page = page
        self._place = place
        self._live_from = place if is_of_run else channel.end
        """The place of the first event that happens after the client connects."""
        self._last = last
        """The run and number of the last event read."""
        self._after = ("", -1)
        """The run and number of the last event that the client had already received."""
        self._log_position = log_position
        """The last position read from the log, if nothing was read from memory since."""
        self._awaited: str | None = None
        """The run whose first event is the first to return: others may precede it in memory."""
        self._read_to = 0
        """The highest position ever read from the log."""
        self._waiting: asyncio.Future[bool] | None = None
        self._has_read = False
        self._is_called = False
        self._beating: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        channel.add(self)

    @classmethod
    def behind(
        cls, channel: Channel, run: str, number: int, *, page: str | None = None
    ) -> Follower:
        """Return a follower that resumes after an event that is no longer in memory."""
        follower = cls(channel, -1, page=page, last=(run, number))
        follower._after = (run, number)
        return follower

    @classmethod
    def from_row(cls, channel: Channel, row: LogRow) -> Follower:
        """Return a follower that starts at a log row and follows its run to the end."""
        follower = cls(channel, -1, is_of_run=True, log_position=row.position - 1)
        follower._live_from = channel.end
        follower._awaited = row.run
        return follower

    async def read(self) -> list[Entry] | None:
        """Return the next events, and wait for them if necessary.

        Returns:
            The events for this client, possibly none; or `None` if it is time for a heartbeat.

        Raises:
            ChannelClosedError: If there will be no more events.
            FellBehindError: If the next events are no longer in the log.
        """
        while True:
            if not self.channel.has(self._place):
                entries = await self._from_log()
                if entries:
                    self._note_read(entries[-1])
                    return [entry for entry in entries if not entry.is_passing]
                continue
            if self._place < self.channel.end:
                return self._from_memory()
            if self._is_called:
                self._is_called = False
                return []
            is_over = not self._is_of_run or self.channel.run is None
            if self.channel.is_closed and is_over:
                raise ChannelClosedError
            if not await self._wait():
                return None

    def _from_memory(self) -> list[Entry]:
        """Return the next events for this client, possibly none."""
        entries = _first_of(self.channel.since(self._place))
        place, self._place = self._place, self._place + len(entries)
        self._log_position = None
        self._note_read(entries[-1])
        return [
            entry for index, entry in enumerate(entries, place) if self._is_for_client(entry, index)
        ]

    def _note_read(self, entry: Entry) -> None:
        self._last = (entry.run, entry.number)
        self._has_read = True

    def wake(self) -> None:
        """Make a waiting `read` look for events."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    def call(self) -> None:
        """Make `read` return even if there are no events."""
        self._is_called = True
        self.wake()

    def close(self) -> None:
        """Stop reading."""
        self.channel.remove(self)
        if self._beating is not None:
            self._beating.cancel()

    async def _wait(self) -> bool:
        """Wait for events; return `False` if it is time for a heartbeat first."""
        if self._beating is None:
            self._beating = self._loop.call_later(HEARTBEAT, self._beat)
        self._waiting = self._loop.create_future()
        return await self._waiting

    def _beat(self) -> None:
        self._beating = self._loop.call_later(HEARTBEAT, self._beat)
        if not self._has_read and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(False)
        self._has_read = False

    def _is_for_client(self, entry: Entry, place: int) -> bool:
        if entry.is_internal or self._has_read_before(entry):
            return False
        if self._awaited not in (None, entry.run):
            return False
        self._awaited = None
        if not entry.has_id and 0 < entry.position <= self._read_to:
            # It was read from the log already; in memory it comes later.
            return False
        if not entry.is_passing:
            return True
        # Passing events are for connected clients, and effects for the page that asked.
        if place < self._live_from:
            return False
        return entry.page is None or self._is_of_run or entry.page == self._page

    async def _from_log(self) -> list[Entry]:
        """Return the next events from the log, up to those in memory."""
        entries: list[Entry] = []
        of_row = await self._read_log()
        first = _first_of(of_row)
        for entry in first:
            place = self.channel.find(entry.run, entry.number)
            if place is not None:
                # All events from this one onwards are in memory.
                self._place = place - 1
                self._log_position = None
                return entries
            self._read_to = entry.position
            self._awaited = None
            if not entry.is_internal:
                entries.append(entry)
        if len(first) < len(of_row):
            # Read the row again for the others.
            self._after = (first[-1].run, first[-1].number)
            self._log_position = first[-1].position - 1
        return entries

    async def _read_log(self) -> list[Entry]:
        log, key = self.channel.log, self.channel.key
        if self._log_position is None:
            if self._last is None:
                raise FellBehindError
            run, number = self._after = self._last
            row = await log.find_in_log(key, run, number)
            if row is None:
                raise FellBehindError
            before = await log.find_in_log(key, run, row.first - 1)
            # Rows that others added just before this one may have been delivered after the event.
            self._log_position = row.position - 1 if before is None else before.position
        unlogged = self.channel.unlogged()
        rows = await log.read_log(key, self._log_position, limit=1)
        # The channel delivers a row that it has not read yet.
        if not rows or not self.channel.is_delivered(rows[0]):
            # Everything written was read, and the rest is in memory.
            self._place = unlogged
            return []
        self._log_position = rows[0].position
        return [entry for entry in read_row(rows[0]) if not self._has_read_before(entry)]

    def _has_read_before(self, entry: Entry) -> bool:
        run, number = self._after
        return entry.run == run and entry.number <= number


def _first_of(entries: list[Entry]) -> list[Entry]:
    """Return as many of the first events as a client may keep in memory, but at least one."""
    size = 0
    for index, entry in enumerate(entries):
        size += len(entry.data)
        if index and size > AT_ONCE:
            return entries[:index]
    return entries
