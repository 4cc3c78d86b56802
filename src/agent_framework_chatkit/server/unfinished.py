"""Rebuilds the unfinished items of a thread from its events."""

from __future__ import annotations

from datetime import datetime, timezone

from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    GeneratedImageItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    WorkflowItem,
)

from ..bridge.item_updates import apply_update
from ..bridge.open_items import settle
from .event_log import TextDelta


class UnfinishedItems:
    """Tracks the items that were added and are not done.

    A message's text is joined only on demand: copying it for every delta would take quadratic
    time.
    """

    def __init__(self) -> None:
        self._items: dict[str, ThreadItem] = {}
        self._texts: dict[str, dict[int, list[str]]] = {}
        """Deltas not yet joined to their message, by item ID and content part."""

    def apply(self, event: ThreadStreamEvent | TextDelta) -> None:
        """Apply an event."""
        if isinstance(event, TextDelta):
            self._add_text(event)
        elif isinstance(event, ThreadItemUpdatedEvent):
            update = event.update
            if isinstance(update, AssistantMessageContentPartTextDelta):
                self._add_text(TextDelta(event.item_id, update.content_index, update.delta))
            elif event.item_id in self._items:
                self._join(event.item_id)
                apply_update(self._items[event.item_id], update)
        elif isinstance(event, ThreadItemAddedEvent):
            item = event.item.model_copy(deep=True)
            self._items[item.id] = item
            if isinstance(item, AssistantMessageItem):
                self._texts[item.id] = {}
        elif isinstance(event, (ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            self._drop(event.item.id)
        elif isinstance(event, ThreadItemRemovedEvent):
            self._drop(event.item_id)

    def _add_text(self, delta: TextDelta) -> None:
        parts = self._texts.get(delta.item_id)
        if parts is not None:
            parts.setdefault(delta.content_index, []).append(delta.delta)

    def items(self) -> list[ThreadItem]:
        """Return the current items, oldest first."""
        for item_id in self._texts:
            self._join(item_id)
        return list(self._items.values())

    def clear(self) -> None:
        """Forget all items."""
        self._items.clear()
        self._texts.clear()

    def _join(self, item_id: str) -> None:
        parts = self._texts.get(item_id)
        for index, deltas in (parts or {}).items():
            delta = AssistantMessageContentPartTextDelta(content_index=index, delta="".join(deltas))
            apply_update(self._items[item_id], delta)
        if parts:
            parts.clear()

    def _drop(self, item_id: str) -> None:
        self._items.pop(item_id, None)
        self._texts.pop(item_id, None)


def settled_item(item: ThreadItem) -> ThreadItem | None:
    """Return an unfinished item as stored when its turn ends, or `None` if it shows nothing."""
    if isinstance(item, AssistantMessageItem):
        return item if any(part.text.strip() for part in item.content) else None
    if isinstance(item, GeneratedImageItem):
        return item if item.image is not None else None
    if isinstance(item, WorkflowItem):
        # Times of items from the log have a time zone; others are naive.
        age = datetime.now(timezone.utc) - item.created_at.astimezone(timezone.utc)
        settle(item.workflow, age.total_seconds())
        return item if item.workflow.tasks else None
    return item
