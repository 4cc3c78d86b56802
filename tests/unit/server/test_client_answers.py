"""Answers to client tools, questions and consent requests."""

from __future__ import annotations

from typing import Any

from agent_framework import (
    Content,
    FunctionTool,
    UserInputRequiredException,
    tool,
)

from agent_framework_chatkit import ask_user, client_tool

from ...fakes.scripted_agent import agent, call, text
from ..answering import Bank, asked, cards, click, output, reply
from ..chat_client import chat, of_type


@client_tool
def locate(precise: bool = False) -> dict[str, Any]:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


async def test_client_tools_are_called_in_turn() -> None:
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


async def test_unanswered_client_tool_does_not_block_thread() -> None:
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
        # Strict templates reject a user message after results.
        "assistant",
        "user",
        "assistant",
        "user",
    ]


async def test_approval_and_client_tool_in_one_message() -> None:
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


async def test_run_continues_after_consent() -> None:
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


async def test_tool_is_called_again_after_consent() -> None:
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


async def test_undeclared_tool_is_an_error_and_does_not_block_thread() -> None:
    missing = FunctionTool(name="missing", description="Nobody runs it.", func=None)
    answering = agent([call("missing")], [text("Sorry.")], tools=[missing])
    async with chat(answering) as browser:
        assert of_type(await browser.ask("Do it"), "error")
        await browser.ask("Then?")
    assert "not available" in asked(answering)[2][1]
