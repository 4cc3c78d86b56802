"""What an agent asks and a person answers, over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Content,
    FunctionTool,
    ToolApprovalMiddleware,
    UserInputRequiredException,
    tool,
)

from agent_framework_chatkit import AgentResponseConverter, ask_user, client_tool

from .answering import Bank, act, asked, cards, click, output, payload, reply
from .chat_client import Browser, chat, of_type
from .scripted_agent import agent, call, text


@client_tool
def locate(precise: bool = False) -> dict[str, Any]:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


async def test_an_approved_tool_runs_and_the_answer_goes_on() -> None:
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


async def test_a_declined_tool_does_not_run_and_the_model_is_told() -> None:
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


async def test_writing_something_else_declines() -> None:
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


async def test_an_approval_is_given_after_a_restart(tmp_path: Path) -> None:
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


async def test_a_retry_asks_again() -> None:
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
async def test_a_changed_answer_is_refused(change: dict[str, Any]) -> None:
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


async def test_a_run_that_fails_after_an_approval_does_not_run_the_tool_again() -> None:
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


async def test_an_answer_is_stopped_while_the_approved_tool_runs() -> None:
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


async def test_always_approve_holds_for_the_thread() -> None:
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
        assert (await browser.transcript())[-1] == ("assistant_message", "Done.")


async def test_requests_that_a_middleware_queues_are_asked_one_after_another() -> None:
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


async def test_something_else_is_written_while_a_middleware_queues_requests() -> None:
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


async def test_a_hosted_tool_asks_for_approval_like_a_local_one() -> None:
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


async def test_client_tools_are_called_one_after_another() -> None:
    calls = [call("locate", "c1"), call("locate", "c2", precise=True)]
    answering = agent(calls, [text("There.")], tools=[locate])
    async with chat(answering) as browser:
        await browser.ask("Where am I?")
        first = (await browser.items())[-1]
        assert (first["type"], first["call_id"], first["status"]) == (
            "client_tool_call",
            "c1",
            "pending",
        )
        await output(browser, {"city": "Oslo"})
        second = (await browser.items())[-1]
        assert (second["call_id"], second["arguments"]) == ("c2", {"precise": True})
        await output(browser, {"error": "The user denied it."})
        assert (await browser.transcript())[-1] == ("assistant_message", "There.")
    assert asked(answering)[-2:] == [
        ("tool", '{"city": "Oslo"}'),
        ("tool", "Error: The user denied it."),
    ]


async def test_a_client_tool_that_is_never_answered_is_no_poison() -> None:
    bank = Bank()
    calls = [call("locate", "c1"), call("pay", "c2", amount=1)]
    answering = agent(calls, [text("Fine.")], [text("Yes.")], tools=[locate, bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Where am I?")
        events = await browser.ask("Never mind")
        assert of_type(events, "thread.item.removed")
        await browser.ask("Still there?")
        assert (await browser.transcript())[-1] == ("assistant_message", "Yes.")
    assert [role for role, _ in asked(answering)] == [
        "user",
        "assistant",
        "assistant",
        "tool",
        "tool",
        # Strict templates refuse a message after results.
        "assistant",
        "user",
        "assistant",
        "user",
    ]


async def test_an_approval_and_a_client_tool_in_one_message() -> None:
    bank = Bank()

    @tool(approval_mode="never_require")
    def look() -> str:
        """Look."""
        return "seen"

    calls = [call("locate", "c1"), call("pay", "c2", amount=1), call("look", "c3")]
    answering = agent(calls, [text("Fine.")], tools=[locate, bank.pay, look])
    async with chat(answering) as browser:
        await browser.ask("All of it")
        (card,) = await cards(browser)
        await click(browser, card)
        assert bank.paid == []
        await output(browser, "Oslo")
        assert bank.paid == [1]
        workflow = (await browser.items())[-2]["workflow"]
        assert [task["title"] for task in workflow["tasks"]] == ["Pay", "Look"]
    assert asked(answering)[-3:] == [("tool", '"Oslo"'), ("tool", "paid 1"), ("tool", "seen")]


async def test_questions_are_answered_or_skipped() -> None:
    questions = [
        {"question": "Where to?"},
        {"question": "How?", "options": ["Train", "Car"]},
        {"question": "With whom?", "options": ["Ann", "Bob"], "multiple": True},
        {"question": "Why?"},
    ]
    answering = agent([call("ask_user", questions=questions)], [text("Go.")], tools=[ask_user])
    async with chat(answering) as browser:
        await browser.ask("Plan a trip")
        form = (await browser.items())[-1]
        ids = [each["id"] for each in form["inputs"]]
        answers = {
            ids[0]: {"values": ["Oslo"]},
            ids[1]: {"values": ["Train"]},
            ids[2]: {"values": ["Ann", "Bob"]},
            ids[3]: {"skipped": True},
        }
        await reply(browser, form, {"answers": answers})
        assert (await browser.transcript())[-1] == ("assistant_message", "Go.")
        assert (await browser.items())[1]["status"] == "answered"
        again = await browser.post(
            "threads.add_structured_input",
            thread_id=browser.thread_id,
            item_id=form["id"],
            input={"answers": answers},
        )
        assert "answered already" in again.text
    assert asked(answering)[-1][1] == (
        '{"answers": [{"question": "Where to?", "answer": "Oslo"}, '
        '{"question": "How?", "answer": "Train"}, '
        '{"question": "With whom?", "answers": ["Ann", "Bob"]}, '
        '{"question": "Why?", "skipped": true}]}'
    )


async def test_consent_is_given_and_the_run_goes_on() -> None:
    request = Content.from_oauth_consent_request("https://login.test/consent")
    answering = agent([request], [text("Thanks.")])
    async with chat(answering) as browser:
        await browser.ask("Read my mail")
        (card,) = await cards(browser)
        await click(browser, card)
        assert (await browser.transcript())[-1] == ("assistant_message", "Thanks.")
        (decided,) = await cards(browser)
        assert "Consent given" in decided["copy_text"]
    assert asked(answering)[-1] == ("user", "I have given my consent. Go on.")


async def test_a_tool_asks_for_consent_and_is_called_again() -> None:
    has_consent = False

    @tool(approval_mode="never_require")
    def read_mail() -> str:
        """Read the mail."""
        if not has_consent:
            link = Content.from_oauth_consent_request("https://login.test/consent")
            raise UserInputRequiredException([link])
        return "3 new"

    calls = [[call("read_mail", "c1")], [call("read_mail", "c2")]]
    answering = agent(*calls, [text("Three.")], [text("Bye.")], tools=[read_mail])
    async with chat(answering) as browser:
        await browser.ask("Read my mail")
        (card,) = await cards(browser)
        has_consent = True
        assert not of_type(await click(browser, card), "error")
        assert (await browser.transcript())[-1] == ("assistant_message", "Three.")
        await browser.ask("Thanks")
    assert [text for role, text in asked(answering) if role == "tool"] == [
        "The user has given their consent. Make this call again.",
        "3 new",
    ]


async def test_an_undeclared_tool_is_an_error_and_no_poison() -> None:
    missing = FunctionTool(name="missing", description="Nobody runs it.", func=None)
    answering = agent([call("missing")], [text("Sorry.")], tools=[missing])
    async with chat(answering) as browser:
        assert of_type(await browser.ask("Do it"), "error")
        await browser.ask("Then?")
    assert "not available" in asked(answering)[2][1]
