"""Thread titles."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import Browser, chat


@pytest.mark.parametrize(
    ("asked", "title"), [("  Hello\n you ", "Hello you"), ("x" * 99, "x" * 59 + "…")]
)
async def test_title_is_the_first_message(asked: str, title: str) -> None:
    async with chat(agent([text("Hi")], [text("Hi")])) as browser:
        await browser.ask(asked)
        await browser.ask("More")
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["title"] == title


async def test_slow_title_does_not_delay_answer() -> None:
    may_go_on = asyncio.Event()

    class Server(AgentChatKitServer[Any]):
        async def title(self, thread: Any, message: Any, context: Any) -> str:
            await may_go_on.wait()
            return "A title"

    async with SQLStore[Any]("sqlite://") as store:
        server = Server(agent([text("Hi")]), store)
        browser = Browser(create_app(server))
        await browser.ask("Hello")
        may_go_on.set()
        await server.settle()
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["title"] == "A title"
        await browser.http.aclose()


async def test_failed_title_loses_only_title(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Server(AgentChatKitServer[Any]):
        async def title(self, thread: Any, message: Any, context: Any) -> str:
            raise RuntimeError("no idea")

    async with chat(agent([text("Hi")]), server_class=Server) as browser:
        await browser.ask("Hello")
        assert ("assistant_message", "Hi") in await browser.transcript()
    assert "no idea" in caplog.text
