"""Tools and agents that end in other ways than with a result or an ordinary exception."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agent_framework import (
    AgentResponseUpdate,
    BaseAgent,
    Content,
    FunctionInvocationContext,
    Message,
    tool,
)
from chatkit.types import ThreadMetadata, ThreadStreamEvent
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import AgentChatKitServer, ThreadContext, stream_agent_response

from ...fakes.scripted_agent import agent, call, said, text
from ...integration.providers.rules import check_strictest
from ..answering import asked
from ..chat_client import Browser, chat, message, of_type
from ..live_client import Gate, LiveClient
from ..live_client import chat as live_chat


async def cancel_something() -> str:
    """Wait for something that is cancelled."""
    waiting = asyncio.ensure_future(asyncio.Event().wait())
    waiting.cancel()
    await waiting
    return "done"


def exit_process() -> str:
    """Leave, as a program does."""
    sys.exit("usage: report [--all]")


async def exit_process_later() -> str:
    """Leave, as a program does."""
    await asyncio.sleep(0)
    sys.exit(2)


class Odd(BaseException):
    """Stands for errors that are no `Exception`, such as a group that holds a cancellation."""


async def raise_odd() -> str:
    """Raise it."""
    raise Odd


def exhaust() -> str:
    """Look for something that does not exist."""
    return next(name for name in ("one", "two") if name == "three")


async def exhaust_later() -> str:
    """Look for something that does not exist."""
    return exhaust()


def close_generator() -> str:
    """End, as a generator does."""
    raise GeneratorExit


def cancel_itself() -> str:
    """Raise what only a task should."""
    raise asyncio.CancelledError


class Exhausted:
    """A callable that is not a function."""

    __name__ = "exhausted"

    def __call__(self) -> str:
        return exhaust()


async def state(browser: Browser) -> str:
    thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
    return str(thread["turn"]["state"])


@pytest.mark.parametrize(
    "first", [call("cancel_something"), cancel_something, raise_odd], ids=["tool", "model", "odd"]
)
async def test_turn_that_cancels_itself_fails(first: Any) -> None:
    odd = tool(cancel_something, approval_mode="never_require")
    answering = agent([first], [text("Yes.")], tools=[odd])
    async with chat(answering) as browser:
        assert of_type(await browser.ask("Report"), "error")
        assert await state(browser) == "failed"
        await browser.ask("And now?")
        told = "\n".join(text for _, text in said(answering))
        assert "The previous answer failed before it was complete." in told
        assert "The user cancelled" not in told
        assert await state(browser) == "completed"


@pytest.mark.parametrize(
    "leave",
    [
        exit_process,
        exit_process_later,
        raise_odd,
        exhaust,
        exhaust_later,
        Exhausted(),
        close_generator,
        cancel_itself,
    ],
)
async def test_tool_that_exits_fails_alone(leave: Any) -> None:
    odd = tool(leave, approval_mode="never_require")
    answering = agent([call(leave.__name__)], [text("It failed.")], tools=[odd])
    async with chat(answering, time_limit=10) as browser:
        await browser.ask("Report")
        assert (await browser.transcript())[-1] == ("assistant_message", "It failed.")
        assert [text for role, text in asked(answering) if role == "tool"] == [
            "Error: Function failed."
        ]


class Leaving(AgentChatKitServer[Any]):
    async def respond(self, *given: Any) -> AsyncIterator[ThreadStreamEvent]:
        exit_process()
        yield  # type: ignore[misc] # an asynchronous generator


class Wrapping(AgentChatKitServer[Any]):
    async def respond(self, *given: Any) -> AsyncIterator[ThreadStreamEvent]:
        async for event in super().respond(*given):
            yield event


class Bridging(AgentChatKitServer[Any]):
    async def respond(
        self, thread: ThreadMetadata, message: Any, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        given = ThreadContext(thread=thread, store=self.store, request_context=context)
        answering: Any = await self.agent_of(thread, context)
        updates = answering.run([], stream=True)
        async for event in stream_agent_response(updates, thread.id, context=given):
            yield event


@pytest.mark.parametrize("server_class", [AgentChatKitServer, Leaving, Wrapping, Bridging])
async def test_app_that_exits_fails_its_turn(server_class: Any) -> None:
    async with chat(agent([exit_process_later]), server_class=server_class) as browser:
        assert of_type(await browser.ask("Report"), "error")
        assert await state(browser) == "failed"


class IndescribableError(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        raise LookupError("text")


class GuardedError(Exception):
    """An error whose attributes cannot be read."""

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class NestedError(Exception):
    """An error that is too deeply nested for its text."""

    def __str__(self) -> str:
        return str(self)


def raise_it(kind: type[Exception]) -> None:
    raise kind


@pytest.mark.parametrize("odd", [IndescribableError, GuardedError, NestedError])
async def test_turn_ends_whatever_error_a_model_raises(odd: Any) -> None:
    answering = agent([text("Half"), odd()], [text("Yes.")])
    async with chat(answering) as browser:
        assert of_type(await browser.ask("Report"), "error")
        assert await state(browser) == "failed"
        await browser.ask("And now?")
        assert await state(browser) == "completed"


@pytest.mark.parametrize("odd", [IndescribableError, GuardedError, NestedError])
async def test_turn_ends_whatever_error_an_app_raises(odd: Any) -> None:
    class Failing(AgentChatKitServer[Any]):
        async def respond(self, *given: Any) -> AsyncIterator[ThreadStreamEvent]:
            raise_it(odd)
            yield  # type: ignore[misc] # an asynchronous generator

    async with chat(agent(), server_class=Failing) as browser:
        assert of_type(await browser.ask("Report"), "error")
        assert await state(browser) == "failed"


@pytest.mark.parametrize("odd", [IndescribableError, GuardedError, NestedError])
async def test_tool_fails_alone_whatever_error_it_raises(odd: Any) -> None:
    @tool(approval_mode="never_require")
    def report() -> str:
        raise_it(odd)
        return ""

    answering = agent([call("report")], [text("It failed.")], tools=[report])
    async with chat(answering) as browser:
        await browser.ask("Report")
        assert await state(browser) == "completed"
        assert (await browser.transcript())[-1] == ("assistant_message", "It failed.")


async def test_model_receives_valid_text_from_tools() -> None:
    @tool(approval_mode="never_require")
    def report() -> str:
        return "half \ud83d"

    answering = agent([call("report")], [text("Yes.")], tools=[report])
    async with chat(answering) as browser:
        await browser.ask("Report")
    assert [text for role, text in asked(answering) if role == "tool"] == ["half \ufffd"]


class Mute:
    """A value without a text."""

    def __str__(self) -> str:
        raise LookupError("text")


def says_in_circles() -> Content:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    return Content.from_text("Hello", additional_properties=circle)


def says_a_number() -> Content:
    content = Content.from_text("5")
    content.text = 5  # type: ignore[assignment]
    return content


class OddAgent(BaseAgent):
    """An agent that sends one content, and then ordinary answers.

    Args:
        content: The content.
        role: Its message's role.
    """

    def __init__(self, content: Content, role: str = "assistant") -> None:
        super().__init__(name="odd")
        self.updates = [AgentResponseUpdate(contents=[content], role=role)]
        self.asked: list[list[Message]] = []

    async def run(self, messages: Any, **_: Any) -> AsyncIterator[AgentResponseUpdate]:
        self.asked.append(list(messages))
        yield AgentResponseUpdate(contents=[text("So: ")], role="assistant")
        for update in self.updates:
            yield update
        self.updates = []


@pytest.mark.parametrize(
    ("content", "role"),
    [
        (says_a_number(), "assistant"),
        (Content.from_function_call("c1", "look", arguments={"at": Mute()}), "assistant"),
        (Content.from_function_call(5, "look", arguments="{}"), "assistant"),  # type: ignore[arg-type]
        (Content.from_text("Hello", additional_properties={(1, 2): 3}), "assistant"),  # type: ignore[dict-item]
        (text("Hello"), "wizard"),
    ],
    ids=["number as text", "mute value", "number as call ID", "key", "role"],
)
async def test_thread_goes_on_after_odd_update(content: Content, role: str) -> None:
    odd = OddAgent(content, role)
    async with chat(odd) as browser:
        for question in ("First", "Second", "Third"):
            await browser.ask(question)
        assert await state(browser) == "completed"
    assert check_strictest(odd.asked[-1]) == []
    received = str([message.text for message in odd.asked[-1]])
    assert [received.count(each) for each in ("First", "Second", "Third")] == [1, 1, 1]


async def test_turn_that_cannot_be_stored_fails_alone() -> None:
    gate = Gate()
    odd = OddAgent(says_in_circles())
    other = agent([text("Half "), gate, text("whole")])
    answering = {"odd": lambda *_: odd, "other": lambda *_: other}
    async with live_chat(answering) as client:
        second = LiveClient(client.server)
        second_asking = await second.send(
            "threads.create",
            {"detached": True},
            input=message("Hello", inference_options={"model": "other"}),
        )
        await second_asking.text("Half")
        failing = await client.send(
            "threads.create",
            {"detached": True},
            input=message("Hello", inference_options={"model": "odd"}),
        )
        await failing.until("error")
        await failing.rest()
        gate.may_go_on.set()
        await second_asking.rest()
        assert second_asking.answer == "Half whole"


async def test_tool_that_runs_on_after_its_turn_shows_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    may_go_on = asyncio.Event()
    running: list[asyncio.Task[None]] = []

    async def show(context: ThreadContext[Any]) -> None:
        await may_go_on.wait()
        await context.stream_progress("Still looking")
        await context.stream_widget(DynamicWidgetRoot(type="Card", children=[]))

    @tool(approval_mode="never_require")
    async def look_around(ctx: FunctionInvocationContext) -> str:
        """Look around."""
        running.append(asyncio.create_task(show(ThreadContext.of(ctx))))
        return "Later."

    gate = Gate()
    answering = agent(
        [call("look_around")], [gate, text("Soon.")], [text("Yes.")], tools=[look_around]
    )
    async with live_chat(answering) as client:
        asking = await client.ask("What is there?")
        await gate.is_reached.wait()
        follower = await client.follow()
        await follower.until("thread.state")
        gate.may_go_on.set()
        await asking.rest()
        await follower.until("turn.updated")
        may_go_on.set()
        await running[0]
        await (await client.ask("And now?")).rest()
        new = await follower.next()
        assert new is not None
        assert new["type"] == "thread.item.done"
        assert new["item"]["content"][0]["text"] == "And now?"
    assert "came after the end of its run" in caplog.text
