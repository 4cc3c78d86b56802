"""The messages that an agent remembers of a thread, as far as they were read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from agent_framework import Message

from ..stores.sql.messages import load_messages
from ..stores.sql.turn_rows import ReadRows, StoredThread
from .acceptable import acceptable, answered, is_approval


@dataclass
class History:
    """The history of a thread, as far as it was read.

    Attributes:
        read: How far: the number of rows, the position of the last, and the position up to which
            the agent has been told of the thread's items.
        size: The bytes of the rows' JSON.
        finished: The messages before the last one of the user's, acceptable to every provider.
        recent: The messages since, as they were stored.
    """

    read: ReadRows = field(default_factory=lambda: ReadRows(0, 0, 0))
    size: int = 0
    finished: list[Message] = field(default_factory=list)
    recent: list[Message] = field(default_factory=list)

    def add(self, messages: Iterable[Message]) -> None:
        """Take in messages that come after those that are known."""
        for message in messages:
            is_next = bool(self.recent) and self.recent[-1].role in ("assistant", "tool")
            if message.role == "user" and is_next and not is_approval(message):
                self.finished.extend(answered(acceptable(self.recent)))
                self.recent = []
            self.recent.append(message)

    def messages(self, pending: Collection[str] = (), *, is_resumed: bool = False) -> list[Message]:
        """Return the messages, acceptable to every provider.

        Args:
            pending: Ids of calls whose results come with the new input.
            is_resumed: Whether the run goes on where it was paused, with all that it had.
        """
        return [*self.finished, *acceptable(self.recent, pending, is_resumed=is_resumed)]


class HistoryCache:
    """Histories of threads that were used lately, so that long ones are not read every turn.

    Args:
        max_size: How many bytes of stored JSON they stand for, at most.
    """

    def __init__(self, max_size: int = 32 * 1024 * 1024) -> None:
        self._max_size = max_size
        self._size = 0
        self._known: OrderedDict[int, History] = OrderedDict()

    def get(self, thread: int) -> History | None:
        """Return what is known of a thread's history."""
        known = self._known.get(thread)
        if known is not None:
            self._known.move_to_end(thread)
        return known

    def put(self, thread: int, known: History) -> None:
        """Keep a thread's history, in place of those that were not used for the longest."""
        self.forget(thread)
        self._known[thread] = known
        self._size += known.size
        while self._size > self._max_size:
            _, old = self._known.popitem(last=False)
            self._size -= old.size

    def forget(self, thread: int) -> None:
        """Drop what is known of a thread's history."""
        known = self._known.pop(thread, None)
        if known is not None:
            self._size -= known.size


def read_history(cache: HistoryCache, key: int, stored: StoredThread, thread_id: str) -> History:
    """Return a thread's history, with the rows that were read now.

    Args:
        cache: Knows the rows that were read before.
        key: The thread's key.
        stored: The rows that were read now.
        thread_id: The thread, for the log.
    """
    history = cache.get(key) if stored.is_continued else None
    history = history or History()
    for _, data in stored.messages:
        history.add(load_messages(data, thread_id))
        history.size += len(data)
    history.read = stored.read
    cache.put(key, history)
    return history
