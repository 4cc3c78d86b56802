"""The messages of a thread's history, cached between turns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

from agent_framework import Message

from ..stores.sql.turn_rows import ReadRows, StoredThread
from .acceptable import acceptable, is_approval
from .call_ids import CallIds
from .fillers import answered, opened
from .history_providers import add_marks

MESSAGE_SIZE = 2_600
"""The bytes that the objects of a short message and its copy use, beside their text."""


@dataclass
class History:
    """The part of a thread's history that was read.

    Attributes:
        read: The number of rows read, the position of the last one, and the position of the last
            thread item that they include.
        size: Its approximate size in memory, in bytes.
        finished: The messages before the user's last one, acceptable to every provider.
        recent: The messages since then, as they were stored.
        copies: Copies of the finished messages that runs may change.
        ids: The IDs of the finished messages' calls.
    """

    read: ReadRows = field(default_factory=lambda: ReadRows(0, 0, 0))
    size: int = 0
    finished: list[Message] = field(default_factory=list)
    recent: list[Message] = field(default_factory=list)
    copies: list[Message] = field(default_factory=list)
    ids: CallIds = field(default_factory=CallIds)

    def add(self, messages: Iterable[Message]) -> None:
        """Append messages."""
        for message in messages:
            is_next = bool(self.recent) and self.recent[-1].role in ("assistant", "tool")
            is_first = message.role == "user" and is_next and not is_approval(message)
            # A blank message starts no turn: the answers around it must be joined.
            if is_first and acceptable([message]):
                self._finish()
            self.recent.append(message)

    def messages(self, pending: Collection[str] = (), *, is_resumed: bool = False) -> list[Message]:
        """Return copies of the messages, acceptable to every provider, which a run may change.

        Args:
            pending: IDs of calls whose results come with the new input.
            is_resumed: Whether the run resumes a paused one, and needs its approvals and reasoning.
        """
        # Unchanged copies are used again: if each turn created thousands of objects, the garbage
        # collector would examine all others, too.
        self.copies = [
            copy if copy is not None and copy.__dict__ == message.__dict__ else _copy(message)
            for message, copy in zip_longest(self.finished, self.copies)
        ]
        ids = None if is_resumed else self.ids.copy()
        recent = acceptable(self.recent, pending, is_resumed=is_resumed, ids=ids)
        return opened([*self.copies, *map(_copy, recent)])

    def _finish(self) -> None:
        """Add the recent messages to the finished ones."""
        recent = acceptable(self.recent, ids=self.ids)
        finished = [_copy(message) for message in answered(recent)]
        if finished and finished[-1].role == "user":
            # The answer was blank: this message and the next must be joined.
            self.ids = CallIds(self.finished)
            return
        # Each run adds these marks to its copies, which then stay equal.
        add_marks(finished)
        self.finished += finished
        self.recent = []


def _copy(message: Message) -> Message:
    """Return a copy; the framework's own way to copy takes four times as long."""
    copied = Message.__new__(type(message))
    copied.__dict__ = message.__dict__.copy()
    copied.contents = message.contents.copy()
    copied.additional_properties = message.additional_properties.copy()
    return copied


class HistoryCache:
    """A cache of recently used histories, so that turns do not read long ones again.

    Args:
        max_size: The maximum number of bytes of memory that they use, approximately.
    """

    def __init__(self, max_size: int = 64 * 1024 * 1024) -> None:
        self._max_size = max_size
        self._size = 0
        self._known: OrderedDict[int, History] = OrderedDict()

    def take(self, thread: int) -> History | None:
        """Remove a thread's history from the cache, and return it if it was there.

        A run that lost its thread, but does not know it yet, must not share one with the next run.
        """
        known = self._known.pop(thread, None)
        if known is not None:
            self._size -= known.size
        return known

    def put(self, thread: int, known: History) -> None:
        """Cache a thread's history, and drop the least recently used ones over the limit."""
        self.take(thread)
        self._known[thread] = known
        self._size += known.size
        while self._size > self._max_size:
            _, old = self._known.popitem(last=False)
            self._size -= old.size


def extended(known: History | None, stored: StoredThread) -> History:
    """Return a thread's history with newly read rows.

    Args:
        known: The history that was read before, which is extended.
        stored: The newly read rows.
    """
    history = known if known is not None and stored.is_continued else History()
    for messages, size in stored.messages:
        history.add(messages)
        history.size += size + MESSAGE_SIZE * len(messages)
    history.read = stored.read
    return history
