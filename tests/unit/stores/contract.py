"""What the store promises on any database. Each database has a test class that inherits these."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from agent_framework import AgentSession, Content, Message
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    FileAttachment,
    HiddenContextItem,
    ImageAttachment,
    InferenceOptions,
    LockedStatus,
    Page,
    Thread,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot
from pydantic import AnyUrl
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool

from agent_framework_chatkit.stores import Purged, SQLStore, ThreadBusyError
from agent_framework_chatkit.stores.sql.migrate import VERSION_TABLE
from agent_framework_chatkit.stores.sql.tables import SEARCH, metadata
from agent_framework_chatkit.stores.sql.turn_rows import (
    LogRow,
    NewTurn,
    ReadRows,
    StoredMessages,
    ThreadChange,
    TurnEnd,
    Writes,
)

from .model import check_store
from .workers import run_worker

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


async def found(store: SQLStore, query: str) -> list[tuple[str, str | None, str]]:
    """Return threads, messages and snippets in which the words stand in brackets."""
    page = await store.search_threads(query, 20, None, ANN)
    return [
        (
            each.thread.id,
            each.item_id,
            "".join(f"[{text}]" if is_match else text for text, is_match in each.snippet),
        )
        for each in page.data
    ]


def file(attachment_id: str, thread_id: str | None = None) -> FileAttachment:
    return FileAttachment(id=attachment_id, name="f", mime_type="text/plain", thread_id=thread_id)


def ids(page: Page[Any]) -> list[str]:
    return [row.id for row in page.data]


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """Another way into the database, past the store."""
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


class StoreContract:
    """Needs a fixture `url`, of an empty database that nothing else uses."""

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[SQLStore]:
        async with SQLStore(url) as store:
            yield store

    def test_it_behaves_as_its_model(self, url: str) -> None:
        loop = asyncio.new_event_loop()
        store = SQLStore(url)
        try:
            check_store(store, loop, examples=60)
        finally:
            loop.run_until_complete(store.close())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    # Threads

    async def test_a_thread_comes_back_as_it_was(self, store: SQLStore) -> None:
        saved = thread(
            title="Öl \0 \ud83d",
            status=LockedStatus(reason="late"),
            allowed_image_domains=["a.test"],
            metadata={"n": None, "deep": [1, {"x": "\ud83d\0\\0041"}]},
        )
        await store.save_thread(saved, ANN)
        assert await store.load_thread("thr_1", ANN) == saved
        await store.save_thread(thread(title="Other"), ANN)
        assert await store.load_thread("thr_1", ANN) == thread(title="Other")

    async def test_a_thread_is_stored_without_items(self, store: SQLStore) -> None:
        whole = Thread(**thread().model_dump(), items=Page(data=[item("msg_1")]))
        await store.save_thread(whole, ANN)
        assert type(await store.load_thread("thr_1", ANN)) is ThreadMetadata
        assert ids(await store.load_thread_items("thr_1", None, 9, "asc", ANN)) == []

    async def test_threads_are_in_the_order_in_which_they_were_added(self, store: SQLStore) -> None:
        for number in range(5):
            created_at = NOW - timedelta(hours=number // 2)
            await store.save_thread(thread(f"thr_{number}", created_at=created_at), ANN)
        await store.save_thread(thread("thr_0", title="again"), ANN)
        await store.save_thread(thread("thr_other"), BOB)
        first = await store.load_threads(3, None, "desc", ANN)
        assert ids(first) == ["thr_4", "thr_3", "thr_2"]
        assert first.has_more
        # What was read last goes, and something new comes.
        await store.delete_thread("thr_2", ANN)
        await store.save_thread(thread("thr_5"), ANN)
        second = await store.load_threads(3, first.after, "desc", ANN)
        assert ids(second) == ["thr_1", "thr_0"]
        assert (second.has_more, second.after) == (False, None)
        assert ids(await store.load_threads(2, "thr_1", "asc", ANN)) == ["thr_3", "thr_4"]

    # Items

    async def test_items_come_back_as_they_were(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        common: Any = {"thread_id": "thr_1", "created_at": NOW}
        saved: list[ThreadItem] = [
            UserMessageItem(
                id="msg_1",
                content=[
                    UserMessageTextContent(text="half an emoji: \ud83d"),
                    UserMessageTagContent(id="t", text="Tag", data={"nothing": None}),
                ],
                attachments=[
                    ImageAttachment(
                        id="atc_1",
                        name="i",
                        mime_type="image/png",
                        preview_url=AnyUrl("https://a.test/i"),
                        metadata={"key": "s3"},
                    )
                ],
                inference_options=InferenceOptions(model="m"),
                **common,
            ),
            AssistantMessageItem(
                id="msg_2", content=[AssistantMessageContent(text="nul \0 é 🙂")], **common
            ),
            ClientToolCallItem(
                id="tc_1", call_id="c", name="n", arguments={"a": None, "b": ["\ud83d"]}, **common
            ),
            WidgetItem(
                id="msg_3",
                widget=DynamicWidgetRoot.model_validate(
                    {"type": "Card", "children": [{"type": "Text", "id": "t", "value": "v"}]}
                ),
                **common,
            ),
            item("aware", created_at=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))),
        ]
        for each in saved:
            await store.add_thread_item("thr_1", each, ANN)
        page = await store.load_thread_items("thr_1", None, 9, "asc", ANN)
        for before, after in zip(saved, page.data, strict=True):
            assert await store.load_item("thr_1", before.id, ANN) == after
            # ChatKit reads a dynamic widget as the widget that it is.
            assert before == after or before.type == "widget"
            dumped = (each.model_dump(mode="json", exclude_none=True) for each in (before, after))
            assert next(dumped) == next(dumped)
        assert page.data[0].created_at.tzinfo is None

    async def test_an_item_may_be_large(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        large = item("msg_1", content="x" * 10_000_000)
        await store.add_thread_item("thr_1", large, ANN)
        assert await store.load_item("thr_1", "msg_1", ANN) == large

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    async def test_pages_join_to_the_whole(self, store: SQLStore, size: int) -> None:
        await store.save_thread(thread(), ANN)
        names = [f"msg_{number}" for number in range(7)]
        for number, name in enumerate(names):
            # Equal times, and times that go back.
            created_at = NOW - timedelta(hours=number // 2)
            await store.add_thread_item("thr_1", item(name, created_at=created_at), ANN)
        assert await read_all(store, "asc", size) == names
        assert await read_all(store, "desc", size) == names[::-1]

    @pytest.mark.parametrize("method", ["add_thread_item", "save_item"])
    async def test_an_item_that_is_stored_again_keeps_its_place(
        self, store: SQLStore, method: str
    ) -> None:
        await store.save_thread(thread(), ANN)
        save = getattr(store, method)
        for name in ("msg_1", "msg_2", "msg_3"):
            await save("thr_1", item(name), ANN)
        await save("thr_1", item("msg_2", content="new"), ANN)
        assert await read_all(store) == ["msg_1", "msg_2", "msg_3"]
        assert await store.load_item("thr_1", "msg_2", ANN) == item("msg_2", content="new")

    async def test_a_page_continues_whatever_happened_meanwhile(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for number in range(6):
            await store.add_thread_item("thr_1", item(f"msg_{number}"), ANN)
        down = await store.load_thread_items("thr_1", None, 2, "desc", ANN)
        up = await store.load_thread_items("thr_1", None, 2, "asc", ANN)
        for gone in ("msg_1", "msg_4", "msg_2"):
            await store.delete_thread_item("thr_1", gone, ANN)
        await store.add_thread_item("thr_1", item("msg_6"), ANN)
        rest = await store.load_thread_items("thr_1", down.after, 9, "desc", ANN)
        assert ids(rest) == ["msg_3", "msg_0"]
        rest = await store.load_thread_items("thr_1", up.after, 9, "asc", ANN)
        assert ids(rest) == ["msg_3", "msg_5", "msg_6"]

    async def test_a_page_may_begin_after_an_item(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for number in range(3):
            await store.add_thread_item("thr_1", item(f"msg_{number}"), ANN)
        page = await store.load_thread_items("thr_1", "msg_1", 9, "asc", ANN)
        assert ids(page) == ["msg_2"]
        with pytest.raises(NotFoundError):
            await store.load_thread_items("thr_1", "msg_9", 9, "asc", ANN)
        with pytest.raises(NotFoundError):
            await store.load_threads(9, "thr_9", "asc", ANN)

    async def test_a_page_must_make_sense(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        with pytest.raises(ValueError, match="at least one"):
            await store.load_thread_items("thr_1", None, 0, "asc", ANN)
        with pytest.raises(ValueError, match="asc or desc"):
            await store.load_threads(1, None, "down", ANN)

    async def test_an_item_is_deleted_with_all_that_hangs_on_it(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for name in ("msg_1", "msg_2"):
            await store.add_thread_item("thr_1", item(name), ANN)
            await store.sessions("thr_1", ANN).set(name, AgentSession())
            await store.add_messages("thr_1", name, [Message("user", [name])], ANN)
        await store.save_feedback("thr_1", ["msg_1", "msg_2"], "positive", ANN)
        await store.delete_thread_item("thr_1", "msg_1", ANN)
        with pytest.raises(NotFoundError):
            await store.load_item("thr_1", "msg_1", ANN)
        assert await read_all(store) == ["msg_2"]
        assert await store.sessions("thr_1", ANN).get("msg_1") is None
        assert await store.sessions("thr_1", ANN).get("msg_2") is not None
        assert [m.text for m in await store.load_messages("thr_1", ANN)] == ["msg_2"]
        assert await store.load_feedback("thr_1", ANN) == {"msg_2": "positive"}
        await store.delete_thread_item("thr_1", "msg_1", ANN)
        await store.delete_thread_item("thr_9", "msg_1", ANN)

    async def test_an_item_that_comes_back_is_at_the_end(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for name in ("msg_1", "msg_2"):
            await store.add_thread_item("thr_1", item(name), ANN)
        await store.delete_thread_item("thr_1", "msg_1", ANN)
        await store.add_thread_item("thr_1", item("msg_1"), ANN)
        assert await read_all(store) == ["msg_2", "msg_1"]

    async def test_what_cannot_be_read_is_left_out(
        self, store: SQLStore, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("thr_1", "thr_2"):
            await store.save_thread(thread(name), ANN)
        for number in range(6):
            await store.add_thread_item("thr_1", item(f"msg_{number}"), ANN)
        await store.save_attachment(file("atc_1"), ANN)
        await store.add_messages("thr_1", "msg_0", [Message("user", ["x"])], ANN)
        await store.sessions("thr_1", ANN).set("msg_0", AgentSession())
        execute(
            url,
            'UPDATE chatkit_items SET data = \'{"type": "hologram"}\' WHERE position IN (2, 3)',
            "UPDATE chatkit_items SET data = 'nonsense' WHERE position = 5",
            "UPDATE chatkit_threads SET data = '[' WHERE id = 'thr_2'",
            "UPDATE chatkit_attachments SET data = '[' ",
            'UPDATE chatkit_messages SET data = \'[{"contents": 7}, {"role": "user"}]\'',
            "UPDATE chatkit_sessions SET data = '{}'",
        )
        for size in range(1, 7):
            assert await read_all(store, size=size) == ["msg_0", "msg_3", "msg_5"]
        # A page is full as long as there is more.
        page = await store.load_thread_items("thr_1", None, 2, "asc", ANN)
        assert ids(page) == ["msg_0", "msg_3"]
        assert ids(await store.load_threads(9, None, "asc", ANN)) == ["thr_1"]
        for load in (
            store.load_item("thr_1", "msg_1", ANN),
            store.load_thread("thr_2", ANN),
            store.load_attachment("atc_1", ANN),
        ):
            with pytest.raises(NotFoundError):
                await load
        assert len(await store.load_messages("thr_1", ANN)) == 1
        assert await store.sessions("thr_1", ANN).get("msg_0") is None
        assert "Item 'msg_1' cannot be read" in caplog.text

    # Owners

    async def test_what_belongs_to_another_owner_does_not_exist(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        await store.add_thread_item("thr_1", item("msg_1"), ANN)
        await store.save_attachment(file("atc_1", "thr_1"), ANN)
        await store.sessions("thr_1", ANN).set("msg_1", AgentSession())
        await store.add_messages("thr_1", "msg_1", [Message("user", ["x"])], ANN)
        await store.save_feedback("thr_1", ["msg_1"], "negative", ANN)

        async def answers(thread_id: str, item_id: str, attachment_id: str) -> list[Any]:
            sessions = store.sessions(thread_id, BOB)
            calls = [
                store.load_thread(thread_id, BOB),
                store.delete_thread(thread_id, BOB),
                store.load_thread_items(thread_id, None, 9, "asc", BOB),
                store.load_thread_items(thread_id, item_id, 9, "asc", BOB),
                store.load_item(thread_id, item_id, BOB),
                store.add_thread_item(thread_id, item(item_id, "stolen"), BOB),
                store.save_item(thread_id, item(item_id, "stolen"), BOB),
                store.delete_thread_item(thread_id, item_id, BOB),
                store.load_threads(9, thread_id, "asc", BOB),
                store.load_attachment(attachment_id, BOB),
                store.delete_attachment(attachment_id, BOB),
                store.save_attachment(file("atc_bob", thread_id), BOB),
                sessions.get(item_id),
                sessions.set(item_id, AgentSession()),
                sessions.delete(item_id),
                store.add_messages(thread_id, item_id, [Message("user", ["x"])], BOB),
                store.load_messages(thread_id, BOB),
                store.delete_messages(thread_id, item_id, BOB),
                store.save_feedback(thread_id, [item_id], "positive", BOB),
                store.load_feedback(thread_id, BOB),
                store.turn(thread_id, BOB).__aenter__(),
            ]
            results = await asyncio.gather(*calls, return_exceptions=True)
            return [
                (type(result), re.sub(r" (thread|item|attachment) .*", r" \1", str(result)))
                if isinstance(result, Exception)
                else result
                for result in results
            ]

        of_ann = await answers("thr_1", "msg_1", "atc_1")
        assert of_ann == await answers("thr_9", "msg_9", "atc_9")
        for strange in ("\0", "\ud83d", "x" * 5000, "'; --", "\\0000"):
            assert of_ann == await answers(strange, strange, strange)
        # What is there can only not be taken over.
        with pytest.raises(NotFoundError):
            await store.save_thread(thread(title="stolen"), BOB)
        with pytest.raises(NotFoundError):
            await store.save_attachment(file("atc_1"), BOB)
        assert await store.load_thread("thr_1", ANN) == thread()
        assert await store.load_item("thr_1", "msg_1", ANN) == item("msg_1")
        assert await store.load_attachment("atc_1", ANN) == file("atc_1", "thr_1")
        assert len(await store.load_messages("thr_1", ANN)) == 1
        assert await store.load_feedback("thr_1", ANN) == {"msg_1": "negative"}
        assert await store.sessions("thr_1", ANN).get("msg_1") is not None
        assert ids(await store.load_threads(9, None, "asc", BOB)) == []

    async def test_an_owner_is_an_attribute_or_a_key(self, store: SQLStore) -> None:
        await store.save_thread(thread(), {"user_id": "ann"})
        assert await store.load_thread("thr_1", ANN) == thread()

    @pytest.mark.parametrize("context", [None, {}, object(), {"user_id": None}, {"user_id": 7}])
    async def test_there_must_be_an_owner(self, store: SQLStore, context: Any) -> None:
        with pytest.raises(TypeError, match="whose data"):
            await store.save_thread(thread(), context)
        with pytest.raises(TypeError, match="whose data"):
            await store.load_threads(1, None, "asc", context)

    async def test_an_owner_is_not_empty(self, store: SQLStore) -> None:
        with pytest.raises(ValueError, match="signed cookie"):
            await store.save_thread(thread(), {"user_id": ""})

    async def test_owners_and_ids_are_any_strings(self, store: SQLStore) -> None:
        names = [
            "a",
            "A",
            "a ",
            "\0",
            "\\0000",
            "\\",
            "\ud83d",
            "\\d83d",
            "🙂",
            "%",
            "ä",
            "a\u0308",
        ]
        for name in names:
            owner = Context(name)
            await store.save_thread(thread(f"of {name}"), owner)
            await store.add_thread_item(f"of {name}", item(name), owner)
            await store.save_attachment(file(name, f"of {name}"), owner)
        for name in names:
            page = await store.load_threads(9, None, "asc", Context(name))
            assert ids(page) == [f"of {name}"]
            assert await store.load_item(f"of {name}", name, Context(name)) == item(name)
            await store.delete_thread(f"of {name}", Context(name))
        assert sorted(await store.doomed_attachments()) == sorted(names)

    # Attachments, and what is deleted

    async def test_an_attachment_comes_back_as_it_was(self, store: SQLStore) -> None:
        saved = file("atc_1")
        saved.metadata = {"key": "s3://x"}
        await store.save_attachment(saved, ANN)
        assert await store.load_attachment("atc_1", ANN) == saved
        await store.save_thread(thread(), ANN)
        await store.save_attachment(file("atc_1", "thr_1"), ANN)
        assert await store.load_attachment("atc_1", ANN) == file("atc_1", "thr_1")
        await store.delete_attachment("atc_1", ANN)
        with pytest.raises(NotFoundError):
            await store.load_attachment("atc_1", ANN)
        with pytest.raises(NotFoundError):
            await store.delete_attachment("atc_1", ANN)

    async def test_a_thread_is_deleted_with_all_that_belongs_to_it(
        self, store: SQLStore, url: str
    ) -> None:
        for name in ("thr_1", "thr_2"):
            await store.save_thread(thread(name), ANN)
            await store.add_thread_item(name, item("msg_1"), ANN)
            await store.sessions(name, ANN).set("msg_1", AgentSession())
            await store.add_messages(name, "msg_1", [Message("user", ["x"])], ANN)
            await store.save_feedback(name, ["msg_1"], "positive", ANN)
            for number in range(2):
                await store.save_attachment(file(f"atc_{name}_{number}", name), ANN)
        await store.save_attachment(file("atc_unsent"), ANN)
        async with store.turn("thr_1", ANN):
            await store.delete_thread("thr_1", ANN)
        with pytest.raises(NotFoundError):
            await store.load_thread("thr_1", ANN)
        with pytest.raises(NotFoundError):
            await store.delete_thread("thr_1", ANN)
        assert await store.load_thread_items("thr_1", None, 9, "asc", ANN) == Page()
        for table in ("items", "sessions", "messages", "feedback"):
            assert execute(url, f"SELECT count(*) FROM chatkit_{table}") == [(1,)]
        assert execute(url, "SELECT count(*) FROM chatkit_turns") == [(0,)]
        assert execute(url, "SELECT count(*) FROM chatkit_attachments") == [(3,)]
        with pytest.raises(NotFoundError):
            await store.load_attachment("atc_thr_1_0", ANN)
        doomed = await store.doomed_attachments()
        assert sorted(doomed) == ["atc_thr_1_0", "atc_thr_1_1"]
        assert len(await store.doomed_attachments(1)) == 1
        await store.forget_attachments(doomed[:1])
        assert await store.doomed_attachments() == doomed[1:]
        # The same id is a new thread now, and empty.
        await store.save_thread(thread("thr_1"), BOB)
        assert await store.load_messages("thr_1", BOB) == []

    async def test_what_is_old_is_deleted(self, store: SQLStore, url: str) -> None:
        for name in ("thr_old", "thr_used", "thr_new"):
            await store.save_thread(thread(name), ANN)
            await store.save_attachment(file(f"atc_{name}", name), ANN)
        await store.save_thread(thread("thr_bob"), BOB)
        for name in ("atc_old", "atc_new"):
            await store.save_attachment(file(name), ANN)
        execute(
            url,
            "UPDATE chatkit_threads SET active_at = active_at - 31 * 86400 WHERE id <> 'thr_new'",
            "UPDATE chatkit_attachments SET created_at = created_at - 31 * 86400"
            " WHERE id <> 'atc_new'",
        )
        await store.add_thread_item("thr_used", item("msg_1"), ANN)
        purged = await store.purge(timedelta(days=30))
        assert purged == Purged(threads=2, attachments=1)
        assert ids(await store.load_threads(9, None, "asc", ANN)) == ["thr_used", "thr_new"]
        assert sorted(await store.doomed_attachments()) == ["atc_old", "atc_thr_old"]
        assert await store.load_attachment("atc_new", ANN) == file("atc_new")
        # Nothing is left of someone who has nothing.
        assert execute(url, "SELECT id FROM chatkit_owners") == [("ann",)]
        assert await store.purge(timedelta(days=30)) == Purged(threads=0, attachments=0)

    async def test_much_is_deleted_too(self, store: SQLStore, url: str) -> None:
        await store.save_thread(thread(), ANN)
        execute(
            url,
            "INSERT INTO chatkit_threads (id, owner, position, last_position, active_at, data)"
            f" SELECT 't' || n, 'ann', n + 1, 0, 0, '' FROM {numbers(url, 1000)}",
            "INSERT INTO chatkit_attachments (id, owner, created_at, data)"
            f" SELECT 'a' || n, 'ann', 0, '' FROM {numbers(url, 1000)}",
        )
        assert await store.purge(timedelta(days=1)) == Purged(threads=1000, attachments=1000)
        assert len(await store.doomed_attachments(2000)) == 1000
        assert await store.load_thread("thr_1", ANN) == thread()

    # Sessions, messages, feedback

    async def test_a_session_comes_back_as_it_was(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        sessions = store.sessions("thr_1", ANN)
        assert await sessions.get("msg_1") is None
        session = AgentSession(session_id="s", service_session_id="resp_1")
        request = Content.from_function_approval_request(
            "a", Content.from_function_call("c", "pay", arguments='{"n": "\ud83d\0"}')
        )
        session.state = {"messages": [Message("assistant", [request])], "n": {"deep": [None, 1.5]}}
        await sessions.set("msg_1", session)
        session.state["late"] = True
        loaded = await sessions.get("msg_1")
        assert loaded is not None
        assert (loaded.session_id, loaded.service_session_id) == ("s", "resp_1")
        assert loaded.state.keys() == {"messages", "n"}
        assert loaded.state["n"] == {"deep": [None, 1.5]}
        assert loaded.state["messages"][0].to_dict() == Message("assistant", [request]).to_dict()
        await sessions.set("msg_1", AgentSession(session_id="t"))
        replaced = await sessions.get("msg_1")
        assert replaced is not None
        assert replaced.session_id == "t"
        await sessions.delete("msg_1")
        await sessions.delete("msg_1")
        assert await sessions.get("msg_1") is None
        for call in (sessions.get(""), sessions.set("", session), sessions.delete("")):
            with pytest.raises(ValueError, match="non-empty"):
                await call

    async def test_the_latest_session_is_the_one_that_was_stored_last(
        self, store: SQLStore
    ) -> None:
        for name in ("thr_1", "thr_2"):
            await store.save_thread(thread(name), ANN)
        sessions = store.sessions("thr_1", ANN)
        assert await sessions.latest() is None
        for name in ("msg_1", "msg_2", "msg_1"):
            await sessions.set(name, AgentSession(session_id=f"of {name}"))
        await store.sessions("thr_2", ANN).set("msg_9", AgentSession(session_id="elsewhere"))
        latest = await sessions.latest()
        assert latest is not None
        assert latest.session.session_id == "of msg_1"
        await sessions.delete("msg_1")
        latest = await sessions.latest()
        assert latest is not None
        assert latest.session.session_id == "of msg_2"
        assert await store.sessions("thr_1", BOB).latest() is None

    async def test_all_workers_have_the_same_secret(self, store: SQLStore, url: str) -> None:
        secret = await store.secret()
        assert len(secret) == 64
        assert await store.secret() == secret
        if url != "sqlite://":
            async with SQLStore(url) as other:
                assert await other.secret() == secret

    async def test_messages_come_back_in_order(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        call = Content.from_function_call("c", "n", arguments={"a": "\ud83d\0"})
        added = [
            Message("user", ["hi"], message_id="1", additional_properties={"k": [1, None]}),
            Message("assistant", [call]),
            Message("tool", [Content.from_function_result("c", result="21 °C")]),
        ]
        await store.add_messages("thr_1", "msg_1", added, ANN)
        await store.add_messages("thr_1", "msg_2", added[:1], ANN)
        await store.add_messages("thr_1", "msg_1", [Message("assistant", ["bye"])], ANN)
        loaded = await store.load_messages("thr_1", ANN)
        expected = [*added, added[0], Message("assistant", ["bye"])]
        assert [m.to_dict() for m in loaded] == [m.to_dict() for m in expected]
        await store.delete_messages("thr_1", "msg_1", ANN)
        assert [m.text for m in await store.load_messages("thr_1", ANN)] == ["hi"]

    async def test_the_last_feedback_counts(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for name in ("msg_1", "msg_2"):
            await store.add_thread_item("thr_1", item(name), ANN)
        await store.save_feedback("thr_1", ["msg_1", "msg_2", "msg_9", "msg_1"], "positive", ANN)
        await store.save_feedback("thr_1", ["msg_2"], "negative", ANN)
        await store.save_feedback("thr_1", [], "negative", ANN)
        assert await store.load_feedback("thr_1", ANN) == {"msg_1": "positive", "msg_2": "negative"}

    # Turns

    async def test_a_thread_has_one_turn_at_a_time(self, store: SQLStore, url: str) -> None:
        for name in ("thr_1", "thr_2"):
            await store.save_thread(thread(name), ANN)
        async with SQLStore(url) as other, store.turn("thr_1", ANN):
            for each in (store, other):
                with pytest.raises(ThreadBusyError, match="thr_1") as raised:
                    await each.turn("thr_1", ANN).__aenter__()
                assert raised.value.thread_id == "thr_1"
            async with other.turn("thr_2", ANN):
                pass
        async with store.turn("thr_1", ANN):
            pass

    async def test_a_turn_ends_when_it_fails(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        with pytest.raises(RuntimeError, match="the model"):
            async with store.turn("thr_1", ANN):
                raise RuntimeError("the model is gone")
        async with store.turn("thr_1", ANN):
            pass

    async def test_a_turn_ends_however_often_it_is_cancelled(self, url: str) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(), ANN)
            started = asyncio.Event()

            async def turn() -> None:
                async with store.turn("thr_1", ANN):
                    started.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(turn())
            await started.wait()
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        # Closing has waited for the lease to be given back.
        assert execute(url, "SELECT worker FROM chatkit_turns") == [(None,)]
        assert execute(url, "SELECT count(*) FROM chatkit_workers") == [(0,)]

    async def test_a_worker_that_holds_leases_shows_that_it_is_alive(self, url: str) -> None:
        async with SQLStore(url, lease=0.3) as store:
            await store.save_thread(thread(), ANN)
            async with store.turn("thr_1", ANN):
                beat = "SELECT beat FROM chatkit_workers"
                first = execute(url, beat)
                while execute(url, beat) == first:
                    await asyncio.sleep(0.05)

    async def test_a_lease_that_was_lost_is_not_taken_back(
        self, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(), ANN)
            async with store.turn("thr_1", ANN), SQLStore(url) as other:
                await other.load_threads(1, None, "asc", ANN)
                later = await self._taken_over(url, other)
                other_holds = "SELECT run FROM chatkit_turns"
                run = execute(url, other_holds)
                await self._end_quietly(store)
                assert execute(url, other_holds) == run
                await later.__aexit__(None, None, None)
        assert "was lost" in caplog.text

    async def _taken_over(self, url: str, other: SQLStore) -> AbstractAsyncContextManager[None]:
        while True:
            # As if the first worker had slept for long enough to be taken for dead.
            execute(url, "DELETE FROM chatkit_workers")
            later = other.turn("thr_1", ANN)
            # It may have shown just now that it is alive.
            with suppress(ThreadBusyError):
                await later.__aenter__()
                return later

    async def _end_quietly(self, store: SQLStore) -> None:
        with pytest.raises(ThreadBusyError):
            await store.turn("thr_1", ANN).__aenter__()

    async def test_workers_take_turns(self, store: SQLStore, url: str) -> None:
        await store.save_thread(thread(metadata={"count": 0}), ANN)
        async with run_worker() as one, run_worker() as two:
            for worker in (one, two):
                worker.send("count", url, 15)
            for worker in (one, two):
                await worker.read("counted")
        assert (await store.load_thread("thr_1", ANN)).metadata == {"count": 30}

    @pytest.mark.parametrize("count", [1, 4])
    async def test_a_worker_that_dies_does_not_keep_its_thread(
        self, store: SQLStore, url: str, count: int
    ) -> None:
        await store.save_thread(thread(), ANN)
        async with run_worker() as worker:
            worker.send("hold", url, 1)
            await worker.read("held")
            worker.kill()
        suspecting: list[str] = []
        async with AsyncExitStack() as stores:
            watching = [
                await stores.enter_async_context(SQLStore(url, lease=1)) for _ in range(count)
            ]

            async def is_free() -> bool:
                for each in watching:
                    with suppress(ThreadBusyError):
                        async with each.turn("thr_1", ANN):
                            return True
                return False

            while not await is_free():
                for (name,) in execute(url, "SELECT suspect FROM chatkit_workers"):
                    if name is not None and name not in suspecting[-1:]:
                        suspecting.append(name)
                await asyncio.sleep(0.02)
        # They do not take the suspicion from each other again and again.
        assert len(suspecting) == len(set(suspecting))

    # Many at once

    async def test_many_write_to_a_thread_at_once(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await one.save_thread(thread(), ANN)
            await asyncio.gather(
                *(
                    (one if number % 2 else two).add_thread_item(
                        # Each is written twice, and is one item.
                        "thr_1",
                        item(f"msg_{number // 2}"),
                        ANN,
                    )
                    for number in range(100)
                ),
                *(one.save_thread(thread(title="x"), ANN) for _ in range(10)),
            )
            assert sorted(await read_all(one, size=7)) == sorted(f"msg_{n}" for n in range(50))

    async def test_many_add_the_same_thread_at_once(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await asyncio.gather(
                *(store.save_thread(thread(), ANN) for store in (one, two) for _ in range(10))
            )
            assert ids(await one.load_threads(9, None, "asc", ANN)) == ["thr_1"]

    async def test_a_reader_misses_nothing_that_is_added(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await one.save_thread(thread(), ANN)
            added = [f"msg_{number}" for number in range(60)]

            async def write(store: SQLStore, names: list[str]) -> None:
                for name in names:
                    await store.add_thread_item("thr_1", item(name), ANN)

            writing = asyncio.gather(
                *(write(store, added[n::6]) for n, store in enumerate([one, two] * 3))
            )
            seen: list[str] = []
            while len(seen) < len(added):
                after = seen[-1] if seen else None
                page = await one.load_thread_items("thr_1", after, 5, "asc", ANN)
                seen += ids(page)
            await writing
            assert sorted(seen) == sorted(added)
            assert seen == await read_all(one, size=50)

    async def test_deleting_and_adding_at_once(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            for _ in range(10):
                await one.save_thread(thread(), ANN)
                results = await asyncio.gather(
                    one.add_thread_item("thr_1", item("msg_1"), ANN),
                    two.save_attachment(file("atc_1", "thr_1"), ANN),
                    two.sessions("thr_1", ANN).set("msg_1", AgentSession()),
                    one.delete_thread("thr_1", ANN),
                    two.add_messages("thr_1", "msg_1", [Message("user", ["x"])], ANN),
                    one.save_feedback("thr_1", ["msg_1"], "positive", ANN),
                    return_exceptions=True,
                )
                assert {type(result) for result in results} <= {type(None), NotFoundError}
                saved = results[1] is None
                assert (await one.doomed_attachments() == ["atc_1"]) == saved
                await one.forget_attachments(["atc_1"])

    async def test_whoever_is_cancelled_leaves_the_store_usable(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        random.seed(0)
        for number in range(40):
            task = asyncio.create_task(store.add_thread_item("thr_1", item(f"msg_{number}"), ANN))
            await asyncio.sleep(random.random() / 200)  # noqa: S311 any time will do
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await store.add_thread_item("thr_1", item("last"), ANN)
        assert (await read_all(store, size=9))[-1] == "last"

    # The database

    async def test_ids_are_random(self, store: SQLStore) -> None:
        made = {store.generate_item_id("message", thread(), ANN) for _ in range(1000)}
        assert len(made) == 1000
        assert all(re.fullmatch("msg_[0-9a-f]{32}", each) for each in made)
        assert re.fullmatch("thr_[0-9a-f]{32}", store.generate_thread_id(ANN))

    async def test_the_store_says_that_it_is_well(self, store: SQLStore) -> None:
        await store.check()

    async def test_what_is_stored_stays(self, url: str) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(), ANN)
            await store.add_thread_item("thr_1", item("msg_1"), ANN)
        async with SQLStore(url) as store:
            assert await read_all(store) == ["msg_1"]

    async def test_many_set_the_database_up_at_once(self, url: str) -> None:
        stores = [SQLStore(url) for _ in range(5)]
        await asyncio.gather(*(store.save_thread(thread(), ANN) for store in stores))
        await asyncio.gather(*(store.close() for store in stores))

    async def test_the_migrations_make_the_tables(self, store: SQLStore, url: str) -> None:
        await store.migrate()
        await store.migrate()
        with engine_of(url) as engine, engine.connect() as connection:
            options = {
                "version_table": VERSION_TABLE,
                "compare_server_default": True,
                # The index of words is of each database's own kind.
                "include_name": lambda name, *_: not str(name).startswith(SEARCH),
            }
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, metadata) == []

    async def test_rows_of_an_older_version_are_found_too(self, url: str) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(title="Trip"), ANN)
            await store.add_thread_item("thr_1", said("msg_1", "Rain in Oslo"), ANN)
            await store.add_thread_item("thr_1", item("x"), ANN)
        sqlite = url.startswith("sqlite")
        execute(
            url,
            "INSERT INTO chatkit_items (thread, position, id, data)"
            " SELECT thread, 99, 'broken', '[' FROM chatkit_items WHERE id = 'msg_1'",
            "DROP TABLE chatkit_words",
            "DROP TABLE chatkit_audit",
            "DROP INDEX ix_chatkit_attachments_owner",
            "ALTER TABLE chatkit_attachments DROP COLUMN size",
            *(["DROP TABLE chatkit_search"] if sqlite else []),
            f"UPDATE {VERSION_TABLE} SET version_num = 'v2'",
        )
        async with SQLStore(url) as store:
            assert await found(store, "oslo") == [("thr_1", "msg_1", "Rain in [Oslo]")]
            assert await found(store, "trip") == [("thr_1", None, "")]

    async def test_threads_are_found_by_their_words_the_newest_first(self, store: SQLStore) -> None:
        for number in (1, 2, 3):
            await store.save_thread(thread(f"thr_{number}"), ANN)
        await store.add_thread_item("thr_1", said("msg_1", "Wind and **rain** in Malmö"), ANN)
        await store.add_thread_item("thr_2", answered("msg_2", "No rain.\nNone at all"), ANN)
        await store.add_thread_item("thr_2", said("msg_3", "RAIN!"), ANN)
        await store.add_thread_item("thr_3", said("msg_4", "A train"), ANN)
        await store.add_thread_item("thr_3", item("msg_5", "hidden rain"), ANN)
        first = ("thr_1", "msg_1", "Wind and [rain] in Malmö")
        assert await found(store, "rain") == [("thr_2", "msg_3", "[RAIN]!"), first]
        assert await found(store, "malmo rai") == [("thr_1", "msg_1", "Wind and [rai]n in [Malmö]")]
        assert await found(store, "rain hail") == []
        page = await store.search_threads("rain", 1, None, ANN)
        assert page.has_more
        rest = await store.search_threads("rain", 1, page.after, ANN)
        assert [each.item_id for each in rest.data] == ["msg_1"]
        assert not rest.has_more
        with pytest.raises(NotFoundError):
            await store.search_threads("rain", 1, "thr_9", ANN)
        with pytest.raises(ValueError, match="at least one"):
            await store.search_threads("rain", 0, None, ANN)

    async def test_what_is_found_is_what_is_there_now(self, store: SQLStore) -> None:
        await store.save_thread(thread(title="Alpha"), ANN)
        await store.add_thread_item("thr_1", said("msg_1", "beta"), ANN)
        await store.add_thread_item("thr_1", answered("msg_2", "gamma"), ANN)
        assert [row[1] for row in await found(store, "alpha")] == [None]
        await store.save_thread(thread(title="Delta"), ANN)
        await store.save_item("thr_1", said("msg_1", "epsilon"), ANN)
        await store.delete_thread_item("thr_1", "msg_2", ANN)
        assert [await found(store, word) for word in ("alpha", "beta", "gamma")] == [[], [], []]
        assert [row[1] for row in await found(store, "delta")] == [None]
        assert [row[1] for row in await found(store, "epsilon")] == ["msg_1"]
        await store.save_item("thr_1", said("msg_1", " "), ANN)
        await store.save_thread(thread(), ANN)
        assert await found(store, "epsilon") == await found(store, "delta") == []
        await store.save_item("thr_1", said("msg_1", "zeta"), ANN)
        await store.delete_thread("thr_1", ANN)
        await store.save_thread(thread(), ANN)
        assert await found(store, "zeta") == []

    async def test_turns_are_found_and_cut(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        turns = store.turns
        await store.leases.start()
        new = NewTurn(
            "ann", "thr_1", "run", store.leases.worker, turn_id="m1", item=said("m1", "eins")
        )
        lease = (await turns.begin(new)).lease
        named = ThreadChange(thread(), thread(title="Zahlen"))
        await turns.commit(lease, Writes(items=[answered("m2", "zwei")], thread=named))
        assert [await found(store, word) for word in ("eins", "zwei", "zahlen")] == [
            [("thr_1", "m1", "[eins]")],
            [("thr_1", "m2", "[zwei]")],
            [("thr_1", None, "")],
        ]
        await turns.commit(lease, Writes(end=TurnEnd("completed")))
        await turns.begin(replace(new, run="again", item=None, retry_after="m1"))
        assert await found(store, "zwei") == []
        assert len(await found(store, "eins")) == 1

    async def test_nothing_of_another_owner_is_found(self, store: SQLStore) -> None:
        await store.save_thread(thread(title="Secret"), ANN)
        await store.add_thread_item("thr_1", said("msg_1", "secret"), ANN)
        assert (await store.search_threads("secret", 20, None, BOB)).data == []
        with pytest.raises(NotFoundError):
            await store.search_threads("secret", 20, "thr_1", BOB)

    @pytest.mark.parametrize(
        "query",
        [
            *[
                "",
                " ",
                '"',
                "'",
                "* OR *",
                "a:*",
                "NEAR(",
                "\\",
                "%",
                "_",
                "\0",
                "\ud800",
                ")(&|!<->",
            ],
            "x" * 100_000,
            "'; DROP TABLE chatkit_items; --",
            " ".join(map(str, range(5000))),
        ],
    )
    async def test_a_query_may_be_anything(self, store: SQLStore, query: str) -> None:
        await store.save_thread(thread(), ANN)
        text = 'What is "there" * \' is not\0 \ud800'
        await store.add_thread_item("thr_1", said("msg_1", text), ANN)
        assert await found(store, query) == []
        assert len(await found(store, "there")) == 1

    async def test_words_of_any_language_are_found(self, store: SQLStore) -> None:
        texts = [
            "明日の東京都の天気は晴れです",
            "พรุ่งนี้ฝนตก",
            "Погода в Осло",
            "الطقس في أوسلو",
            "서울 날씨가 좋다",
        ]
        for number, text in enumerate(texts):
            await store.save_thread(thread(f"thr_{number}"), ANN)
            await store.add_thread_item(f"thr_{number}", said("msg", text), ANN)
        for query, thread_id, marked in (
            ("東京", "thr_0", "[東京]"),
            ("京都の天気", "thr_0", "[京都の天気]"),
            ("す", "thr_0", "[す]"),
            ("ｶﾞ", None, ""),
            ("ฝนตก", "thr_1", "[ฝนตก]"),
            ("осл", "thr_2", "[Осл]"),
            ("الطقس", "thr_3", "[الطقس]"),
            ("날씨", "thr_4", "[날씨]"),
        ):
            rows = await found(store, query)
            assert [row[0] for row in rows] == ([] if thread_id is None else [thread_id]), query
            assert all(marked in row[2] for row in rows), rows

    async def test_of_a_long_message_the_part_is_shown(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        text = "before " * 1000 + "needle " + "after " * 1000
        await store.add_thread_item("thr_1", said("msg_1", text), ANN)
        ((_, _, snippet),) = await found(store, "needle")
        assert snippet.startswith("…before ")
        assert "before [needle] after" in snippet
        assert snippet.endswith("…")
        assert len(snippet) < 250
        await store.add_thread_item(
            "thr_1", said("msg_2", "x" * 3_000_000 + " 漢字" * 300_000), ANN
        )
        assert len(await found(store, "xxx")) == 1

    async def test_a_newer_database_is_left_alone(self, store: SQLStore, url: str) -> None:
        await store.migrate()
        execute(url, f"UPDATE {VERSION_TABLE} SET version_num = 'v99'")
        async with SQLStore(url) as older:
            with pytest.raises(RuntimeError, match="newer version \\(v99\\)"):
                await older.check()

    async def test_every_statement_of_a_turn_uses_an_index(self, store: SQLStore, url: str) -> None:
        await store.save_thread(thread(), ANN)
        fill(url)
        statements: list[tuple[str, Any]] = []

        def record(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            statements.append((statement, parameters))

        event.listen(Engine, "before_cursor_execute", record)
        try:
            for order in ("asc", "desc"):
                page = await store.load_thread_items("thr_1", None, 20, order, ANN)
                await store.load_thread_items("thr_1", page.after, 20, order, ANN)
                await store.load_thread_items("thr_1", "i20000", 20, order, ANN)
                await store.load_threads(20, None, order, ANN)
                await store.load_threads(20, "t5000", order, ANN)
            await store.load_thread("thr_1", ANN)
            await store.load_item("thr_1", "i1", ANN)
            await store.save_thread(thread(title="x"), ANN)
            await store.save_thread(thread("thr_2"), ANN)
            await store.add_thread_item("thr_1", item("msg_1"), ANN)
            await store.save_item("thr_1", item("i20000"), ANN)
            await store.save_attachment(file("atc_1", "thr_1"), ANN)
            await store.load_attachment("atc_1", ANN)
            await store.reserve_attachment(file("atc_2"), BOB, max_files=1, max_stored=1)
            await store.sessions("thr_1", ANN).set("i1", AgentSession())
            await store.sessions("thr_1", ANN).get("i1")
            await store.add_messages("thr_1", "i1", [Message("user", ["x"])], ANN)
            await store.delete_messages("thr_1", "i1", ANN)
            async with store.turn("thr_1", ANN):
                pass
            await store.save_feedback("thr_1", ["i1"], "positive", ANN)
            await store.delete_thread_item("thr_1", "i1", ANN)
            await take_a_turn(store)
        finally:
            event.remove(Engine, "before_cursor_execute", record)
        assert len(statements) > 40
        explain = "EXPLAIN QUERY PLAN " if url.startswith("sqlite") else "EXPLAIN "
        # Of workers there are only as many as there are processes.
        scan = re.compile(
            r"\bSCAN (?!CONSTANT|chatkit_workers)|TEMP B-TREE|\bSort\b"
            r"|Seq Scan (?!on chatkit_workers)"
        )
        with engine_of(url) as engine, engine.connect() as connection:
            if not url.startswith("sqlite"):
                # It scans what is small, or all of one thread, even where there is an index.
                connection.exec_driver_sql("SET enable_seqscan = off")
            for statement, parameters in statements:
                if not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                    continue
                given = parameters[0] if isinstance(parameters, list) else parameters
                rows = connection.exec_driver_sql(explain + statement, given)
                plan = "\n".join(str(row[-1]) for row in rows)
                assert not scan.search(plan), f"{statement}\n{plan}"


async def take_a_turn(store: SQLStore) -> None:
    """Do with a thread what a turn does."""
    turns, log, owner = store.turns, store.log, ANN.user_id
    await store.leases.start()
    begun = await turns.begin(
        NewTurn(
            owner,
            "thr_1",
            "run",
            store.leases.worker,
            turn_id="msg_2",
            item=item("msg_2"),
            request_id="request",
            log=lambda _: LogRow(1, 1, "{}"),
        )
    )
    key, lease = begun.lease.key, begun.lease
    await log.read_stored(key, ReadRows(9000, 9000, 9000))
    await turns.append([(lease, LogRow(2, 2, "{}", "[]"))])
    writes = Writes(
        items=[item("msg_2"), item("msg_3")],
        removed=["msg_3"],
        thread=ThreadChange(thread(title="x"), thread(title="y")),
        messages=[StoredMessages("msg_2", "[]", 1)],
        session=("msg_2", "{}"),
        log=LogRow(3, 3, "{}"),
    )
    await turns.commit(lease, writes)
    await turns.commit(lease, Writes(log=LogRow(3, 3, "{}")), is_repeated=True)
    await turns.add("thr_1", owner, "other", replace(writes, session=None))
    await log.snapshot("thr_1", owner, 20, with_log=True)
    await log.read_log(key, 0)
    await log.find_in_log(key, "run", 2)
    await log.of_threads(["thr_1", "t1"], owner)
    await log.summary(key)
    await log.owners_of({key}, [owner])
    await log.find_request(owner, "request")
    await turns.claim("thr_1", owner, "msg_2", "page")
    (turn,) = await log.of_keys([key])
    await turns.ask_to_stop(turn)
    await log.orphans()
    await turns.commit(lease, Writes(log=LogRow(4, 4, "{}"), end=TurnEnd("completed")))


def numbers(url: str, count: int) -> str:
    """Return SQL for a table of the numbers from 1 on, in a column n."""
    if url.startswith("sqlite"):
        return (
            "(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t"
            f" WHERE n < {count}) SELECT n FROM t) AS t"
        )
    return f"generate_series(1, {count}) AS t(n)"


def fill(url: str) -> None:
    """Fill every table with so much that a scan would be a mistake."""
    one = "SELECT key FROM chatkit_threads WHERE id = 'thr_1'"
    many = numbers(url, 10_000)
    data = json.dumps({"type": "hologram"})
    session = json.dumps(AgentSession().to_dict())
    execute(
        url,
        f"INSERT INTO chatkit_owners SELECT 'o' || n, 0 FROM {many}",
        "INSERT INTO chatkit_threads (id, owner, position, last_position, active_at, data)"
        f" SELECT 't' || n, 'ann', n + 1, 0, 0, '{thread('t').model_dump_json()}' FROM {many}",
        "UPDATE chatkit_owners SET last_position = 20000 WHERE id = 'ann'",
        "UPDATE chatkit_threads SET last_position = 200000 WHERE id = 'thr_1'",
        "INSERT INTO chatkit_items (thread, position, id, data)"
        f" SELECT ({one}), n, 'i' || n, '{item('i').model_dump_json()}'"
        f" FROM {numbers(url, 50_000)}",
        "INSERT INTO chatkit_items (thread, position, id, data)"
        f" SELECT key, 1, 'i', '{data}' FROM chatkit_threads WHERE id <> 'thr_1'",
        f"INSERT INTO chatkit_sessions SELECT ({one}), 'i' || n, n, '{session}' FROM {many}",
        f"INSERT INTO chatkit_messages SELECT ({one}), n, 'i' || n, '[]', n FROM {many}",
        f"INSERT INTO chatkit_feedback SELECT ({one}), 'i' || n, 'positive' FROM {many}",
        "INSERT INTO chatkit_turns (thread, id, run, state, log_position, logged_at)"
        " SELECT key, '', '', '', 0, 0 FROM chatkit_threads",
        "INSERT INTO chatkit_events (thread, position, run, first, last, data)"
        f" SELECT ({one}), -n, 'r' || n, 1, 1, '{{}}' FROM {many}",
        "INSERT INTO chatkit_events (thread, position, run, first, last, data)"
        " SELECT key, 1, 'r', 1, 1, '{}' FROM chatkit_threads WHERE id <> 'thr_1'",
        "INSERT INTO chatkit_requests (owner, id, thread, turn, run, created_at)"
        " SELECT 'ann', 'r' || key, key, '', '', 0 FROM chatkit_threads",
        "INSERT INTO chatkit_attachments (id, owner, thread, created_at, data)"
        f" SELECT 'a' || n, 'ann', ({one}), 0, '' FROM {many}",
        "INSERT INTO chatkit_attachments (id, owner, created_at, data)"
        f" SELECT 'b' || n, 'o' || n, 0, '' FROM {many}",
        "ANALYZE",
    )
