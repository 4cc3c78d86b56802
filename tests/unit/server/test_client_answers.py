"""Answers to client tools, questions and consent requests."""

from __future__ import annotations

import gc
import json
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

from agent_framework import (
    Content,
    FunctionTool,
    UserInputRequiredException,
    tool,
)

from agent_framework_chatkit import AgentChatKitServer, ask_user, client_tool, create_app
from agent_framework_chatkit.interrupts.pause import Interrupt
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, text
from ..answering import Bank, asked, cards, click, output, reply
from ..chat_client import Browser, chat, encode, of_type


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


async def test_page_names_a_call_by_the_id_that_it_got() -> None:
    answering = agent([call("locate", "c\ud83d")], [text("There.")], tools=[locate])
    async with chat(answering) as browser:
        await browser.ask("Where am I?")
        named = (await browser.items())[-1]["call_id"]
        await browser.stream(
            "threads.add_client_tool_output",
            metadata={"call_id": named},
            thread_id=browser.thread_id,
            result="Oslo",
        )
        assert (await browser.transcript())[-1] == ("assistant_message", "There.")


async def test_client_tool_output_is_stored_twice(
    tmp_path: Path,
) -> None:
    answering = agent([call("locate")], [text("There.")], tools=[locate])
    async with chat(answering, f"sqlite:///{tmp_path}/chat.db") as browser:
        await browser.ask("Where am I?")
        events = await output(browser, "Oslo" * 50)
        assert "OsloOslo" not in str(events)
        answered = (await browser.items())[1]
        assert (answered["status"], answered.get("output")) == ("completed", None)
    assert asked(answering)[-1] == ("tool", json.dumps("Oslo" * 50))
    with closing(sqlite3.connect(tmp_path / "chat.db")) as database:
        counts = {
            table: sum(
                str(row).count("Oslo" * 50) for row in database.execute(f"SELECT * FROM {table}")
            )
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    assert {table: count for table, count in counts.items() if count} == {
        "chatkit_items": 1,
        "chatkit_messages": 1,
    }


async def test_large_output_has_few_copies_in_memory(tmp_path: Path) -> None:
    size = 8 * 1024 * 1024

    async def forget() -> None:
        answering.client.asked.clear()

    answering: Any = agent(
        [call("locate")], [forget, text("There.")], [text("Here.")], tools=[locate]
    )
    async with chat(answering, f"sqlite:///{tmp_path}/chat.db") as browser:
        await browser.ask("Where am I?")
        body = encode(
            "threads.add_client_tool_output", thread_id=browser.thread_id, result="x" * size
        )
        # A collection during the turn would make the garbage of the turn older.
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            headers = {"content-type": "application/json"}
            response = await browser.http.post("/chatkit", content=body, headers=headers)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            await browser.ask("And now?")
            _, next_peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
        assert response.status_code == 200
    assert ("tool", f'"{"x" * size}"') in asked(answering)
    assert peak < 5 * size
    assert next_peak < 3 * size


async def test_answered_client_tool_keeps_its_output_if_an_approval_is_not_given() -> None:
    bank = Bank()
    calls = [call("locate"), call("pay", "c2", amount=1)]
    answering = agent(calls, [text("Fine.")], tools=[locate, bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay where I am")
        await output(browser, "Oslo")
        await browser.ask("Never mind")
    results = [result for role, result in asked(answering) if role == "tool"]
    assert results[0] == '"Oslo"'
    assert "did not approve" in results[1]
    assert bank.paid == []


async def test_deleted_output_is_an_error_for_the_agent() -> None:
    answering = agent(
        [call("locate"), call("pay", "c2", amount=1)], [text("Hm.")], tools=[locate, Bank().pay]
    )
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](answering, store)
        browser = Browser(create_app(server, authenticate=lambda request: "ada"))
        await browser.ask("Where am I?")
        await output(browser, "Oslo")
        called = next(each for each in await browser.items() if each["type"] == "client_tool_call")
        await store.delete_thread_item(browser.thread_id, called["id"], {"user_id": "ada"})
        (card,) = await cards(browser)
        await click(browser, card)
        await server.close()
    assert ("tool", "Error: The output of this call was deleted.") in asked(answering)


def test_answer_of_an_older_version_is_read() -> None:
    called = call("locate")
    old = Interrupt("client_tool", called, "i1").to_dict()
    old["answer"] = Content.from_function_result("c1", result="Oslo").to_dict()
    interrupt = Interrupt.from_dict(old)
    interrupt.read_answer(None)
    assert interrupt.answer is not None
    assert interrupt.answer.result == "Oslo"


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
