"""The reference for comparisons: `ChatKitServer` with the simplest correct store."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from typing import Any

from agent_framework import SupportsAgentRun
from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError, Store
from chatkit.types import (
    Attachment,
    Page,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)
from pydantic import BaseModel, TypeAdapter

from agent_framework_chatkit import simple_to_agent_input, stream_agent_response

THREAD: TypeAdapter[Any] = TypeAdapter(ThreadMetadata)
ITEM: TypeAdapter[Any] = TypeAdapter(ThreadItem)


class ReferenceStore(Store[Any]):
    """One owner's threads in SQLite, with `sqlite3` on the event loop's own thread."""

    def __init__(self, path: str) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE threads (sequence INTEGER PRIMARY KEY, id TEXT UNIQUE, data TEXT);
            CREATE TABLE items (
                sequence INTEGER PRIMARY KEY, thread TEXT, id TEXT UNIQUE, data TEXT
            );
            CREATE INDEX by_thread ON items (thread, sequence);
            """
        )

    async def load_thread(self, thread_id: str, context: Any) -> ThreadMetadata:
        thread: ThreadMetadata = self._one(
            THREAD, "SELECT data FROM threads WHERE id = ?", thread_id
        )
        return thread

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        self.database.execute(
            "INSERT INTO threads (id, data) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            (thread.id, THREAD.dump_json(thread).decode()),
        )

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[ThreadMetadata]:
        return self._page(THREAD, "threads", "1 = 1", (), after, limit, order)

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        self.database.execute("DELETE FROM items WHERE thread = ?", (thread_id,))
        self.database.execute("DELETE FROM threads WHERE id = ?", (thread_id,))

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        return self._page(ITEM, "items", "thread = ?", (thread_id,), after, limit, order)

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        item: ThreadItem = self._one(
            ITEM, "SELECT data FROM items WHERE thread = ? AND id = ?", thread_id, item_id
        )
        return item

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        self.database.execute(
            "INSERT INTO items (thread, id, data) VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            (thread_id, item.id, ITEM.dump_json(item).decode()),
        )

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        self.database.execute("DELETE FROM items WHERE id = ?", (item_id,))

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        raise NotImplementedError

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        raise NotImplementedError

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        raise NotImplementedError

    def _one(self, adapter: TypeAdapter[Any], statement: str, *values: str) -> Any:
        row = self.database.execute(statement, values).fetchone()
        if row is None:
            raise NotFoundError(values[-1])
        return adapter.validate_json(row[0])

    def _page(
        self,
        adapter: TypeAdapter[Any],
        table: str,
        where: str,
        values: tuple[str, ...],
        after: str | None,
        limit: int,
        order: str,
    ) -> Page[Any]:
        sign = ">" if order == "asc" else "<"
        if after is not None:
            where += f" AND sequence {sign} (SELECT sequence FROM {table} WHERE id = ?)"  # noqa: S608 our own words
            values = (*values, after)
        rows = self.database.execute(
            f"SELECT data FROM {table} WHERE {where} ORDER BY sequence {order} LIMIT {limit + 1}",  # noqa: S608 our own words
            values,
        ).fetchall()
        data: list[BaseModel] = [adapter.validate_json(row[0]) for row in rows[:limit]]
        has_more = len(rows) > limit
        last: Any = data[-1] if data else None
        return Page(data=data, has_more=has_more, after=last.id if has_more else None)


class ReferenceServer(ChatKitServer[Any]):
    """Passes the agent the whole thread in each turn, as an app without sessions must."""

    def __init__(self, agent: SupportsAgentRun, store: ReferenceStore) -> None:
        super().__init__(store)
        self._agent: Any = agent

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        items: list[ThreadItem] = []
        after: str | None = None
        while True:
            page = await self.store.load_thread_items(thread.id, after, 1000, "asc", context)
            items += page.data
            if not page.has_more:
                break
            after = page.after
        run = self._agent.run(await simple_to_agent_input(items), stream=True)
        async for event in stream_agent_response(run, thread.id):
            yield event
