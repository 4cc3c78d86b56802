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
