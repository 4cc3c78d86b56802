"""Workflows that answer in a thread, over HTTP."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from agent_framework import (
    Executor,
    Message,
    Workflow,
    WorkflowBuilder,
    WorkflowContext,
    handler,
)
from agent_framework_orchestrations import (
    ConcurrentBuilder,
    GroupChatBuilder,
    GroupChatState,
    HandoffBuilder,
    SequentialBuilder,
)

from agent_framework_chatkit import AgentChatKitServer, ask_user
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, said, text
from ..chat_client import Browser, chat
from .shown import shown


async def test_speaker_and_step_are_visible() -> None:
    ann = agent([text("Draft")], name="ann")
    bob = agent([text("Better")], name="bob")
    workflow = WorkflowBuilder(start_executor=ann, output_from="all").add_edge(ann, bob).build()
    async with chat(workflow) as browser:
        await browser.ask("Write")
        items = await browser.items()
        assert shown(items) == [
            ("user_message", "Write"),
            ("steps", "Ann"),
            ("assistant_message", "Draft"),
            ("steps", "Bob"),
            ("assistant_message", "Better"),
        ]
        assert [task["status_indicator"] for task in items[1]["workflow"]["tasks"]] == ["complete"]


async def test_messages_of_concurrent_steps_stay_whole() -> None:
    turns = [asyncio.Event() for _ in range(3)]

    def wait(number: int) -> Any:
        return turns[number].wait

    async def go(number: int) -> None:
        turns[number].set()

    ann = agent([text("A1 "), lambda: go(0), wait(1), text("A2 "), lambda: go(2)], name="ann")
    bob = agent([wait(0), text("B1 "), lambda: go(1), wait(2), text("B2 ")], name="bob")
    workflow = ConcurrentBuilder(participants=[ann, bob], output_from=[ann, bob]).build()
    async with chat(workflow) as browser:
        await browser.ask("Both")
        # The workflow's own output comes last.
        assert shown(await browser.items())[1:-1] == [
            ("steps", "Ann"),
            ("assistant_message", "A1 A2 "),
            ("steps", "Bob"),
            ("assistant_message", "B1 B2 "),
        ]


async def test_threads_are_isolated() -> None:
    ann: Any = agent(name="ann")
    builder = WorkflowBuilder(start_executor=ann)
    for given in (builder.build(), builder, builder.build().as_agent()):
        ann.client.messages = [[text("One")], [text("Two")], [text("Three")]]
        async with chat(given) as browser:
            await browser.ask("A secret")
            other = Browser(browser.app)
            async with other.http:
                await asyncio.gather(other.ask("Hello"), browser.ask("More"))
                assert "secret" not in str(await other.items())
        asked = [[text for _, text in said(ann, number)] for number in (-1, -2)]
        assert sorted(asked, key=len) == [["Hello"], ["A secret", "One", "More"]]


async def test_threads_are_isolated_in_workflow_within_workflow() -> None:
    questions = [{"question": "Which?"}]
    ann: Any = agent(
        [text("One")],
        [text("Two")],
        [text("Three")],
        [call("ask_user", questions=questions)],
        [text("Four")],
        name="ann",
        tools=[ask_user],
    )
    inner = SequentialBuilder(participants=[ann]).build().as_agent("inner")
    async with chat(SequentialBuilder(participants=[inner])) as browser:
        await browser.ask("A secret")
        other = Browser(browser.app)
        async with other.http:
            await asyncio.gather(other.ask("Hello"), browser.ask("More"))
            asked = [[text for _, text in said(ann, number)] for number in (-1, -2)]
            assert ["Hello"] in asked
            # An open request blocks no other thread.
            await browser.ask("Ask")
            await other.ask("And now?")
            assert (await other.transcript())[-1] == ("assistant_message", "Four")
            assert "secret" not in str(said(ann))


async def test_workflow_as_tool_needs_function_that_builds_it() -> None:
    ann: Any = agent([text("One")], [text("Two")], name="ann")

    def build(*_: Any) -> Any:
        inner = SequentialBuilder(participants=[ann]).build().as_agent("inner")
        task = "A secret" if len(ann.client.messages) == 2 else "Hello"
        return agent([call("inner", task=task)], [text("Yes.")], tools=[inner.as_tool()])

    async with SQLStore[Any]("sqlite://") as store:
        for shared in (build(), SequentialBuilder(participants=[build()])):
            with pytest.raises(TypeError, match="a function that builds the workflow"):
                AgentChatKitServer(shared, store)
    async with chat(build) as browser:
        await browser.ask("Remember a secret")
        other = Browser(browser.app)
        async with other.http:
            await other.ask("Hello")
    assert [text for _, text in said(ann)] == ["Hello"]


async def test_uncopyable_workflow_is_rejected_at_once() -> None:
    class Locked(Executor):
        def __init__(self) -> None:
            super().__init__("locked")
            self.lock = threading.Lock()

        @handler
        async def answer(self, messages: list[Message], ctx: WorkflowContext[Any, str]) -> None:
            await ctx.yield_output("Hi")

    def build(*_: Any) -> Workflow:
        return WorkflowBuilder(start_executor=Locked()).build()

    async with SQLStore[Any]("sqlite://") as store:
        with pytest.raises(TypeError, match="a function that builds it"):
            AgentChatKitServer(build(), store)
    async with chat(build) as browser:
        await browser.ask("Hello")
        assert (await browser.transcript())[-1] == ("assistant_message", "Hi")


async def test_handoff_continues_with_next_message() -> None:
    kept: Any = {"require_per_service_call_history_persistence": True}
    front = agent([call("handoff_to_billing")], name="front", **kept)
    billing = agent([text("Which invoice?")], [text("It is paid.")], name="billing", **kept)
    workflow = HandoffBuilder(participants=[front, billing]).with_start_agent(front).build()
    async with chat(workflow) as browser:
        await browser.ask("My invoice")
        assert (await browser.transcript())[-1] == ("assistant_message", "Which invoice?")
        await browser.ask("The last one")
        assert (await browser.transcript())[-1] == ("assistant_message", "It is paid.")
        names = [text for kind, text in shown(await browser.items()) if kind == "steps"]
        assert names == ["Front, Billing", "Billing"]
    assert said(billing)[-1] == ("user", "The last one")


async def test_group_chat() -> None:
    ann = agent([text("I say A")], name="ann")
    bob = agent([text("I say B")], name="bob")

    def choose(state: GroupChatState) -> str:
        return ["ann", "bob"][state.current_round % 2]

    workflow = GroupChatBuilder(
        participants=[ann, bob], selection_func=choose, max_rounds=2, output_from="all"
    ).build()
    async with chat(workflow) as browser:
        await browser.ask("Discuss")
        texts = shown(await browser.items())
        assert ("assistant_message", "I say A") in texts
        assert ("steps", "Bob") in texts
