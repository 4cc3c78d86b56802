"""What the agents of a workflow receive after one of them waited for a person."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework_orchestrations import GroupChatBuilder, GroupChatState, SequentialBuilder

from agent_framework_chatkit import client_tool

from ...fakes.scripted_agent import agent, call, said, text
from ...integration.providers.rules import check_strictest
from ..answering import Bank, asked, cards, click, output
from ..chat_client import Browser, chat


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
