"""Turns that outlive the request that started them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
)

from agent_framework_chatkit import AgentChatKitServer

from ...fakes.scripted_agent import agent, text
from ..live_client import Gate, chat, settled


async def test_answer_continues_without_client() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate, text("answer")])) as client:
        asking = await client.ask("Hello")
        await asking.text("Half an ")
        await asking.close()
        gate.may_go_on.set()
        assert await settled(client) == "completed"
        assert await client.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Half an answer"),
        ]


async def test_disconnect_of_plain_client_stops_answer() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate, text("answer")])) as client:
        asking = await client.ask("Hello", detached=False)
        await asking.text("Half an ")
        assert asking.ids == []
        await asking.close()
        assert (await client.turn())["state"] == "stopped"
        assert [kind for kind, _ in await client.transcript()] == [
            "user_message",
            "assistant_message",
            "end_of_turn",
        ]


async def test_server_without_detached_cannot_be_followed() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate]), detached=False) as client:
        asking = await client.ask("Hello")
        assert "can_follow" not in asking.seen[0]
        await asking.text("Half an ")
        await asking.close()
        assert (await client.turn())["state"] == "stopped"
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert "can_follow" not in thread
        with pytest.raises(NotImplementedError, match="detached"):
            await (await client.follow()).next()


async def test_client_learns_that_it_can_follow() -> None:
    async with chat(agent([text("Hi")])) as client:
        asking = await client.ask("Hello")
        assert asking.seen[0]["can_follow"] is True
        await asking.rest()
        assert all("can_follow" not in event for event in asking.seen[1:])
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert thread["can_follow"] is True
        assert thread["turn"]["state"] == "completed"
        (listed,) = (await client.send("threads.list"))["data"]
        assert listed["turn"] == thread["turn"]


async def test_overridden_respond_can_be_followed() -> None:
    gate = Gate()

    class Server(AgentChatKitServer[Any]):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            item = AssistantMessageItem(
                id="msg_own", thread_id=thread.id, created_at=datetime.now(), content=[]
            )
            yield ThreadItemAddedEvent(item=item)
            await gate()
            item.content.append(AssistantMessageContent(text="Mine."))
            yield ThreadItemDoneEvent(item=item)

    async with chat(agent(), server_class=Server) as client:
        asking = await client.ask("Hello")
        await gate.is_reached.wait()
        following = await client.follow()
        state = await following.until("thread.state")
        assert [item["id"] for item in state["open_items"]] == ["msg_own"]
        gate.may_go_on.set()
        await following.until("turn.updated")
        await asking.rest()
        assert await client.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Mine."),
        ]


async def test_detached_turn_has_its_own_context() -> None:
    contexts: list[Any] = []

    class Server(AgentChatKitServer[Any]):
        def detached_context(self, context: Any) -> Any:
            return {**context, "is_detached": True}

        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            contexts.append(context)
            async for event in super().respond(thread, input_user_message, context):
                yield event

    async with chat(agent([text("One")], [text("Two")]), server_class=Server) as client:
        await (await client.ask("Hello")).rest()
        await (await client.ask("Hello", detached=False)).rest()
    assert [context.get("is_detached") for context in contexts] == [True, None]
