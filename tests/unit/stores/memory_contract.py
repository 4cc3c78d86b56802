"""Agents' sessions and messages, and the app's secret."""

from __future__ import annotations

import pytest
from agent_framework import AgentSession, Content, Message

from agent_framework_chatkit.stores import SQLStore

from .stored import ANN, BOB, thread


class MemoryContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_session_round_trip(self, store: SQLStore) -> None:
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

    async def test_latest_session_is_last_stored(self, store: SQLStore) -> None:
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

    async def test_workers_share_secret(self, store: SQLStore, url: str) -> None:
        secret = await store.secret()
        assert len(secret) == 64
        assert await store.secret() == secret
        if url != "sqlite://":
            async with SQLStore(url) as other:
                assert await other.secret() == secret

    async def test_messages_keep_order(self, store: SQLStore) -> None:
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
