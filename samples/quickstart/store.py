"""A ChatKit store in memory, for one user, until the process ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

Record = TypeVar("Record", ThreadItem, ThreadMetadata)


class MemoryStore(Store[None]):
    """Threads and their items, in the order in which they were first saved.

    The dicts keep this order, because a changed record stays in its place. `created_at` is not
    reliable: two items may have the same time, and a clock may be set back.

    Records are copied on their way in and out, so that only a save changes what is stored.
    """

    def __init__(self) -> None:
        self._threads: dict[str, ThreadMetadata] = {}
        self._items: dict[str, dict[str, ThreadItem]] = {}
        self._attachments: dict[str, Attachment] = {}

    # Threads

    async def load_thread(self, thread_id: str, context: None) -> ThreadMetadata:
        if thread_id not in self._threads:
            raise NotFoundError(f"There is no thread {thread_id!r}.")
        return self._threads[thread_id].model_copy(deep=True)

    async def save_thread(self, thread: ThreadMetadata, context: None) -> None:
        # ChatKit may pass a thread with a page of its items, which are stored separately.
        fields = thread.model_dump(include=set(ThreadMetadata.model_fields))
        self._threads[thread.id] = ThreadMetadata.model_validate(fields)
        self._items.setdefault(thread.id, {})

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: None
    ) -> Page[ThreadMetadata]:
        return _page(self._threads.values(), limit, after, order)

    async def delete_thread(self, thread_id: str, context: None) -> None:
        self._threads.pop(thread_id, None)
        self._items.pop(thread_id, None)

    # Items

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: None
    ) -> Page[ThreadItem]:
        return _page(self._items_of(thread_id).values(), limit, after, order)

    async def load_item(self, thread_id: str, item_id: str, context: None) -> ThreadItem:
        items = self._items_of(thread_id)
        if item_id not in items:
            raise NotFoundError(f"There is no item {item_id!r} in thread {thread_id!r}.")
        return items[item_id].model_copy(deep=True)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: None) -> None:
        await self.save_item(thread_id, item, context)

    async def save_item(self, thread_id: str, item: ThreadItem, context: None) -> None:
        self._items_of(thread_id)[item.id] = item.model_copy(deep=True)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: None) -> None:
        # ChatKit also deletes items that it never saved, because they were removed while streaming.
        self._items_of(thread_id).pop(item_id, None)

    def _items_of(self, thread_id: str) -> dict[str, ThreadItem]:
        if thread_id not in self._items:
            raise NotFoundError(f"There is no thread {thread_id!r}.")
        return self._items[thread_id]

    # Attachments

    async def save_attachment(self, attachment: Attachment, context: None) -> None:
        self._attachments[attachment.id] = attachment.model_copy(deep=True)

    async def load_attachment(self, attachment_id: str, context: None) -> Attachment:
        if attachment_id not in self._attachments:
            raise NotFoundError(f"There is no attachment {attachment_id!r}.")
        return self._attachments[attachment_id].model_copy(deep=True)

    async def delete_attachment(self, attachment_id: str, context: None) -> None:
        self._attachments.pop(attachment_id, None)


def _page(records: Iterable[Record], limit: int, after: str | None, order: str) -> Page[Record]:
    """Return at most `limit` records after the one with the ID `after`."""
    ordered = list(records)
    if order == "desc":
        ordered.reverse()
    start = 0
    if after is not None:
        ids = [record.id for record in ordered]
        if after not in ids:
            raise NotFoundError(f"There is no record with the ID {after!r} to continue after.")
        start = ids.index(after) + 1
    data = [record.model_copy(deep=True) for record in ordered[start : start + limit]]
    has_more = start + limit < len(ordered)
    return Page(data=data, has_more=has_more, after=data[-1].id if has_more else None)
