"""A turn's items as the agent and the app write them."""

from __future__ import annotations

import logging
from typing import Literal

from chatkit.types import (
    ErrorEvent,
    HiddenContextItem,
    SDKHiddenContextItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
)

from .item_updates import apply_update
from .item_writer import ItemWriter
from .open_items import OpenMessage, OpenWorkflow

logger = logging.getLogger(__name__)


class ItemStream(ItemWriter):
    """Writes the items of the agent, one after another, and the events of the app."""

    def message(self) -> OpenMessage:
        """Return the current assistant message, or start one.

        A new message closes the workflows that tools left open, because the tools have returned.
        """
        if not isinstance(self.current, OpenMessage):
            self.close_current()
            self.close_workflows()
            self.current = OpenMessage(self)
        return self.current

    def activity(self, kind: Literal["custom", "reasoning"] = "custom") -> OpenWorkflow:
        """Return the workflow that shows the agent's activity, or start one of this type."""
        if not isinstance(self.current, OpenWorkflow):
            self.close_current()
            self.current = OpenWorkflow(self, Workflow(type=kind, tasks=[]))
        return self.current

    def close_workflows(self) -> None:
        """Close all open workflows."""
        for item in list(self._open.values()):
            if isinstance(item, OpenWorkflow):
                item.close()

    def write_done(self, item: ThreadItem) -> None:
        """Write a finished item, after closing the current one unless the item is hidden."""
        if not isinstance(item, (HiddenContextItem, SDKHiddenContextItem)):
            self.close_current()
        self.done(item)

    def write_error(self, error: ErrorEvent) -> None:
        """Write an error. A run that wrote one needs no item."""
        self.wrote_item = True
        self.send(error)

    def write(self, event: ThreadStreamEvent) -> None:
        """Write an event from the app, changed where it would break the grammar."""
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
                # An app may update items of earlier turns.
                self.send(event)
        elif isinstance(opened, (_AppItem, OpenWorkflow)):
            apply_update(opened.item, event.update)
            self.send(event)
        else:
            logger.warning(
                "Item %r is written by the agent; an update by a tool is ignored.", event.item_id
            )


class _AppItem:
    """An item that the app added with an event."""

    def __init__(self, writer: ItemWriter, item: ThreadItem) -> None:
        self._writer = writer
        self.item = item.model_copy(deep=True)

    def close(self) -> None:
        self._writer.done(self.item)
