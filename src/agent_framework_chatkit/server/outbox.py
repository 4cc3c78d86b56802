"""Events on their way out, with text that waits joined."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)


@dataclass
class _Text:
    """Text that waits to go out as one delta."""

    item_id: str
    content_index: int
    deltas: list[str]

    def event(self) -> ThreadItemUpdatedEvent:
        return ThreadItemUpdatedEvent(
            item_id=self.item_id,
            update=AssistantMessageContentPartTextDelta(
                content_index=self.content_index, delta="".join(self.deltas)
            ),
        )


class Outbox:
    """Holds the events of one stream until they are sent.

    Text that comes faster than a person can see it goes out joined: the first delta at once,
    later ones after at most `interval`, in order and complete. A reader that is slower than the
    model therefore holds up the text itself and no more.

    Args:
        interval: Seconds between two deltas of text; 0 sends every delta by itself.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._waiting: deque[ThreadStreamEvent | _Text | None] = deque()
        self._is_closed = False
        self._has_more = asyncio.Event()
        """Set when there is more than text that can be joined to what waits already."""

    def put(self, event: ThreadStreamEvent) -> None:
        """Add an event behind the others."""
        if (
            self._interval > 0
            and isinstance(event, ThreadItemUpdatedEvent)
            and isinstance(update := event.update, AssistantMessageContentPartTextDelta)
        ):
            last = self._waiting[-1] if self._waiting else None
            if (
                isinstance(last, _Text)
                and last.item_id == event.item_id
                and last.content_index == update.content_index
            ):
                last.deltas.append(update.delta)
                return
            self._waiting.append(_Text(event.item_id, update.content_index, [update.delta]))
        else:
            self._waiting.append(event)
        self._has_more.set()

    def beat(self) -> None:
        """Have `events` yield `None`, which tells the reader that the stream is alive."""
        if not self._waiting:
            self._waiting.append(None)
            self._has_more.set()

    def close(self) -> None:
        """Say that nothing more comes."""
        self._is_closed = True
        self._has_more.set()

    async def events(self) -> AsyncIterator[ThreadStreamEvent | None]:
        """Yield the events as they may go out, until the outbox is closed and empty."""
        next_text_at = 0.0
        while self._waiting or not self._is_closed:
            self._has_more.clear()
            if not self._waiting:
                await self._has_more.wait()
                continue
            first = self._waiting[0]
            if isinstance(first, _Text):
                pause = next_text_at - time.monotonic()
                if pause > 0 and len(self._waiting) == 1 and not self._is_closed:
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(self._has_more.wait(), pause)
                    continue
                next_text_at = time.monotonic() + self._interval
                first = first.event()
            self._waiting.popleft()
            yield first
