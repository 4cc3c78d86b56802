"""Threads that are locked or closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, tool
from chatkit.types import (
    ActiveStatus,
    ClosedStatus,
    LockedStatus,
    ThreadMetadata,
)

from agent_framework_chatkit import (
    AgentChatKitServer,
    ThreadContext,
    action,
    ask_user,
    client_tool,
    create_app,
)
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, text
from ..answering import Bank, cards, click, output, reply
from ..chat_client import Browser, chat, of_type
from ..live_client import ME
from ..offering import card, offering, use, use_at_once, widget_of

CLOSED = ClosedStatus(reason="The order has shipped.")


@client_tool
def locate() -> str:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


async def set_status(server: AgentChatKitServer[Any], thread_id: str, status: Any) -> None:
    thread = await server.store.load_thread(thread_id, ME)
    await server.store.save_thread(thread.model_copy(update={"status": status}), ME)


@asynccontextmanager
async def served(answering: Any) -> AsyncIterator[tuple[AgentChatKitServer[Any], Browser]]:
    """Yield a server with this agent, and a browser that is connected to it."""
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](answering, store)
        yield server, Browser(create_app(server, authenticate=lambda request: "me"))
        await server.close()


def notices(events: list[Any]) -> list[str]:
    assert {event.type for event in events} <= {"notice", "stream_options"}
    return [event.message for event in of_type(events, "notice")]


@pytest.mark.parametrize(
    ("status", "words"),
    [(CLOSED, "The order has shipped."), (LockedStatus(), "This chat is locked.")],
)
async def test_approval_waits_until_thread_is_active(status: Any, words: str) -> None:
    bank = Bank()
    answering = agent([call("pay", amount=1)], [text("Paid.")], tools=[bank.pay])
    async with served(answering) as (server, browser):
        await browser.ask("Pay")
        await set_status(server, browser.thread_id, status)
        before = await browser.items()
        (shown,) = await cards(browser)
        for button in ("confirm", "cancel"):
            assert notices(await click(browser, shown, button)) == [words]
            assert await browser.items() == before
        assert bank.paid == []
        await set_status(server, browser.thread_id, ActiveStatus())
        await click(browser, shown)
        assert bank.paid == [1]


async def test_questions_and_client_tools_wait_until_thread_is_active() -> None:
    calls = [call("ask_user", "c1", questions=[{"question": "Where to?"}]), call("locate", "c2")]
    answering = agent(calls, [text("Go.")], tools=[ask_user, locate])
    async with served(answering) as (server, browser):
        await browser.ask("Plan a trip")
        await set_status(server, browser.thread_id, CLOSED)
        before = await browser.items()
        form, called = before[-2:]
        answers = {"answers": {form["inputs"][0]["id"]: {"values": ["Oslo"]}}}
        assert notices(await reply(browser, form, answers)) == ["The order has shipped."]
        assert notices(await output(browser, "Here")) == ["The order has shipped."]
        claim = {"thread_id": browser.thread_id, "item_id": called["id"]}
        body = {"type": "threads.claim_tool", "params": claim, "metadata": {"page_id": "p"}}
        response = await browser.http.post("/chatkit", json=body)
        assert response.json() == {"status": "closed"}
        assert await browser.items() == before
        await set_status(server, browser.thread_id, ActiveStatus())
        assert (await browser.http.post("/chatkit", json=body)).json() == {"status": "claimed"}
        await reply(browser, form, answers)
        await output(browser, "Here")
        assert (await browser.transcript())[-1] == ("assistant_message", "Go.")


async def test_locked_thread_rejects_actions() -> None:
    used: list[str] = []

    @action("look")
    async def look(payload: Any, context: ThreadContext[Any]) -> None:
        used.append("look")
        context.thread.status = CLOSED

    @action("tell", from_page=True)
    async def tell(payload: Any, context: ThreadContext[Any]) -> None:
        used.append("tell")

    async with chat(offering(), actions=[look, tell]) as browser:
        await browser.ask("Oslo")
        await use(browser, "look")
        before = await browser.items()
        for kind in ("look", "tell"):
            assert notices(await use(browser, kind)) == ["The order has shipped."]
            refused = await use_at_once(browser, kind)
            assert (refused.status_code, refused.json()) == (
                400,
                {"error": "The order has shipped."},
            )
        assert await browser.items() == before
        assert used == ["look"]


async def test_override_of_action_may_reopen_a_thread() -> None:
    class Shop(AgentChatKitServer[Any]):
        async def action(self, thread: ThreadMetadata, *given: Any) -> Any:
            thread.status = ActiveStatus()
            async for event in super().action(thread, *given):
                yield event

    @tool(approval_mode="never_require")
    def end(ctx: FunctionInvocationContext) -> None:
        """End the chat."""
        ThreadContext.of(ctx).thread.status = CLOSED

    @action("look")
    async def reopen(payload: Any, context: ThreadContext[Any]) -> None:
        await context.replace_widget(card("Open again"))

    answering = offering([call("end")], [text("Bye.")], [text("Hello again.")])
    answering.default_options["tools"].append(end)
    async with chat(answering, server_class=Shop, actions=[reopen]) as browser:
        await browser.ask("Oslo")
        await browser.ask("Bye")
        assert notices(await browser.ask("Hello?")) == ["The order has shipped."]
        await use(browser, "look")
        assert (await widget_of(browser))["widget"]["children"][0]["value"] == "Open again"
        await browser.ask("Hello?")
        assert (await browser.transcript())[-1] == ("assistant_message", "Hello again.")
