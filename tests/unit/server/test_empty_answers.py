"""Answers that show nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from agent_framework import (
    AgentResponseUpdate,
    BaseAgent,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    executor,
)
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)

from agent_framework_chatkit import AgentChatKitServer, ClientToolCall, ThreadContext

from ...fakes.scripted_agent import agent
from ..chat_client import chat
from ..live_client import Gate
from ..live_client import chat as live_chat

Step = Callable[[ThreadContext[Any]], Awaitable[None]]


class SilentAgent(BaseAgent):
    """An agent that sends no update.

    Args:
        step: What it does instead.
    """

    def __init__(self, step: Step | None = None) -> None:
        super().__init__(name="silent")
        self.step = step

    async def run(
        self, messages: Any, *, function_invocation_kwargs: Any, **_: Any
    ) -> AsyncIterator[AgentResponseUpdate]:
        if self.step is not None:
            await self.step(function_invocation_kwargs["agent_context"])
        none: list[AgentResponseUpdate] = []
        for update in none:
            yield update


@executor(id="ignore")
async def ignore(messages: list[Message], ctx: WorkflowContext) -> None:
    """Send no output. Steps that are functions are not shown."""


def note(thread: ThreadMetadata) -> AssistantMessageItem:
    return AssistantMessageItem(
        id="note",
        thread_id=thread.id,
        created_at=datetime.now(),
        content=[AssistantMessageContent(text="A note")],
    )


@pytest.mark.parametrize(
    "answering",
    [SilentAgent(), agent([], []), WorkflowBuilder(start_executor=ignore)],
    ids=["agent", "model", "workflow"],
)
async def test_answer_without_updates_is_an_empty_message(answering: Any) -> None:
    async with chat(answering) as browser:
        for _ in range(2):
            events = await browser.ask("Hello")
            added, done = (each for each in events if "assistant" in str(each))
            assert (added.type, done.type) == ("thread.item.added", "thread.item.done")
            assert added.item.id == done.item.id
        empty = [("user_message", "Hello"), ("assistant_message", "")]
        assert await browser.transcript() == empty * 2


class Wrapping(AgentChatKitServer[Any]):
    """A server that shows the agent's answer as it is."""

    async def respond(self, *given: Any) -> AsyncIterator[ThreadStreamEvent]:
        async for event in super().respond(*given):
            yield event


class Noting(AgentChatKitServer[Any]):
    """A server that shows a note before the agent's answer."""

    async def respond(
        self, thread: ThreadMetadata, *given: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        yield ThreadItemDoneEvent(item=note(thread))
        async for event in super().respond(thread, *given):
            yield event


@pytest.mark.parametrize(("server_class", "shown"), [(Wrapping, ""), (Noting, "A note")])
async def test_own_respond_shows_its_own_items_or_an_empty_message(
    server_class: Any, shown: str
) -> None:
    async with chat(SilentAgent(), server_class=server_class) as browser:
        await browser.ask("Hello")
        assert (await browser.transcript())[1:] == [("assistant_message", shown)]


async def add_note(context: ThreadContext[Any]) -> None:
    await context.stream(ThreadItemDoneEvent(item=note(context.thread)))


async def add_context(context: ThreadContext[Any]) -> None:
    await context.add_hidden_context("It is nine.")


async def call_page(context: ThreadContext[Any]) -> None:
    context.client_tool_call = ClientToolCall("locate", {})


async def fail(context: ThreadContext[Any]) -> None:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (add_note, [("assistant_message", "A note")]),
        (add_context, [("assistant_message", "")]),
        (call_page, [("client_tool_call", "")]),
        (fail, []),
    ],
)
async def test_empty_message_is_only_shown_if_nothing_else_is(
    step: Step, shown: list[tuple[str, str]]
) -> None:
    async with chat(SilentAgent(step)) as browser:
        await browser.ask("Hello")
        assert (await browser.transcript())[1:] == shown


async def test_no_empty_message_follows_a_stop() -> None:
    gate = Gate()

    async def ignore_stop(context: ThreadContext[Any]) -> None:
        with suppress(asyncio.CancelledError):
            await gate()

    async with live_chat(SilentAgent(ignore_stop)) as client:
        await client.ask("Hello")
        await gate.is_reached.wait()
        assert await client.stop() == "stopped"
        assert [item["type"] for item in await client.items()] == ["user_message", "end_of_turn"]
