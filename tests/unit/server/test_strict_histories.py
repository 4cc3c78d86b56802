"""Messages to the model after unusual turns, wherever the agent's history is kept."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Content, InMemoryHistoryProvider

from ...fakes.scripted_agent import agent, call, look_up, text
from ...integration.providers.rules import check_strictest
from ..answering import Bank
from ..live_client import chat

KINDS = ["ours", "its own"]


def answering(kind: str, *messages: list[Any], tools: Any = ()) -> Any:
    own = [InMemoryHistoryProvider()] if kind == "its own" else []
    return agent(*messages, tools=tools, context_providers=own)


def problems(answering: Any) -> list[str]:
    return [each for messages in answering.client.asked for each in check_strictest(messages)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "unusual",
    [
        [[text(" \n")]],
        [[Content.from_text_reasoning(text="Hm.")]],
        [[RuntimeError("gone")]],
        [[text("Half"), RuntimeError("gone")]],
        [[call("look_up", key="k")], [RuntimeError("gone")]],
        [[call("look_up", key="k")], [text("")]],
    ],
)
async def test_model_gets_each_message_once_after_unusual_turn(kind: str, unusual: Any) -> None:
    others = [[text("Yes.")], [text("No.")]]
    asked = answering(kind, *unusual, *others, tools=[look_up])
    async with chat(asked) as client:
        for question in ("First", "Second", "Third"):
            await (await client.ask(question)).rest()
    assert problems(asked) == []
    received = str([message.text for message in asked.client.asked[-1]])
    assert [received.count(each) for each in ("First", "Second", "Third")] == [1, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
async def test_model_gets_all_results_after_approval(kind: str) -> None:
    bank = Bank()
    calls = [call("look_up", "c1", key="k"), call("pay", "c2", amount=1)]
    asked = answering(kind, calls, [text("Paid.")], [text("Yes.")], tools=[look_up, bank.pay])
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
        await (await client.ask("Really?")).rest()
    assert bank.paid == [1]
    assert problems(asked) == []
    results = [
        content.result
        for message in asked.client.asked[-1]
        for content in message.contents
        if content.type == "function_result"
    ]
    assert results == ["secret k", "paid 1"]
