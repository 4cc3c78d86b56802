"""Attachments, and deletion with a thread or by age."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from agent_framework import AgentSession, Message
from chatkit.store import NotFoundError
from chatkit.types import (
    Page,
)

from agent_framework_chatkit.stores import Purged, SQLStore
from agent_framework_chatkit.stores.sql.turn_rows import NewTurn

from .stored import ANN, BOB, execute, file, ids, item, numbers, thread


class DeletionContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_attachment_round_trip(self, store: SQLStore) -> None:
        saved = file("atc_1")
        saved.metadata = {"key": "s3://x"}
        await store.save_attachment(saved, ANN)
        assert await store.load_attachment("atc_1", ANN) == saved
        await store.save_thread(thread(), ANN)
        await store.save_attachment(file("atc_1", "thr_1"), ANN)
        assert await store.load_attachment("atc_1", ANN) == file("atc_1", "thr_1")
        # A slow request loaded it before it was sent.
        await store.save_attachment(file("atc_1"), ANN)
        assert await store.load_attachment("atc_1", ANN) == file("atc_1", "thr_1")
        await store.delete_attachment("atc_1", ANN)
        with pytest.raises(NotFoundError):
            await store.load_attachment("atc_1", ANN)
        with pytest.raises(NotFoundError):
            await store.delete_attachment("atc_1", ANN)

    async def test_request_outlives_its_thread(self, store: SQLStore, url: str) -> None:
        new = NewTurn(
            ANN.user_id,
            "thr_1",
            "run",
            "worker",
            turn_id="msg_1",
            new_thread=thread(),
            request_id="r1",
            request_digest="d1",
        )
        await store.turns.begin(new)
        await store.delete_thread("thr_1", ANN)
        for _ in range(2):
            with pytest.raises(NotFoundError, match="deleted"):
                await store.turns.begin(replace(new, run="run 2"))
        with pytest.raises(NotFoundError):
            await store.load_thread("thr_1", ANN)
        assert execute(url, "SELECT thread, digest FROM chatkit_requests") == [(None, None)]

    async def test_thread_is_deleted_with_everything_in_it(self, store: SQLStore, url: str) -> None:
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
        # The same ID is now a new, empty thread.
        await store.save_thread(thread("thr_1"), BOB)
        assert await store.load_messages("thr_1", BOB) == []

    async def test_old_threads_are_deleted(self, store: SQLStore, url: str) -> None:
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
        # Nothing is left of an owner without data.
        assert execute(url, "SELECT id FROM chatkit_owners") == [("ann",)]
        assert await store.purge(timedelta(days=30)) == Purged(threads=0, attachments=0)

    async def test_many_threads_are_deleted(self, store: SQLStore, url: str) -> None:
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
