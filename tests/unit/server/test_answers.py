"""Approved and declined calls."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Content,
    ToolApprovalMiddleware,
    tool,
)

from agent_framework_chatkit import AgentResponseConverter

from ...fakes.scripted_agent import agent, call, check_calls, text
from ..answering import Bank, act, asked, cards, click, payload
from ..chat_client import Browser, chat, of_type


async def test_approved_tool_runs_and_answer_continues() -> None:
    bank = Bank()
    answering = agent([text("Sure."), call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        assert [item["type"] for item in await browser.items()] == [
            "user_message",
            "assistant_message",
            "widget",
        ]
        (card,) = await cards(browser)
        assert card["copy_text"] == "Approval needed: Pay (pay)\n> Pay an amount.\namount: 5"
        assert bank.paid == []
        events = await click(browser, card)
        assert bank.paid == [5]
        assert events[1].type == "thread.item.replaced"
        (workflow, message) = (await browser.items())[-2:]
        assert [task["title"] for task in workflow["workflow"]["tasks"]] == ["Pay"]
        assert message["content"][0]["text"] == "Done."
        (decided,) = await cards(browser)
        assert "Approved" in decided["copy_text"]
        assert "UTC" in decided["copy_text"]
        assert "confirm" not in decided["widget"]
    assert asked(answering) == [
        ("user", "Pay 5"),
        ("assistant", "Sure."),
        ("assistant", "function_call"),
        ("tool", "paid 5"),
    ]


async def test_declined_tool_does_not_run_and_model_is_informed() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("As you wish.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        await click(browser, card, "cancel")
        assert bank.paid == []
        assert (await browser.transcript())[-1] == ("assistant_message", "As you wish.")
        assert [item["type"] for item in await browser.items()] == [
            "user_message",
            "widget",
            "assistant_message",
        ]
        (decided,) = await cards(browser)
        assert "Declined" in decided["copy_text"]
    assert "rejected" in asked(answering)[-1][1]


async def test_new_message_declines() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Then not.")], [text("Hm.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        events = await browser.ask("Better not")
        assert bank.paid == []
        assert of_type(events, "thread.item.replaced")
        (decided,) = await cards(browser)
        assert "Declined" in decided["copy_text"]
        (notice,) = of_type(await click(browser, card), "notice")
        assert "answered already" in notice.message
        assert bank.paid == []
        await browser.ask("And now?")
    roles = [role for role, _ in asked(answering, 1)]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert "did not approve" in asked(answering, 1)[2][1]
    assert [role for role, _ in asked(answering, 2)][-2:] == ["assistant", "user"]


async def test_several_requests_are_answered_one_by_one() -> None:
    bank = Bank()
    both = [call("pay", "c1", amount=1), call("pay", "c2", amount=2)]
    answering = agent(both, [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay both")
        first, second = await cards(browser)
        await click(browser, second)
        assert bank.paid == []
        (notice,) = of_type(await click(browser, second), "notice")
        assert "answered already" in notice.message
        await click(browser, first, "cancel")
        assert bank.paid == [2]
        assert (await browser.transcript())[-1] == ("assistant_message", "Done.")


async def test_approval_after_restart(tmp_path: Path) -> None:
    bank = Bank()
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(agent([call("pay", amount=5)], tools=[bank.pay]), url) as browser:
        await browser.ask("Pay 5")
        thread_id, cookies = browser.thread_id, browser.http.cookies
    answering = agent([text("Done.")], tools=[bank.pay])
    async with chat(answering, url) as browser:
        browser.thread_id, browser.http.cookies = thread_id, cookies
        (card,) = await cards(browser)
        await click(browser, card)
        assert bank.paid == [5]
        assert (await browser.transcript())[-1] == ("assistant_message", "Done.")


async def test_two_tabs_race_to_answer() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        streams = await asyncio.gather(
            click(browser, card), click(browser, card, "cancel"), click(browser, card)
        )
        assert len(bank.paid) <= 1
        assert sum(bool(of_type(events, "notice")) for events in streams) == 2
        assert len(of_type(await click(browser, card), "notice")) == 1


async def test_retry_asks_again() -> None:
    bank = Bank()
    asking = [call("pay", amount=5)]
    answering = agent(asking, asking, [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (old,) = await cards(browser)
        question = (await browser.items())[0]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=question["id"]
        )
        (new,) = await cards(browser)
        response = await browser.post(
            "threads.custom_action",
            thread_id=browser.thread_id,
            item_id=old["id"],
            action=payload(old),
        )
        assert response.status_code == 404 or "answered already" in response.text
        assert bank.paid == []
        await click(browser, new)
        assert bank.paid == [5]


@pytest.mark.parametrize(
    "change",
    [
        {"approved": "yes"},
        {"approved": 1},
        {"request_id": "another"},
        {"arguments": {"amount": 1_000_000}},
        {"always": True},
    ],
    ids=str,
)
async def test_changed_answer_is_rejected(change: dict[str, Any]) -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        before = await browser.items()
        action = payload(card)
        changed = {**action, "payload": {**action["payload"], **change}}
        (notice,) = of_type(await act(browser, card["id"], changed), "notice")
        assert "does not match" in notice.message
        (notice,) = of_type(await act(browser, None, action), "notice")
        assert (await browser.items(), bank.paid) == (before, [])
        await click(browser, card)
        assert bank.paid == [5]


async def test_another_owner_cannot_answer() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Hi")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        other = Browser(browser.app)
        async with other.http:
            response = await other.post(
                "threads.custom_action",
                thread_id=browser.thread_id,
                item_id=card["id"],
                action=payload(card),
            )
            assert response.status_code == 404
            await other.ask("Hello")
            (notice,) = of_type(await act(other, card["id"], payload(card)), "notice")
            assert "answered already" in notice.message
    assert bank.paid == []


async def test_failure_after_approval_does_not_repeat_tool() -> None:
    bank = Bank()
    answering = agent(
        [call("pay", amount=5)],
        [text("I am"), RuntimeError("the model is down")],
        [text("It was paid.")],
        tools=[bank.pay],
    )
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        assert of_type(await click(browser, card), "error")
        assert bank.paid == [5]
        assert of_type(await click(browser, card), "notice")
        await browser.ask("Did you?")
        assert bank.paid == [5]
    assert asked(answering) == [
        ("user", "Pay 5"),
        ("assistant", "function_call"),
        ("tool", "paid 5"),
        ("assistant", "I am"),
        (
            "user",
            "<HIDDEN_CONTEXT>The previous answer failed before it was complete.</HIDDEN_CONTEXT>"
            "\n\nDid you?",
        ),
    ]


async def test_stop_while_approved_tool_runs() -> None:
    begun = asyncio.Event()
    count = 0

    @tool(approval_mode="always_require")
    async def pay(amount: int) -> str:
        """Pay an amount."""
        nonlocal count
        count += 1
        begun.set()
        await asyncio.Event().wait()
        return "paid"

    answering = agent([call("pay", amount=5)], [text("Let me look.")], tools=[pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        clicking = asyncio.create_task(click(browser, card))
        await begun.wait()
        clicking.cancel()
        await asyncio.wait([clicking])
        assert of_type(await click(browser, card), "notice")
        await browser.ask("And?")
    assert count == 1
    assert "its effect is unknown" in asked(answering)[2][1]


async def test_always_approve_applies_to_thread() -> None:
    bank = Bank()
    answering = agent(
        [call("pay", "c1", amount=1)],
        [call("pay", "c2", amount=2)],
        [text("Done.")],
        tools=[bank.pay],
        middleware=[ToolApprovalMiddleware()],
    )
    converter = AgentResponseConverter(always_approve=True)
    async with chat(answering, response_converter=converter) as browser:
        await browser.ask("Pay")
        (card,) = await cards(browser)
        (button,) = [part for part in card["widget"]["children"] if part["type"] == "Button"]
        await act(browser, card["id"], button["onClickAction"])
        assert bank.paid == [1, 2]
        (card,) = await cards(browser)
        assert "Always approved, " in card["copy_text"]
        assert (await browser.transcript())[-1] == ("assistant_message", "Done.")


async def test_queued_requests_of_middleware_are_asked_in_turn() -> None:
    bank = Bank()
    both = [call("pay", "c1", amount=1), call("pay", "c2", amount=2)]
    answering = agent(
        both, [text("Done.")], tools=[bank.pay], middleware=[ToolApprovalMiddleware()]
    )
    async with chat(answering) as browser:
        await browser.ask("Pay both")
        (first,) = await cards(browser)
        await click(browser, first)
        first, second = await cards(browser)
        assert bank.paid == []
        await click(browser, second)
        assert bank.paid == [1, 2]


async def test_new_message_with_queued_requests_of_middleware() -> None:
    bank = Bank()
    both = [call("pay", "c1", amount=1), call("pay", "c2", amount=2)]
    answering = agent(
        both, [text("Then not.")], tools=[bank.pay], middleware=[ToolApprovalMiddleware()]
    )
    async with chat(answering) as browser:
        await browser.ask("Pay both")
        await browser.ask("No")
        assert (await browser.transcript())[-1] == ("assistant_message", "Then not.")
    assert bank.paid == []


async def test_hosted_tool_asks_for_approval_like_local_tool() -> None:
    hosted = Content.from_function_call(
        "mcpr_1", "search", arguments={"q": "x"}, hosted=True, server_name="docs"
    )
    request = Content.from_function_approval_request("mcpr_1", hosted)
    for button, approved in (("confirm", True), ("cancel", False)):
        answering = agent([request], [text("Found.")])
        async with chat(answering) as browser:
            await browser.ask("Search")
            (card,) = await cards(browser)
            await click(browser, card, button)
            assert (await browser.transcript())[-1] == ("assistant_message", "Found.")
        (response,) = answering.client.asked[-1][-1].contents  # type: ignore[attr-defined]
        assert (response.type, response.approved, response.id) == (
            "function_approval_response",
            approved,
            "mcpr_1",
        )


@pytest.mark.parametrize("approves", [True, False])
async def test_approved_call_of_missing_tool_gets_result(approves: bool) -> None:
    bank = Bank()
    calls = [call("pay", amount=1), call("ghost", "c2")]
    answering: Any = agent(calls, [text("Paid.")], [text("Fine.")], tools=[bank.pay])
    button = "confirm" if approves else "cancel"
    async with chat(answering) as browser:
        await browser.ask("Pay")
        for card, chosen in zip(await cards(browser), ["confirm", button], strict=True):
            await click(browser, card, chosen)
        assert bank.paid == [1]
        check_calls(answering.client.asked[-1])
        await browser.ask("Thanks")
    results = [result for role, result in asked(answering) if role == "tool"]
    assert results[0] == "paid 1"
    assert ("not available" in results[1]) is approves
    assert asked(answering)[-2:] == [("assistant", "Paid."), ("user", "Thanks")]
    check_calls(answering.client.asked[-1])
