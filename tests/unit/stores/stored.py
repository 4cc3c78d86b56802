"""Data for tests to store, and ways to read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alembic import command
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    FileAttachment,
    HiddenContextItem,
    InferenceOptions,
    Page,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
)
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.migrate import alembic_config

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456)


@dataclass
class Context:
    user_id: str


ANN = Context("ann")

BOB = Context("bob")


def thread(thread_id: str = "thr_1", **fields: Any) -> ThreadMetadata:
    return ThreadMetadata(id=thread_id, **{"created_at": NOW, **fields})


def item(item_id: str, content: Any = "x", created_at: datetime = NOW) -> HiddenContextItem:
    return HiddenContextItem(id=item_id, thread_id="thr_1", created_at=created_at, content=content)


def said(item_id: str, text: str) -> UserMessageItem:
    return UserMessageItem(
        id=item_id,
        thread_id="thr_1",
        created_at=NOW,
        content=[UserMessageTextContent(text=text)],
        inference_options=InferenceOptions(),
    )


def answered(item_id: str, text: str) -> AssistantMessageItem:
    content = [AssistantMessageContent(text=text)]
    return AssistantMessageItem(id=item_id, thread_id="thr_1", created_at=NOW, content=content)


def file(attachment_id: str, thread_id: str | None = None) -> FileAttachment:
    return FileAttachment(id=attachment_id, name="f", mime_type="text/plain", thread_id=thread_id)


def ids(page: Page[Any]) -> list[str]:
    return [row.id for row in page.data]


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """Connect to the database without the store."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
    )
    yield engine
    engine.dispose()


def execute(url: str, *statements: str) -> Any:
    with engine_of(url) as engine, engine.begin() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
        return result.fetchall() if result.returns_rows else None


def create_older(url: str, version: str, of_ann: ThreadMetadata) -> None:
    """Create the tables of an older version, with a thread of Ann's."""
    with engine_of(url) as engine, engine.begin() as connection:
        command.upgrade(alembic_config(connection), version)
    execute(
        url,
        "INSERT INTO chatkit_owners VALUES ('ann', 1)",
        "INSERT INTO chatkit_threads (id, owner, position, last_position, active_at, data)"
        f" VALUES ('{of_ann.id}', 'ann', 1, 99, 0, '{of_ann.model_dump_json()}')",
    )


async def read_all(
    store: SQLStore, order: str = "asc", size: int = 3, thread_id: str = "thr_1"
) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = await store.load_thread_items(thread_id, after, size, order, ANN)
        assert len(page.data) <= size
        assert page.has_more == (page.after is not None)
        found += ids(page)
        if not page.has_more:
            return found
        after = page.after


def numbers(url: str, count: int) -> str:
    """Return SQL for a table of numbers from 1, in a column `n`."""
    if url.startswith("sqlite"):
        return (
            "(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t"
            f" WHERE n < {count}) SELECT n FROM t) AS t"
        )
    return f"generate_series(1, {count}) AS t(n)"
