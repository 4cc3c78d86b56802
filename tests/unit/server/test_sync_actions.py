"""Synchronous actions, and actions that the page handles."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, Message, tool
from chatkit.actions import Action
from chatkit.types import NoticeEvent, WidgetItem

from agent_framework_chatkit import (
    AgentChatKitServer,
    ThreadContext,
    action,
)

from ...fakes.scripted_agent import agent, call, said, text
from ..chat_client import chat, of_type
from ..offering import Trip, book, card, offering, use, use_at_once, widget_of


def texts(item: dict[str, Any]) -> list[str]:
    return [each["value"] for each in item["widget"]["children"] if "value" in each]


async def test_synchronous_action() -> None:
    @action("look", from_page=True)
    async def look(payload: dict[str, int], context: ThreadContext[Any]) -> None:
        await context.stream_progress("Looking")
        if payload:
            context.thread.title = "Looked"
            await context.replace_widget(card(str(payload["times"])))

    async with chat(offering(), actions=[look, book]) as browser:
        await browser.ask("Oslo")
        assert (await use_at_once(browser, "look", {})).json() == {}
        answer = (await use_at_once(browser, "look", {"times": 2})).json()
        assert texts(answer["updated_item"]) == ["2"]
        assert await widget_of(browser) == answer["updated_item"]
        thread = await browser.get("threads.get_by_id", thread_id=browser.thread_id)
        assert thread["title"] == "Looked"


async def test_handler_that_lets_agent_answer_must_stream() -> None:
    async with chat(offering(), actions=[book]) as browser:
        await browser.ask("Oslo")
        assert (await use_at_once(browser, "book", {"to": "Oslo"})).status_code == 501
        assert texts(await widget_of(browser)) == ["Oslo?"]


async def test_page_action_has_no_sender() -> None:
    @action("greet", from_page=True)
    async def greet(payload: str, context: ThreadContext[Any]) -> list[Message]:
        assert context.sender is None
        with pytest.raises(ValueError, match="no widget"):
            await context.replace_widget(card("?"))
        return [Message("system", ["Be kind."]), Message("user", [payload])]

    answering = agent([text("One")], [text("Two")])
    async with chat(answering, actions=[greet]) as browser:
        await browser.ask("1")
        await browser.stream(
            "threads.custom_action",
            thread_id=browser.thread_id,
            action={"type": "greet", "payload": "Hello"},
        )
        assert (await browser.transcript())[-1] == ("assistant_message", "Two")
    assert said(answering)[-1] == ("user", "Be kind.\n\nHello")


async def test_page_can_forward_its_action_under_another_type() -> None:
    @tool(approval_mode="never_require")
    async def show(ctx: FunctionInvocationContext) -> str:
        """Show a widget whose action the page handles."""
        action = {"type": "open_map", "handler": "client"}
        await ThreadContext.of(ctx).stream_widget(
            card("Oslo?", confirm={"label": "Map", "action": action})
        )
        return "shown"

    @action("book", from_page=True)
    async def book_from_page(trip: Trip, context: ThreadContext[Any]) -> None:
        await context.replace_widget(card(f"Booked: {trip.to}"))

    for handler, shown in ((book, "Oslo?"), (book_from_page, "Booked: Oslo")):
        answering = agent([call("show")], [text("Here.")], tools=[show])
        async with chat(answering, actions=[handler]) as browser:
            await browser.ask("Oslo")
            await use(browser, "book", {"to": "Oslo"})
            assert texts(await widget_of(browser)) == [shown]


async def test_subclass_handles_some_actions() -> None:
    class Server(AgentChatKitServer[Any]):
        async def action(
            self, thread: Any, action: Action[str, Any], sender: WidgetItem | None, context: Any
        ) -> Any:
            if action.type == "look":
                yield NoticeEvent(level="info", message="Looked.")
                return
            async for event in super().action(thread, action, sender, context):
                yield event

    answering = offering([text("Have a good trip.")])
    async with chat(answering, server_class=Server, actions=[book]) as browser:
        await browser.ask("Oslo")
        (notice,) = of_type(await use(browser, "look"), "notice")
        assert notice.message == "Looked."
        await use(browser, "book", {"to": "Oslo"})
        assert (await browser.transcript())[-1] == ("assistant_message", "Have a good trip.")
