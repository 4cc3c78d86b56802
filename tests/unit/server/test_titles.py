"""Thread titles."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.server import titles
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ...fakes.scripted_agent import agent, forever, text
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


async def test_title_of_message_without_text_names_its_files() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any]("memory://", metadata=store, secret="s")
        browser = Browser(create_app(AgentChatKitServer(agent([text("Hi")]), store, files)))
        async with browser.http:
            await browser.get("threads.list")
            forms = [{"file": (name, b"x", "text/plain")} for name in ("plan.txt", "costs.txt")]
            sent = [await browser.http.post("/attachments", files=form) for form in forms]
            await browser.ask(" ", attachments=[each.json()["id"] for each in sent])
            thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
            assert thread["title"] == "plan.txt, costs.txt"


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


class Failing(AgentChatKitServer[Any]):
    """A server whose title fails at once."""

    error: BaseException

    def title(self, *_: Any) -> Any:
        raise self.error


class FailingLater(Failing):
    """A server whose title fails in the background."""

    async def title(self, *_: Any) -> Any:
        await asyncio.sleep(0)
        raise self.error


@pytest.mark.parametrize("server_class", [Failing, FailingLater])
@pytest.mark.parametrize(
    "error", [RuntimeError("no idea"), SystemExit("no idea"), asyncio.CancelledError("no idea")]
)
async def test_failed_title_loses_only_title(
    server_class: type[Failing], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = server_class(agent([text("Hi")]), store)
        server.error = error
        browser = Browser(create_app(server))
        await browser.ask("Hello")
        await server.settle()
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["turn"]["state"] == "completed"
        assert "title" not in thread
        await browser.http.aclose()
        await server.close()
    assert "Could not set the title" in caplog.text


@pytest.mark.parametrize("ignored", [KeyError, asyncio.CancelledError])
async def test_title_that_hangs_is_given_up(
    ignored: type[BaseException],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(titles, "TITLE_WITHIN", 0.01)

    class Server(AgentChatKitServer[Any]):
        async def title(self, *_: Any) -> str:
            with suppress(ignored):
                await forever()
            await forever()
            return ""

    async with SQLStore[Any]("sqlite://") as store:
        server = Server(agent([text("Hi")]), store)
        browser = Browser(create_app(server))
        await browser.ask("Hello")
        await server.settle()
        await browser.http.aclose()
        await server.close()
    assert "Could not set the title" in caplog.text
