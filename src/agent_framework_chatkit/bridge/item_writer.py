"""Writes one turn's items, and enforces the grammar of the stream.

An item is added once and then done once, or it is done at once. It is updated only in between.
Every added item is done or removed, and no ID is used twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Protocol, TypeVar

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    HiddenContextItem,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemBase,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdate,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
)
from pydantic import TypeAdapter

logger = logging.getLogger(__name__)

# These take two thirds of the constructors' time, and nearly all events are text deltas. In strict
# mode, pydantic checks only the class of the update.
_text_delta = TypeAdapter(AssistantMessageContentPartTextDelta).validator.validate_python
_updated_event = TypeAdapter(ThreadItemUpdatedEvent).validator.validate_python

TItem = TypeVar("TItem", bound=ThreadItemBase)


def default_generate_id(kind: str) -> str:
    """Return a new ID: its kind and 128 random bits."""
    return f"{kind}_{token_urlsafe(16)}"


class OpenItem(Protocol):
    """An item that was added and is neither done nor removed."""

    def close(self) -> None:
        """Write the item's last event, with its final content."""


class CurrentItem(OpenItem, Protocol):
    """The open item that the agent's next content is added to."""

    @property
    def item(self) -> ThreadItem:
        """The item with its content so far."""


class ItemWriter:
    """Writes one turn's items to its stream, and closes them at the end.

    Args:
        thread_id: The thread that the items belong to.
        generate_id: Returns the ID of a new item, given `"msg"` for an assistant message and a
            ChatKit `StoreItemType` for any other item. An ID that it repeats gets a suffix.
        send: Sends an event.
    """

    def __init__(
        self,
        thread_id: str,
        generate_id: Callable[[str], str],
        send: Callable[[ThreadStreamEvent], None],
    ) -> None:
        self.thread_id = thread_id
        self.generate_id = generate_id
        self.send = send
        self.send_text: Callable[[str, int, str], None] | None = None
        """Sends a text delta without an event object, if set. It receives the item's ID, the
        content part's index, and the delta.
        """
        self.current: CurrentItem | None = None
        """The message or workflow that the agent's next content is added to."""
        self.wrote_item = False
        """Whether the stream contains anything to show."""
        self._ids: set[str] = set()
        self._open: dict[str, OpenItem] = {}
        self._finished: set[str] = set()

    def new_id(self, kind: str) -> str:
        """Return an ID that this turn has not used."""
        new = given = self.generate_id(kind)
        count = 1
        while new in self._ids:
            count += 1
            new = f"{given}_{count}"
        self._ids.add(new)
        return new

    def item(self, item_type: type[TItem], kind: str, **fields: Any) -> TItem:
        """Return a new item of this turn, with an ID for its kind."""
        # ChatKit uses naive local times, which cannot be compared with aware ones.
        now = datetime.now()
        return item_type(id=self.new_id(kind), thread_id=self.thread_id, created_at=now, **fields)

    def close_current(self) -> None:
        """Close the current item, if there is one."""
        if self.current is not None:
            current, self.current = self.current, None
            current.close()

    def close(self) -> None:
        """Close all open items, oldest first."""
        self.current = None
        for item in list(self._open.values()):
            item.close()

    def end(self) -> None:
        """Send nothing more: the turn's run has ended."""
        self.send = _send_too_late
        self.send_text = None

    def add(self, item: ThreadItem, opened: OpenItem) -> None:
        """Write that an item was added; `opened` closes it."""
        self.wrote_item = True
        self._ids.add(item.id)
        self._open[item.id] = opened
        self.send(ThreadItemAddedEvent(item=item))

    def update(self, item_id: str, update: ThreadItemUpdate) -> None:
        """Write that an open item changed."""
        if item_id in self._open:
            self.send(_updated_event({"item_id": item_id, "update": update}, strict=True))
        else:
            logger.warning("Item %r is finished; an update of it is not sent.", item_id)

    def add_text(self, item_id: str, content_index: int, delta: str) -> None:
        """Write that the text of an open message grew."""
        if item_id not in self._open:
            logger.warning("Item %r is finished; a text for it is not sent.", item_id)
        elif self.send_text is not None:
            self.send_text(item_id, content_index, delta)
        else:
            update = _text_delta({"content_index": content_index, "delta": delta})
            self.send(_updated_event({"item_id": item_id, "update": update}, strict=True))

    def done(self, item: ThreadItem) -> None:
        """Write that an item is finished, whether it was added or not."""
        if self.is_finished(item.id):
            return
        if not isinstance(item, (HiddenContextItem, SDKHiddenContextItem)):
            self.wrote_item = True
        self.finish(item.id)
        self.send(ThreadItemDoneEvent(item=item))

    def remove(self, item_id: str) -> None:
        """Write that an item was removed."""
        self.finish(item_id)
        self.send(ThreadItemRemovedEvent(item_id=item_id))

    def is_finished(self, item_id: str) -> bool:
        """Return whether an item is done or removed."""
        return item_id in self._finished

    def finish(self, item_id: str) -> None:
        """Record that an item is done or removed."""
        self._ids.add(item_id)
        self._open.pop(item_id, None)
        self._finished.add(item_id)
        if self.current is not None and self.current.item.id == item_id:
            self.current = None


def _send_too_late(event: ThreadStreamEvent) -> None:
    logger.warning(
        "An event of type %r came after the end of its run and is not sent. Code that runs on can "
        "add items with the server's `add_items`.",
        event.type,
    )
