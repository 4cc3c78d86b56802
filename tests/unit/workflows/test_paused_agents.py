"""The input of a workflow's agents after one of them waited for a person."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, tool
from agent_framework_orchestrations import GroupChatBuilder, GroupChatState, SequentialBuilder

from agent_framework_chatkit import ThreadContext, client_tool

from ...fakes.scripted_agent import agent, call, forever, said, text
from ...integration.providers.rules import check_strictest
from ..answering import Bank, asked, cards, click, output
from ..chat_client import Browser, chat
from ..live_client import chat as live_chat


def check_all(*agents: Any) -> None:
    for each in agents:
        for messages in each.client.asked:
            assert check_strictest(messages) == []


async def decide(browser: Browser, button: str) -> None:
    for card in await cards(browser):
        await click(browser, card, button)


@pytest.mark.parametrize("button", ["confirm", "cancel"])
@pytest.mark.parametrize("calls", [["pay"], ["pay", "ghost"], ["ghost", "pay"]], ids="-".join)
async def test_next_agent_after_approval(button: str, calls: list[str]) -> None:
    bank = Bank()
    steps = [call(name, f"c_{name}", amount=1) for name in calls]
    ann: Any = agent(steps, [text("Done.")], [text("Bye.")], name="ann", tools=[bank.pay])
    bob: Any = agent([text("Checked.")], [text("Bye.")], name="bob")
    async with chat(SequentialBuilder(participants=[ann, bob]).build()) as browser:
        await browser.ask("Pay 1")
        await decide(browser, button)
        assert (await browser.transcript())[-1] == ("assistant_message", "Checked.")
        (role, question), *others = said(bob)
        assert role == "user"
        assert question.startswith("Pay 1")
        assert others == [("assistant", "Done.")]
        await browser.ask("Thanks")
    assert bank.paid == ([1] if button == "confirm" else [])
    if "ghost" in calls and button == "confirm":
        results = [result for role, result in asked(ann, 1) if role == "tool"]
        assert ["not available" in result for result in results] == [
            name == "ghost" for name in calls
        ]
    check_all(ann, bob)


async def test_next_agent_after_client_tool() -> None:
    @client_tool
    def locate() -> str:
        """Return where the user is."""
        raise AssertionError

    ann: Any = agent([call("locate")], [text("In Oslo.")], name="ann", tools=[locate])
    bob: Any = agent([text("Checked.")], name="bob")
    async with chat(SequentialBuilder(participants=[ann, bob]).build()) as browser:
        await browser.ask("Where?")
        await output(browser, "Oslo")
    assert said(bob)[-1] == ("assistant", "In Oslo.")
    check_all(ann, bob)


async def test_agent_that_speaks_again_in_the_same_run() -> None:
    bank = Bank()
    steps = [call("pay", amount=1), call("ghost", "c2")]
    ann: Any = agent(steps, [text("Done.")], [text("Bye.")], name="ann", tools=[bank.pay])

    def choose(state: GroupChatState) -> str:
        return "ann"

    workflow = GroupChatBuilder(participants=[ann], selection_func=choose, max_rounds=2).build()
    async with chat(workflow) as browser:
        await browser.ask("Pay 1")
        await decide(browser, "confirm")
    assert len(ann.client.asked) == 3
    check_all(ann)


async def test_tools_reach_the_thread_after_approval(tmp_path: Path) -> None:
    titles: list[str | None] = []

    @tool(approval_mode="always_require")
    def pay(amount: int, ctx: FunctionInvocationContext) -> str:
        """Pay an amount."""
        titles.append(ThreadContext.of(ctx).thread.title)
        return "paid"

    def build(*messages: Any) -> Any:
        return SequentialBuilder(participants=[agent(*messages, name="ann", tools=[pay])]).build()

    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(build([call("pay", amount=1)]), url) as browser:
        await browser.ask("Pay 1")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    async with chat(build([text("Paid.")]), url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        await decide(browser, "confirm")
        assert (await browser.transcript())[-1] == ("assistant_message", "Paid.")
    assert titles == ["Pay 1"]


@pytest.mark.parametrize("end", ["in the tool", "after the tool"])
async def test_approved_call_is_known_after_stop(end: str) -> None:
    paid: list[int] = []
    is_hanging = asyncio.Event()

    async def hang() -> None:
        is_hanging.set()
        await forever()

    @tool(approval_mode="always_require")
    async def pay(amount: int) -> str:
        """Pay an amount."""
        paid.append(amount)
        if end == "in the tool":
            await hang()
        return "paid"

    first = [call("pay", amount=1)]
    ann: Any = agent(first, [text("Paid."), hang], [text("Yes.")], name="ann", tools=[pay])
    if end == "in the tool":
        del ann.client.messages[1]
    async with live_chat(SequentialBuilder(participants=[ann]).build()) as client:
        await (await client.ask("Pay 1")).rest()
        (card,) = [item for item in await client.items() if item["type"] == "widget"]
        action = card["widget"]["confirm"]["action"]
        params = {"thread_id": client.thread_id, "item_id": card["id"], "action": action}
        resumed = await client.send("threads.custom_action", {"detached": True}, **params)
        reading = asyncio.ensure_future(resumed.rest())
        await is_hanging.wait()
        await client.send("threads.stop", thread_id=client.thread_id)
        await reading
        await (await client.ask("Did you?")).rest()
    told = " ".join(text for _, text in said(ann))
    assert ("effect is unknown" if end == "in the tool" else "paid") in told
    assert paid == [1]


async def test_output_of_client_tool_is_known_after_failure() -> None:
    @client_tool
    def send() -> str:
        """Send the user's draft."""
        raise AssertionError

    ann: Any = agent(
        [call("send")], [RuntimeError("gone")], [text("Yes.")], name="ann", tools=[send]
    )
    async with chat(SequentialBuilder(participants=[ann]).build()) as browser:
        await browser.ask("Send it")
        await output(browser, "sent to Kim")
        await browser.ask("Did you?")
    assert "sent to Kim" in " ".join(text for _, text in said(ann))
