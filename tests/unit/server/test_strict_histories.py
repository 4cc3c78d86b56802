"""Messages to the model after unusual turns, wherever the agent's history is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from agent_framework import Content, InMemoryHistoryProvider, Message
from agent_framework_orchestrations import SequentialBuilder
from chatkit.types import AssistantMessageContent, AssistantMessageItem, ThreadMetadata

from ...fakes.scripted_agent import agent, call, look_up, text
from ...integration.providers.rules import check_strictest
from ..answering import Bank
from ..live_client import chat

KINDS = ["ours", "its own"]


def answering(kind: str, *messages: list[Any], **properties: Any) -> Any:
    own = [InMemoryHistoryProvider()] if kind == "its own" else []
    return agent(*messages, context_providers=own, **properties)


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


@pytest.mark.parametrize("kind", [*KINDS, "workflow"])
async def test_assistant_may_start_the_conversation(kind: str) -> None:
    asked = answering(kind, [text("Yes.")], [RuntimeError("gone")], [text("No.")], name="host")
    workflow = SequentialBuilder(participants=[asked]).build()
    async with chat(workflow if kind == "workflow" else asked) as client:
        client.thread_id = "thr_1"
        now = datetime.now()
        thread = ThreadMetadata(id="thr_1", created_at=now)
        await client.server.store.save_thread(thread, client.context)
        greeting = AssistantMessageItem(
            id="msg_1",
            thread_id="thr_1",
            created_at=now,
            content=[AssistantMessageContent(text="Welcome!")],
        )
        await client.server.add_items("thr_1", [greeting], client.context)
        for question in ("First", "Second", "Third"):
            await (await client.ask(question)).rest()
    assert problems(asked) == []
    assert [message.text for message in asked.client.asked[-1]][1] == "Welcome!"


async def test_code_may_speak_for_the_assistant() -> None:
    asked = answering("ours", [text("Yes.")], [text("It is noon.")], [text("No.")])
    async with chat(asked) as client:
        await (await client.ask("First")).rest()
        note = Message("assistant", ["I will tell you at noon."])
        following = await client.follow()
        await following.until("thread.state")
        await client.server.start_turn(client.thread_id, note, client.context)
        while (await following.until("turn.updated"))["turn"]["state"] == "running":
            pass
        await (await client.ask("Second")).rest()
    assert problems(asked) == []
    assert "at noon" in asked.client.asked[-1][1].text


async def test_agents_of_a_workflow_may_speak_one_after_another() -> None:
    names = ("ann", "bob", "cid")
    agents = [
        agent([text(f"{name} 1")], [text(f"{name} 2")], name=name, description=name)
        for name in names
    ]
    workflow = SequentialBuilder(participants=list(agents)).build()
    async with chat(workflow) as client:
        for question in ("First", "Second"):
            await (await client.ask(question)).rest()
    assert [each for asked in agents for each in problems(asked)] == []
    cid: Any = agents[-1].client
    assert [(each.role, each.text) for each in cid.asked[-1]] == [
        ("user", "First"),
        ("assistant", "cid 1"),
        ("user", "Second"),
        ("assistant", "ann: ann 2\n\nbob: bob 2"),
    ]
