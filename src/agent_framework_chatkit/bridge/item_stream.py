"""Items written to a thread's stream, in the grammar that every stream obeys.

An item is added once, or done once without being added; it is updated only between the two; it
is done once; ids are never reused; every added item is done or removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Literal, Protocol, TypeVar

from chatkit.types import (
    ErrorEvent,
    HiddenContextItem,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemBase,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdate,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
)
from pydantic import TypeAdapter

from .item_updates import apply_update
from .open_items import OpenMessage, OpenWorkflow

logger = logging.getLogger(__name__)

# Makes what the class's constructor makes, in two thirds of the time. Strict, because pydantic
# then looks no further than the class of the update.
_updated_event = TypeAdapter(ThreadItemUpdatedEvent).validator.validate_python

TItem = TypeVar("TItem", bound=ThreadItemBase)


def default_generate_id(kind: str) -> str:
    """Return a new id of 128 random bits that begins with its kind."""
    return f"{kind}_{token_urlsafe(16)}"


class OpenItem(Protocol):
    """An item that was added and is neither done nor removed."""

    def close(self) -> None:
        """Write the item's last event, with all that it holds by now."""


class ItemWriter:
    """Writes one turn's items to its stream.

    Args:
        thread_id: The thread that the items belong to.
        generate_id: Names new items, given `"msg"` for an assistant message and a ChatKit
            `StoreItemType` for any other item. An id that it has given before gets a suffix.
        send: Takes each event.
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
        self.current: OpenMessage | OpenWorkflow | None = None
        """The message or workflow that the agent's next content is added to."""
        self.wrote_item = False
        """Whether the stream has shown a person anything yet."""
        self._ids: set[str] = set()
        self._open: dict[str, OpenItem] = {}
        self._finished: set[str] = set()

    def new_id(self, kind: str) -> str:
        """Return an id that this turn has not used."""
        new = given = self.generate_id(kind)
        count = 1
        while new in self._ids:
            count += 1
            new = f"{given}_{count}"
        self._ids.add(new)
        return new

    def item(self, item_type: type[TItem], kind: str, **fields: Any) -> TItem:
        """Make an item of this turn, named as `generate_id` names its kind."""
        # ChatKit stamps naive local times, and times of two kinds cannot be compared.
        now = datetime.now()
        return item_type(id=self.new_id(kind), thread_id=self.thread_id, created_at=now, **fields)

    def message(self) -> OpenMessage:
        """Return the assistant message that is being written, or begin one.

        When the model speaks again, the tools that it called are finished, so workflows that
        they left open are closed.
        """
        if not isinstance(self.current, OpenMessage):
            self.close_current()
            self.close_workflows()
            self.current = OpenMessage(self)
        return self.current

    def activity(self, kind: Literal["custom", "reasoning"] = "custom") -> OpenWorkflow:
        """Return the workflow that shows what the agent does, or begin one of this kind."""
        if not isinstance(self.current, OpenWorkflow):
            self.close_current()
            self.current = OpenWorkflow(self, Workflow(type=kind, tasks=[]))
        return self.current

    def close_current(self) -> None:
        """Close the message or activity that is being written, if there is one."""
        if self.current is not None:
            current, self.current = self.current, None
            current.close()

    def close_workflows(self) -> None:
        """Close every workflow that is open."""
        for item in list(self._open.values()):
            if isinstance(item, OpenWorkflow):
                item.close()

    def close(self) -> None:
        """Close every item that is open, oldest first."""
        self.current = None
        for item in list(self._open.values()):
            item.close()

    def add(self, item: ThreadItem, opened: OpenItem) -> None:
        """Write that an item begins, and that `opened` closes it."""
        self.wrote_item = True
        self._ids.add(item.id)
        self._open[item.id] = opened
        self.send(ThreadItemAddedEvent(item=item))

    def update(self, item_id: str, update: ThreadItemUpdate) -> None:
        """Write that an open item has changed."""
        if item_id in self._open:
            self.send(_updated_event({"item_id": item_id, "update": update}, strict=True))
        else:
            logger.warning("Item %r is finished; an update of it is not sent.", item_id)

    def done(self, item: ThreadItem) -> None:
        """Write that an item is finished, whether it was added or not."""
        if self.is_finished(item.id):
            return
        self.wrote_item = True
        self.finish(item.id)
        self.send(ThreadItemDoneEvent(item=item))

    def remove(self, item_id: str) -> None:
        """Write that an item is gone."""
        self.finish(item_id)
        self.send(ThreadItemRemovedEvent(item_id=item_id))

    def write_done(self, item: ThreadItem) -> None:
        """Write an item that is finished at once, after what is being written now."""
        if not isinstance(item, (HiddenContextItem, SDKHiddenContextItem)):
            self.close_current()
        self.done(item)

    def write_error(self, error: ErrorEvent) -> None:
        """Write an error, after which a run needs no item."""
        self.wrote_item = True
        self.send(error)

    def write(self, event: ThreadStreamEvent) -> None:
        """Write an event that the app made, mended where it would break the grammar."""
        if isinstance(event, ThreadItemAddedEvent):
            if event.item.id in self._open or self.is_finished(event.item.id):
                logger.warning("Item %r was added twice; the second is ignored.", event.item.id)
                return
            self.close_current()
            self.add(event.item, _AppItem(self, event.item))
        elif isinstance(event, ThreadItemUpdatedEvent):
            self._write_update(event)
        elif isinstance(event, ThreadItemDoneEvent):
            if self.is_finished(event.item.id):
                self.send(ThreadItemReplacedEvent(item=event.item))
            elif event.item.id in self._open:
                self.done(event.item)
            else:
                self.write_done(event.item)
        elif isinstance(event, ThreadItemRemovedEvent):
            self.remove(event.item_id)
        else:
            if isinstance(event, ThreadItemReplacedEvent):
                self.finish(event.item.id)
            self.send(event)

    def _write_update(self, event: ThreadItemUpdatedEvent) -> None:
        opened = self._open.get(event.item_id)
        if opened is None:
            if self.is_finished(event.item_id):
                logger.warning("Item %r is done; an update of it is ignored.", event.item_id)
            else:
                # An item of an earlier turn, which an app may update.
                self.send(event)
        elif isinstance(opened, (_AppItem, OpenWorkflow)):
            apply_update(opened.item, event.update)
            self.send(event)
        else:
            logger.warning(
                "Item %r is written by the agent; an update by a tool is ignored.", event.item_id
            )

    def is_finished(self, item_id: str) -> bool:
        """Return whether nothing more is written to an item."""
        return item_id in self._finished

    def finish(self, item_id: str) -> None:
        """Note that nothing more is written to an item, whoever has said so."""
        self._ids.add(item_id)
        self._open.pop(item_id, None)
        self._finished.add(item_id)
        if self.current is not None and self.current.item.id == item_id:
            self.current = None


class _AppItem:
    """An item that the app added with an event of its own."""

    def __init__(self, writer: ItemWriter, item: ThreadItem) -> None:
        self._writer = writer
        self.item = item.model_copy(deep=True)

    def close(self) -> None:
        self._writer.done(self.item)
