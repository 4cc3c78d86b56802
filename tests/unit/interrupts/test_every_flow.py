"""Behavior that all of an agent's requests share, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Content,
    Executor,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    handler,
    response_handler,
    tool,
)

from agent_framework_chatkit import ask_user, client_tool

from ...fakes.scripted_agent import agent, call, text
from ..chat_client import Browser, chat

Then = Callable[[], Awaitable[None]]
"""An action between the user's answer and the agent's reaction."""


async def nothing() -> None: ...


@tool(approval_mode="always_require")
def pay(amount: int) -> str:
    """Pay an amount."""
    return f"paid {amount}"


@client_tool
def locate() -> str:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


def asking_agent(question: Content, *tools: Any) -> Callable[..., Any]:
    """Return a factory of agents that ask `number` times."""

    def build(number: int, then: Then = nothing) -> Any:
        messages = [[question]] * number
        return agent(*messages, [then, text("Done.")], [text("Well.")], tools=tools)

    return build


def asking_workflow(number: int, then: Then = nothing) -> Any:
    class Asking(Executor):
        @handler
        async def start(self, messages: list[Message], ctx: WorkflowContext[Any, str]) -> None:
            if messages[-1].text == "Ask":
                await ctx.request_info("Really?", bool)
            else:
                await ctx.yield_output("Well.")

        @response_handler
        async def answer(self, request: str, is_so: bool, ctx: WorkflowContext[Any, str]) -> None:
            await then()
            await ctx.yield_output("Done.")

    return WorkflowBuilder(start_executor=Asking("asking"))


@dataclass
class Flow:
    """A kind of request, and how the user answers it."""

    build: Callable[..., Any]
    kind: str
    answer: Callable[[Browser, dict[str, Any]], Coroutine[Any, Any, str]]

    async def asked(self, browser: Browser) -> dict[str, Any]:
        return [item for item in await browser.items() if item["type"] == self.kind][-1]


async def choose_yes(browser: Browser, form: dict[str, Any]) -> str:
    answers = {form["inputs"][0]["id"]: {"values": ["Yes"]}}
    return await send(
        browser, "threads.add_structured_input", item_id=form["id"], input={"answers": answers}
    )


async def approve(browser: Browser, card: dict[str, Any]) -> str:
    action = card["widget"]["confirm"]["action"]
    return await send(browser, "threads.custom_action", item_id=card["id"], action=action)


async def return_output(browser: Browser, call: dict[str, Any]) -> str:
    return await send(browser, "threads.add_client_tool_output", result="Oslo")


async def send(browser: Browser, kind: str, **params: Any) -> str:
    """Return the server's response, whether it accepts the answer or not."""
    return (await browser.post(kind, thread_id=browser.thread_id, **params)).text


HOSTED = Content.from_function_call("h1", "search", arguments={}, hosted=True, server_name="docs")
FLOWS = {
    "approval": Flow(asking_agent(call("pay", amount=5), pay), "widget", approve),
    "hosted approval": Flow(
        asking_agent(Content.from_function_approval_request("h1", HOSTED)), "widget", approve
    ),
    "client tool": Flow(asking_agent(call("locate"), locate), "client_tool_call", return_output),
    "questions": Flow(
        asking_agent(call("ask_user", questions=[{"question": "Why?"}]), ask_user),
        "structured_input",
        choose_yes,
    ),
    "consent": Flow(
        asking_agent(Content.from_oauth_consent_request("https://login.test/")), "widget", approve
    ),
    "workflow": Flow(asking_workflow, "structured_input", choose_yes),
}


@pytest.fixture(params=FLOWS)
def flow(request: pytest.FixtureRequest) -> Flow:
    return FLOWS[request.param]


async def last(browser: Browser) -> str:
    return (await browser.transcript())[-1][1]


async def test_request_is_answered_after_restart(flow: Flow, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(flow.build(1), url) as browser:
        await browser.ask("Ask")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    async with chat(flow.build(0), url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        await flow.answer(browser, await flow.asked(browser))
        assert await last(browser) == "Done."
        await browser.ask("And now?")
        assert await last(browser) == "Well."


async def test_retry_asks_again(flow: Flow) -> None:
    async with chat(flow.build(2)) as browser:
        await browser.ask("Ask")
        old = await flow.asked(browser)
        question = (await browser.items())[0]
        await send(browser, "threads.retry_after_item", item_id=question["id"])
        new = await flow.asked(browser)
        assert new["id"] != old["id"]
        assert len(await browser.items()) == 2 + (flow is FLOWS["workflow"])
        if flow is not FLOWS["client tool"]:  # whose outputs name no call
            before = await browser.items()
            await flow.answer(browser, old)
            assert await browser.items() == before
        await flow.answer(browser, new)
        assert await last(browser) == "Done."


async def test_new_message_declines_request(flow: Flow) -> None:
    async with chat(flow.build(1)) as browser:
        await browser.ask("Ask")
        asked = await flow.asked(browser)
        await browser.ask("Something else")
        answer = await last(browser)
        assert answer in ("Done.", "Well.")
        before = await browser.items()
        assert "Done" not in await flow.answer(browser, asked)
        assert await browser.items() == before
        await browser.ask("And now?")
        assert await last(browser) == "Well."


async def test_two_tabs_race_to_answer(flow: Flow) -> None:
    count = 0

    async def then() -> None:
        nonlocal count
        count += 1
        await asyncio.sleep(0.05)

    async with chat(flow.build(1, then)) as browser:
        await browser.ask("Ask")
        asked = await flow.asked(browser)
        answers = await asyncio.gather(*(flow.answer(browser, asked) for _ in range(3)))
        assert count == 1
        assert sum("Done." in answer for answer in answers) == 1
        assert await last(browser) == "Done."


async def test_stop_after_answer(flow: Flow) -> None:
    begun = asyncio.Event()

    async def then() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with chat(flow.build(1, then)) as browser:
        await browser.ask("Ask")
        asked = await flow.asked(browser)
        answering = asyncio.create_task(flow.answer(browser, asked))
        await begun.wait()
        answering.cancel()
        await asyncio.wait([answering])
        before = await browser.items()
        assert "Done." not in await flow.answer(browser, asked)
        assert await browser.items() == before
        await browser.ask("And now?")
        assert await last(browser) == "Well."


async def test_same_request_in_another_thread(flow: Flow) -> None:
    async with chat(flow.build(2)) as browser:
        await browser.ask("Ask")
        asked, first = await flow.asked(browser), browser.thread_id
        browser.thread_id = ""
        await browser.ask("Ask")
        second = browser.thread_id
        if flow is not FLOWS["client tool"]:
            before = await browser.items()
            assert "Done." not in await flow.answer(browser, asked)
            assert await browser.items() == before
        browser.thread_id = first
        await flow.answer(browser, asked)
        assert await last(browser) == "Done."
        browser.thread_id = second
        assert await last(browser) == ""


async def test_built_in_actions_reject_synchronous_requests() -> None:
    async with chat(FLOWS["approval"].build(1)) as browser:
        await browser.ask("Ask")
        card = await FLOWS["approval"].asked(browser)
        before = await browser.items()
        response = await browser.post(
            "threads.sync_custom_action",
            thread_id=browser.thread_id,
            item_id=card["id"],
            action=card["widget"]["confirm"]["action"],
        )
        assert response.status_code == 400
        assert await browser.items() == before
