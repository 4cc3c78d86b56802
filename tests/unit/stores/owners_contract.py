"""The owners of threads, items and attachments."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from agent_framework import AgentSession, Message
from chatkit.store import NotFoundError

from agent_framework_chatkit.stores import SQLStore

from .stored import ANN, BOB, Context, file, ids, item, thread


class OwnersContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_other_owners_data_does_not_exist(self, store: SQLStore) -> None:
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
        # Existing rows cannot be taken over.
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

    async def test_owner_is_attribute_or_key(self, store: SQLStore) -> None:
        await store.save_thread(thread(), {"user_id": "ann"})
        assert await store.load_thread("thr_1", ANN) == thread()

    @pytest.mark.parametrize("context", [None, {}, object(), {"user_id": None}, {"user_id": 7}])
    async def test_owner_is_required(self, store: SQLStore, context: Any) -> None:
        with pytest.raises(TypeError, match="must know the owner"):
            await store.save_thread(thread(), context)
        with pytest.raises(TypeError, match="must know the owner"):
            await store.load_threads(1, None, "asc", context)

    async def test_owner_must_not_be_empty(self, store: SQLStore) -> None:
        with pytest.raises(ValueError, match="signed cookie"):
            await store.save_thread(thread(), {"user_id": ""})

    async def test_owners_and_ids_can_be_any_string(self, store: SQLStore) -> None:
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
