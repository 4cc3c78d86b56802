"""Turns that are cut short, of agents with a history provider of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from agent_framework import HistoryProvider, InMemoryHistoryProvider, Message, tool

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, look_up, text
from ...integration.providers.rules import check_strictest
from ..answering import Bank
from ..live_client import LiveClient, bury, chat


class Elsewhere(HistoryProvider):
    """Stores messages outside of the session."""

    def __init__(self) -> None:
        super().__init__("elsewhere")
        self.rows: list[str] = []

    async def get_messages(self, session_id: str | None, **given: Any) -> list[Message]:
        return [Message.from_dict(json.loads(row)) for row in self.rows]

    async def save_messages(
        self, session_id: str | None, messages: Sequence[Message], **given: Any
    ) -> None:
        self.rows += [json.dumps(message.to_dict(), default=str) for message in messages]


def calls_and_results(messages: Sequence[Message]) -> list[str]:
    """Return the IDs of the calls, and the results."""
    contents = [content for message in messages for content in message.contents]
    return [
        str(content.call_id if content.type == "function_call" else content.result)
        for content in contents
        if content.type in ("function_call", "function_result")
    ]


@pytest.fixture(params=[False, True], ids=["at the end", "after each model call"])
def own(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return properties of an agent that saves its messages at these times."""
    return {
        "context_providers": [Elsewhere()],
        "require_per_service_call_history_persistence": request.param,
    }


async def test_result_of_approved_call_is_kept_if_model_fails(own: dict[str, Any]) -> None:
    bank = Bank()
    both = [call("look_up", "c1", key="k"), call("pay", "c2", amount=1)]
    asked: Any = agent(
        both, [RuntimeError("gone")], [text("Yes.")], tools=[look_up, bank.pay], **own
    )
    async with chat(asked) as client:
        await (await client.ask("Pay")).rest()
        (card,) = [item for item in await client.items() if item["type"] == "widget"]
        decided = await client.send(
            "threads.custom_action",
            thread_id=client.thread_id,
            item_id=card["id"],
            action=card["widget"]["confirm"]["action"],
        )
        await decided.rest()
        await (await client.ask("And now?")).rest()
    assert bank.paid == [1]
    assert calls_and_results(asked.client.asked[-1]) == ["c1", "c2", "secret k", "paid 1"]
    assert check_strictest(asked.client.asked[-1]) == []


async def test_messages_are_kept_once_if_turns_are_cut_short(own: dict[str, Any]) -> None:
    has_started = asyncio.Event()

    @tool(approval_mode="never_require")
    async def order() -> str:
        """Order something."""
        has_started.set()
        await asyncio.Event().wait()
        return "ordered"

    asked: Any = agent(
        [RuntimeError("gone")],
        [call("look_up", "c1", key="k")],
        [call("order", "c2")],
        [text("Yes.")],
        tools=[look_up, order],
        **own,
    )
    async with chat(asked) as client:
        await (await client.ask("First")).rest()
        asking = await client.ask("Second")
        await asking.next()
        await has_started.wait()
        assert await client.stop() == "stopped"
        await asking.rest()
        await (await client.ask("Third")).rest()
    received = asked.client.asked[-1]
    first, result, second, outcome = calls_and_results(received)
    assert (first, result, second) == ("c1", "secret k", "c2")
    assert "its effect is unknown" in outcome
    assert check_strictest(received) == []
    told = str([message.text for message in received])
    assert [told.count(each) for each in ("First", "Second", "Third")] == [1, 1, 1]


@pytest.mark.parametrize("is_in_session", [False, True])
async def test_messages_are_kept_once_if_worker_dies(
    own: dict[str, Any], is_in_session: bool, tmp_path: Path
) -> None:
    has_started = asyncio.Event()

    @tool(approval_mode="never_require")
    async def order() -> str:
        """Order something."""
        has_started.set()
        await asyncio.Event().wait()
        return "ordered"

    if is_in_session:
        own = {**own, "context_providers": [InMemoryHistoryProvider()]}
    asked: Any = agent(
        [text("Hello.")],
        [call("look_up", "c1", key="k")],
        [call("order", "c2")],
        [text("Yes.")],
        [text("No.")],
        tools=[look_up, order],
        **own,
    )
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        dying, other = AgentChatKitServer(asked, one), AgentChatKitServer(asked, two)
        client = LiveClient(dying)
        await (await client.ask("First")).rest()
        asking = await client.ask("Second")
        await asking.next()
        await has_started.wait()
        client.server = other
        await bury(one, two)
        for question in ("Third", "Fourth"):
            await (await client.ask(question)).rest()
            received = asked.client.asked[-1]
            first, result, second, outcome = calls_and_results(received)
            assert (first, result, second) == ("c1", "secret k", "c2")
            assert "its effect is unknown" in outcome
            assert check_strictest(received) == []
        told = str([message.text for message in received])
        expected = ("First", "Second", "Third", "Fourth")
        assert [told.count(each) for each in expected] == [1, 1, 1, 1]
        await dying.close(grace=0)
        await other.close(grace=0)
