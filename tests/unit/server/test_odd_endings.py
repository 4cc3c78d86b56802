"""Tools and agents that end in other ways than with a result or an ordinary exception."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agent_framework import tool
from chatkit.types import ThreadStreamEvent

from agent_framework_chatkit import AgentChatKitServer

from ...fakes.scripted_agent import agent, call, said, text
from ..answering import asked
from ..chat_client import Browser, chat, of_type


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


@pytest.mark.parametrize("leave", [exit_process, exit_process_later, raise_odd])
async def test_tool_that_exits_fails_alone(leave: Any) -> None:
    odd = tool(leave, approval_mode="never_require")
    answering = agent([call(leave.__name__)], [text("It failed.")], tools=[odd])
    async with chat(answering) as browser:
        await browser.ask("Report")
        assert (await browser.transcript())[-1] == ("assistant_message", "It failed.")
        assert [text for role, text in asked(answering) if role == "tool"] == [
            "Error: Function failed."
        ]


async def test_app_that_exits_fails_its_turn() -> None:
    class Leaving(AgentChatKitServer[Any]):
        async def respond(self, *given: Any) -> AsyncIterator[ThreadStreamEvent]:
            exit_process()
            yield  # type: ignore[misc] # an asynchronous generator

    async with chat(agent(), server_class=Leaving) as browser:
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
