"""A client that reads a thread's events, from memory or, further behind, from the log."""

from __future__ import annotations

import asyncio

from ..stores.sql.turn_rows import LogRow
from .channel import Channel, ChannelClosedError
from .event_log import Entry, read_row

HEARTBEAT = 15.0
"""Seconds after which a client is told that its stream is alive, if there is nothing else to tell.

Proxies would close its connection.
"""


class FellBehindError(Exception):
    """A client has read so slowly that the event it needs next is gone from the log."""


class Follower:
    """Reads the events of a channel, from a place on.

    Args:
        channel: The channel.
        place: The first event that is read.
        is_of_run: Whether it follows one run to its end, also while the worker stops.
        page: The page that it reads for.
        last: The run and number of the event before the place, if it is in the log.
        log_position: Where the log has what comes before the place, if there is no such event.
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
        """Where the events begin that happen while it reads."""
        self._last = last
        """The run and number of the event that was read last."""
        self._after = ("", -1)
        """The run and number of an event up to which it had read the run before."""
        self._log_position = log_position
        """How far the log was read, if nothing was read from memory since."""
        self._read_to = 0
        """How far the log was read at all."""
        self._waiting: asyncio.Future[bool] | None = None
        self._has_read = False
        self._is_called = False
        self._beating: asyncio.TimerHandle | None = None
        channel.add(self)

    @classmethod
    def behind(
        cls, channel: Channel, run: str, number: int, *, page: str | None = None
    ) -> Follower:
        """Return a follower that has read up to an event which is no longer in memory."""
        follower = cls(channel, -1, page=page, last=(run, number))
        follower._after = (run, number)
        return follower

    @classmethod
    def from_row(cls, channel: Channel, row: LogRow) -> Follower:
        """Return a follower that begins with a row of the log, and follows its run to the end."""
        follower = cls(channel, -1, is_of_run=True, log_position=row.position - 1)
        follower._live_from = channel.end
        return follower

    async def read(self) -> list[Entry] | None:
        """Return the next events; wait for them if there are none yet.

        Returns:
            The events, which may be none that this client is told of; or `None` if nothing has
            happened for so long that the client should hear of it.

        Raises:
            ChannelClosedError: If there will be no more.
            FellBehindError: If the next events are gone.
        """
        while True:
            if not self.channel.has(self._place):
                entries = await self._from_log()
                if entries:
                    self._note_read(entries[-1])
                    return [entry for entry in entries if not entry.is_passing]
                continue
            entries = self.channel.since(self._place)
            if entries:
                place, self._place = self._place, self._place + len(entries)
                self._log_position = None
                self._note_read(entries[-1])
                return [
                    entry
                    for index, entry in enumerate(entries, place)
                    if self._is_told(entry, index)
                ]
            if self._is_called:
                self._is_called = False
                return []
            is_over = not self._is_of_run or self.channel.run is None
            if self.channel.is_closed and is_over:
                raise ChannelClosedError
            if not await self._wait():
                return None

    def _note_read(self, entry: Entry) -> None:
        self._last = (entry.run, entry.number)
        self._has_read = True

    def wake(self) -> None:
        """Have `read` look again."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    def call(self) -> None:
        """Have `read` return, if there are no events."""
        self._is_called = True
        self.wake()

    def close(self) -> None:
        """Read no more."""
        self.channel.remove(self)
        if self._beating is not None:
            self._beating.cancel()

    async def _wait(self) -> bool:
        """Wait for events; return whether there are some, rather than nothing for too long."""
        loop = asyncio.get_running_loop()
        if self._beating is None:
            self._beating = loop.call_later(HEARTBEAT, self._beat)
        self._waiting = loop.create_future()
        return await self._waiting

    def _beat(self) -> None:
        self._beating = asyncio.get_running_loop().call_later(HEARTBEAT, self._beat)
        if not self._has_read and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(False)
        self._has_read = False

    def _is_told(self, entry: Entry, place: int) -> bool:
        if entry.is_internal or self._has_read_before(entry):
            return False
        if not entry.has_id and 0 < entry.position <= self._read_to:
            # It stands later in memory than in the log.
            return False
        if not entry.is_passing:
            return True
        # What passes is for those who are there, and effects are for the page that asked.
        if place < self._live_from:
            return False
        return entry.page is None or self._is_of_run or entry.page == self._page

    async def _from_log(self) -> list[Entry]:
        """Return the next events from the log, up to those that are in memory."""
        entries: list[Entry] = []
        for entry in await self._read_log():
            place = self.channel.find(entry.run, entry.number)
            if place is not None:
                # From this event on, all are in memory.
                self._place = place - 1
                self._log_position = None
                return entries
            self._read_to = entry.position
            if not entry.is_internal:
                entries.append(entry)
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
            # What others added just before may have come after the event.
            self._log_position = row.position - 1 if before is None else before.position
        unlogged = self.channel.unlogged()
        rows = await log.read_log(key, self._log_position, limit=1)
        # What is not delivered yet is when the channel reads it.
        if not rows or not self.channel.is_delivered(rows[0]):
            # All that was written is read, and the rest is in memory.
            self._place = unlogged
            return []
        self._log_position = rows[0].position
        return [entry for entry in read_row(rows[0]) if not self._has_read_before(entry)]

    def _has_read_before(self, entry: Entry) -> bool:
        run, number = self._after
        return entry.run == run and entry.number <= number
