"""An agent's input in a turn, and its memory of earlier turns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    tool,
)
from chatkit.types import (
    HiddenContextItem,
)

from agent_framework_chatkit import (
    AgentChatKitServer,
)

from ...fakes.scripted_agent import agent, call, look_up, said, text
from ..chat_client import Browser, chat, of_type
from ..live_client import chat as live_chat


async def test_retry_after_failure_knows_earlier_calls() -> None:
    orders: list[str] = []

    @tool(approval_mode="never_require")
    def order(what: str) -> str:
        """Order something."""
        orders.append(what)
        return f"{what} is ordered"

    answering = agent(
        [call("order", what="tea")], [RuntimeError("gone")], [text("Yes.")], tools=[order]
    )
    async with live_chat(answering) as client:
        await (await client.ask("Order tea")).rest()
        assert (await client.turn())["state"] == "failed"
        question = (await client.items())[0]
        retried = await client.send(
            "threads.retry_after_item", thread_id=client.thread_id, item_id=question["id"]
        )
        await retried.rest()
        ((role, received),) = said(answering)
        assert role == "user"
        assert '"what": "tea"' in received
        assert "tea is ordered" in received
        assert received.endswith("Order tea")
    assert orders == ["tea"]


async def test_later_turn_knows_earlier_tool_calls() -> None:
    answering = agent(
        [call("look_up", key="x")], [text("Found.")], [text("It was x.")], tools=[look_up]
    )
    async with chat(answering) as browser:
        await browser.ask("Look up x")
        await browser.ask("What was it?")
    assert said(answering) == [
        ("user", "Look up x"),
        ("assistant", ""),
        ("tool", ""),
        ("assistant", "Found."),
        ("user", "What was it?"),
    ]
    client: Any = answering.client
    results = [
        content for each in client.asked[-1] for content in each.contents if each.role == "tool"
    ]
    assert [content.result for content in results] == ["secret x"]


async def test_turn_is_remembered_after_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(agent([text("One")]), url) as browser:
        await browser.ask("1")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    answering = agent([text("Two")])
    async with chat(answering, url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        await browser.ask("2")
    assert said(answering) == [("user", "1"), ("assistant", "One"), ("user", "2")]


async def test_retry_starts_from_the_turn_before() -> None:
    answering = agent([text("One")], [text("Two")], [text("Three")], [text("Two again")])
    async with chat(answering) as browser:
        for question in ("1", "2", "3"):
            await browser.ask(question)
        second = (await browser.items())[2]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=second["id"]
        )
        assert await browser.transcript() == [
            ("user_message", "1"),
            ("assistant_message", "One"),
            ("user_message", "2"),
            ("assistant_message", "Two again"),
        ]
    assert said(answering) == [("user", "1"), ("assistant", "One"), ("user", "2")]


async def test_hidden_context_reaches_the_agent_once() -> None:
    class Server(AgentChatKitServer[Any]):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            if input_user_message.content[0].text == "2":
                item = HiddenContextItem(
                    id="hidden_1", thread_id=thread.id, created_at=thread.created_at, content="x"
                )
                # As a widget action might do between two turns.
                await self.store.delete_thread_item(thread.id, input_user_message.id, context)
                await self.store.add_thread_item(thread.id, item, context)
                await self.store.add_thread_item(thread.id, input_user_message, context)
            async for event in super().respond(thread, input_user_message, context):
                yield event

    answering = agent([text("One")], [text("Two")], [text("Three")])
    async with chat(answering, server_class=Server) as browser:
        for question in ("1", "2", "3"):
            await browser.ask(question)
    assert said(answering)[2:] == [
        # Strict services accept system messages only at the start.
        ("user", "<HIDDEN_CONTEXT>x</HIDDEN_CONTEXT>\n\n2"),
        ("assistant", "Two"),
        ("user", "3"),
    ]


async def test_thread_without_sessions_is_rebuilt_from_its_items(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    answering = agent([text("One")], [text("Two")], [text("Three")])
    async with chat(answering, url) as browser:
        await browser.ask("1")
        import sqlite3

        with sqlite3.connect(tmp_path / "chat.db") as database:
            database.execute("DELETE FROM chatkit_sessions")
            database.execute("DELETE FROM chatkit_messages")
        database.close()
        await browser.ask("2")
        await browser.ask("3")
    assert said(answering, 1) == [("user", "1"), ("assistant", "One"), ("user", "2")]
    assert said(answering, 2)[-3:] == [("user", "2"), ("assistant", "Two"), ("user", "3")]


async def test_service_session_continues() -> None:
    answering = agent([text("One")], [text("Two")])
    sessions: list[Any] = []

    class Server(AgentChatKitServer[Any]):
        async def agent_of(self, thread: Any, context: Any) -> Any:
            running: Any = await super().agent_of(thread, context)
            create = running.create_session

            def create_session(*, session_id: str | None = None) -> Any:
                session = create(session_id=session_id)
                session.service_session_id = "conversation_1"
                sessions.append(session)
                return session

            running.create_session = create_session
            return running

    async with chat(answering, server_class=Server) as browser:
        await browser.ask("1")
        await browser.ask("2")
    # The service stores the first turn, so the second sends only the new message.
    assert said(answering) == [("user", "2")]
    assert len(sessions) == 1
    client: Any = answering.client
    assert client.options[-1]["conversation_id"] == "conversation_1"


async def test_concurrent_threads_stay_separate() -> None:
    answering = agent(*[[text("ok")] for _ in range(4)])
    async with chat(answering) as browser:
        other = Browser(browser.app)
        await asyncio.gather(browser.ask("mine"), other.ask("theirs"))
        await asyncio.gather(browser.ask("mine too"), other.ask("theirs too"))
        await other.http.aclose()
    conversations = [tuple(text for _, text in said(answering, index)) for index in (2, 3)]
    assert set(conversations) == {("mine", "ok", "mine too"), ("theirs", "ok", "theirs too")}
    assert answering.context_providers == []


async def test_model_failure_is_reported_safely_and_can_be_retried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = RuntimeError("password=1")
    answering = agent([text("Half an ans"), failure], [text("A whole answer")], [text("Bye")])
    async with chat(answering) as browser:
        events = await browser.ask("Hello")
        (error,) = of_type(events, "error")
        assert error.allow_retry
        assert "password" not in error.model_dump_json()
        assert "password=1" in caplog.text
        assert await browser.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Half an ans"),
        ]
        question = (await browser.items())[0]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=question["id"]
        )
        assert await browser.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "A whole answer"),
        ]
        await browser.ask("And?")
    assert said(answering) == [
        ("user", "Hello"),
        ("assistant", "A whole answer"),
        ("user", "And?"),
    ]


async def test_thread_continues_after_failure() -> None:
    answering = agent([text("Half an ans"), RuntimeError("gone")], [text("Sorry.")])
    async with chat(answering) as browser:
        await browser.ask("Hello")
        await browser.ask("Are you there?")
    assert said(answering) == [
        ("user", "Hello"),
        ("assistant", "Half an ans"),
        (
            "user",
            "<HIDDEN_CONTEXT>The previous answer failed before it was complete.</HIDDEN_CONTEXT>"
            "\n\nAre you there?",
        ),
    ]
