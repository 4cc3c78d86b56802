"""Threads and items: their content, their order and their pages."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from agent_framework import AgentSession, Message
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
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

from agent_framework_chatkit.stores import SQLStore

from .stored import ANN, BOB, NOW, execute, file, ids, item, read_all, thread


class ItemsContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_thread_round_trip(self, store: SQLStore) -> None:
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

    async def test_thread_is_stored_without_items(self, store: SQLStore) -> None:
        whole = Thread(**thread().model_dump(), items=Page(data=[item("msg_1")]))
        await store.save_thread(whole, ANN)
        assert type(await store.load_thread("thr_1", ANN)) is ThreadMetadata
        assert ids(await store.load_thread_items("thr_1", None, 9, "asc", ANN)) == []

    async def test_threads_keep_insertion_order(self, store: SQLStore) -> None:
        for number in range(5):
            created_at = NOW - timedelta(hours=number // 2)
            await store.save_thread(thread(f"thr_{number}", created_at=created_at), ANN)
        await store.save_thread(thread("thr_0", title="again"), ANN)
        await store.save_thread(thread("thr_other"), BOB)
        first = await store.load_threads(3, None, "desc", ANN)
        assert ids(first) == ["thr_4", "thr_3", "thr_2"]
        assert first.has_more
        # The last item of the page is deleted, and a new one is added.
        await store.delete_thread("thr_2", ANN)
        await store.save_thread(thread("thr_5"), ANN)
        second = await store.load_threads(3, first.after, "desc", ANN)
        assert ids(second) == ["thr_1", "thr_0"]
        assert (second.has_more, second.after) == (False, None)
        assert ids(await store.load_threads(2, "thr_1", "asc", ANN)) == ["thr_3", "thr_4"]

    async def test_items_round_trip(self, store: SQLStore) -> None:
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
            # ChatKit parses a dynamic widget as its actual type.
            assert before == after or before.type == "widget"
            dumped = (each.model_dump(mode="json", exclude_none=True) for each in (before, after))
            assert next(dumped) == next(dumped)
        assert page.data[0].created_at.tzinfo is None

    async def test_large_item(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        large = item("msg_1", content="x" * 10_000_000)
        await store.add_thread_item("thr_1", large, ANN)
        assert await store.load_item("thr_1", "msg_1", ANN) == large

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    async def test_pages_join_to_whole_thread(self, store: SQLStore, size: int) -> None:
        await store.save_thread(thread(), ANN)
        names = [f"msg_{number}" for number in range(7)]
        for number, name in enumerate(names):
            # Some times are equal, and some decrease.
            created_at = NOW - timedelta(hours=number // 2)
            await store.add_thread_item("thr_1", item(name, created_at=created_at), ANN)
        assert await read_all(store, "asc", size) == names
        assert await read_all(store, "desc", size) == names[::-1]

    @pytest.mark.parametrize("method", ["add_thread_item", "save_item"])
    async def test_item_stored_again_keeps_position(self, store: SQLStore, method: str) -> None:
        await store.save_thread(thread(), ANN)
        save = getattr(store, method)
        for name in ("msg_1", "msg_2", "msg_3"):
            await save("thr_1", item(name), ANN)
        await save("thr_1", item("msg_2", content="new"), ANN)
        assert await read_all(store) == ["msg_1", "msg_2", "msg_3"]
        assert await store.load_item("thr_1", "msg_2", ANN) == item("msg_2", content="new")

    async def test_page_continues_after_changes(self, store: SQLStore) -> None:
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

    async def test_page_can_start_after_item(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for number in range(3):
            await store.add_thread_item("thr_1", item(f"msg_{number}"), ANN)
        page = await store.load_thread_items("thr_1", "msg_1", 9, "asc", ANN)
        assert ids(page) == ["msg_2"]
        with pytest.raises(NotFoundError):
            await store.load_thread_items("thr_1", "msg_9", 9, "asc", ANN)
        with pytest.raises(NotFoundError):
            await store.load_threads(9, "thr_9", "asc", ANN)

    async def test_invalid_page_is_rejected(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        with pytest.raises(ValueError, match="at least one"):
            await store.load_thread_items("thr_1", None, 0, "asc", ANN)
        with pytest.raises(ValueError, match="asc or desc"):
            await store.load_threads(1, None, "down", ANN)

    async def test_item_is_deleted_with_dependents(self, store: SQLStore) -> None:
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

    async def test_item_added_again_is_last(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for name in ("msg_1", "msg_2"):
            await store.add_thread_item("thr_1", item(name), ANN)
        await store.delete_thread_item("thr_1", "msg_1", ANN)
        await store.add_thread_item("thr_1", item("msg_1"), ANN)
        assert await read_all(store) == ["msg_2", "msg_1"]

    async def test_unreadable_items_are_skipped(
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
        # A page is full if there are more items.
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

    async def test_last_feedback_counts(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        for name in ("msg_1", "msg_2"):
            await store.add_thread_item("thr_1", item(name), ANN)
        await store.save_feedback("thr_1", ["msg_1", "msg_2", "msg_9", "msg_1"], "positive", ANN)
        await store.save_feedback("thr_1", ["msg_2"], "negative", ANN)
        await store.save_feedback("thr_1", [], "negative", ANN)
        assert await store.load_feedback("thr_1", ANN) == {"msg_1": "positive", "msg_2": "negative"}

    async def test_ids_are_random(self, store: SQLStore) -> None:
        made = {store.generate_item_id("message", thread(), ANN) for _ in range(1000)}
        assert len(made) == 1000
        assert all(re.fullmatch("msg_[0-9a-f]{32}", each) for each in made)
        assert re.fullmatch("thr_[0-9a-f]{32}", store.generate_thread_id(ANN))
