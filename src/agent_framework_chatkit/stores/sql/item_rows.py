"""The items of threads."""

from __future__ import annotations

from chatkit.types import Page, ThreadItem
from sqlalchemy import Connection, select

from .database import Database
from .rows import load_page, number, position_after, thread_key
from .tables import items
from .writes import add_items, delete_item, parse_item, unknown_item


class ItemRows:
    """The items of threads, in order.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_page(
        self, thread_id: str, owner: str, after: str | None, limit: int, order: str
    ) -> Page[ThreadItem]:
        """Load a page of a thread's items; see `SQLStore.load_thread_items`."""

        def load(connection: Connection) -> Page[ThreadItem]:
            key = connection.scalar(select(thread_key(thread_id, owner)))
            if key is None:
                return Page()
            scope = items.c.thread == key
            position = position_after(connection, items, scope, after, unknown_item)
            return load_page(
                connection, items, scope, parse_item, position=position, limit=limit, order=order
            )

        return await self._database.read(load)

    async def load(self, thread_id: str, item_id: str, owner: str) -> ThreadItem:
        """Load an item; see `SQLStore.load_item`."""
        statement = select(items.c.data).where(
            items.c.thread == thread_key(thread_id, owner), items.c.id == item_id
        )
        data = await self._database.read(lambda connection: connection.scalar(statement))
        item = None if data is None else parse_item(item_id, data)
        if item is None:
            raise unknown_item(item_id)
        return item

    async def add(self, thread_id: str, item: ThreadItem, owner: str) -> None:
        """Add an item, or replace it in place; see `SQLStore.add_thread_item`."""

        def add(connection: Connection) -> None:
            thread, position = number(connection, thread_id, owner)
            add_items(self._database, connection, thread, position, [item])

        await self._database.write(add)

    async def delete(self, thread_id: str, item_id: str, owner: str) -> None:
        """Delete an item, if it exists; see `SQLStore.delete_thread_item`."""

        def delete(connection: Connection) -> None:
            key = connection.scalar(select(thread_key(thread_id, owner)))
            if key is not None:
                delete_item(connection, key, item_id)

        await self._database.write(delete)
