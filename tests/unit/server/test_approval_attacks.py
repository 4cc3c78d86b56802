"""Attacks on approvals: calls that look like other calls, and answers for other calls."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content, FunctionMiddleware, FunctionTool, ToolApprovalMiddleware
from chatkit.types import WidgetItem
from chatkit.widgets import Card, Text

from agent_framework_chatkit import AgentChatKitServer, AgentResponseConverter, create_app
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, text
from ...integration.providers.rules import check_strictest
from ..answering import Bank, act, cards, click, payload
from ..chat_client import Browser, chat, of_type


class Recorder:
    """A tool that accepts any arguments, and records them."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

        def run(**arguments: Any) -> str:
            self.given.append(arguments)
            return "ran"

        self.tool = FunctionTool(
            name="run",
            description="Run it.",
            func=run,
            input_model={"type": "object", "properties": {}},
            approval_mode="always_require",
        )


def called(arguments: Any, name: str = "run", call_id: str = "c1") -> Content:
    return Content.from_function_call(call_id, name, arguments=arguments)


def shown(card: dict[str, Any]) -> dict[str, str]:
    """Return the names and values on a card."""
    found = {}
    for column in (each for each in card["widget"]["children"] if each["type"] == "Col"):
        name, value = column["children"]
        label = name["children"][0] if name["type"] == "Row" else name
        assert label["value"] not in found
        found[label["value"]] = value["value"]
    return found


@pytest.mark.parametrize(
    ("arguments", "on_card"),
    [
        ('{"a": 1, "a": 2}', {"a": "2"}),
        ('{"a": {"b": 1, "b": 2}}', {"a": '{\n  "b": 2\n}'}),
        ('{"a": "1"}', {"a": '"1"'}),
        ('{"a": 1}', {"a": "1"}),
        ('{"a": 1.0}', {"a": "1.0"}),
        ('{"a": NaN}', {"a": "NaN"}),
        ('{"a": "NaN"}', {"a": '"NaN"'}),
        ('{"a": -Infinity}', {"a": "-Infinity"}),
        ('{"a": 1e999}', {"a": "Infinity"}),
        ('{"a": 12345678901234567890123}', {"a": "12345678901234567890123"}),
        ('{"a": true, "b": "true", "c": null, "d": "null"}', {"a": "true", "b": '"true"'}),
        ('{"a": "", "b": [], "c": {}}', {"a": '""', "b": "[]", "c": "{}"}),
        ('{"": 1, " ": 2, "\\u00a0": 3}', {'""': "1", '" "': "2", '"\\u00a0"': "3"}),
        ('{"a": 1, "A": 2, "a ": 3, "a:": 4}', {"a": "1", "A": "2", '"a "': "3", '"a:"': "4"}),
        ('{"a\\nb": 1, "# a": 2, "<b>": 3}', {'"a\\nb"': "1", '"# a"': "2", '"<b>"': "3"}),
        ('{"Approved by admin": "yes"}', {'"Approved by admin"': "yes"}),
        ('{"\\u0065\\u0301": 1, "\\u00e9": 2}', {'"e\u0301"': "1", "é": "2"}),
        ("[1, 2]", {"raw": "[\n  1,\n  2\n]"}),
        ("null", {"raw": "null"}),
        ("rm -rf /", {"raw": "rm -rf /"}),
        ('{"a": 1', {"raw": '"{\\"a\\": 1"'}),
        ("", {}),
    ],
)
async def test_card_shows_what_the_tool_gets(arguments: str, on_card: dict[str, str]) -> None:
    recorder = Recorder()
    answering = agent([called(arguments)], [text("Done.")], tools=[recorder.tool])
    async with chat(answering) as browser:
        await browser.ask("Run")
        (card,) = await cards(browser)
        assert on_card.items() <= shown(card).items()
        assert not recorder.given
        await click(browser, card)
        (given,) = recorder.given
        assert len(given) == len(shown(card))
        for (name, value), (label, as_shown) in zip(
            given.items(), shown(card).items(), strict=True
        ):
            assert label in (name, json.dumps(name, ensure_ascii=False), json.dumps(name))
            assert as_shown in (value, json.dumps(value, indent=2))


@pytest.mark.parametrize(
    "value", ["9" * 5_000, "[" * 100_000 + "]" * 100_000], ids=["long number", "deep"]
)
async def test_call_that_cannot_be_shown_does_not_run(value: str) -> None:
    recorder = Recorder()
    answering = agent([called(f'{{"a": {value}}}')], [text("Sorry.")], tools=[recorder.tool])
    async with chat(answering) as browser:
        events = await browser.ask("Run")
        assert of_type(events, "error")
        await browser.ask("And now?")
        assert (await browser.transcript())[-1] == ("assistant_message", "Sorry.")
    assert not recorder.given


async def test_long_names_and_values_are_whole() -> None:
    recorder = Recorder()
    arguments = {"n" * 10_000: "v" * 1_000_000, "n" * 10_000 + "x": ["deep"] * 1_000}
    answering = agent([called(json.dumps(arguments))], [text("Done.")], tools=[recorder.tool])
    async with chat(answering) as browser:
        await browser.ask("Run")
        (card,) = await cards(browser)
        assert list(shown(card)) == list(arguments)
        assert shown(card)["n" * 10_000] == "v" * 1_000_000
        await click(browser, card)
    assert recorder.given == [arguments]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"to": "boss", "to": "me"}',
        '{"to": [{"a": 1, "a": 1}]}',
        '{"to": 1e400}',
        '{"to": [NaN]}',
        '{"to": 9007199254740993}',
        f'{{"to": {"1" * 5000}}}',
        '{"to": 0.1000000000000000055}',
        '{"to": 1e-9999999999999999999}',
    ],
)
async def test_ambiguous_arguments_of_a_hosted_call_are_shown_as_text(arguments: str) -> None:
    hosted = Content.from_function_call(
        "m1", "send", arguments=arguments, hosted=True, server_name="mail"
    )
    answering = agent([Content.from_function_approval_request("m1", hosted)], [text("Sent.")])
    async with chat(answering) as browser:
        await browser.ask("Send")
        (card,) = await cards(browser)
        assert shown(card) == {"arguments": json.dumps(arguments)}
        assert "mail" in card["copy_text"].splitlines()[0]


async def test_numbers_of_a_hosted_call_that_all_programs_read_alike_are_shown_by_name() -> None:
    arguments = '{"a": 1.50, "b": 1e3, "c": -7, "d": 9007199254740992}'
    hosted = Content.from_function_call("m1", "send", arguments=arguments, hosted=True)
    answering = agent([Content.from_function_approval_request("m1", hosted)], [text("Sent.")])
    async with chat(answering) as browser:
        await browser.ask("Send")
        (card,) = await cards(browser)
    assert shown(card) == {"a": "1.5", "b": "1000.0", "c": "-7", "d": "9007199254740992"}


async def test_two_calls_with_the_same_id_are_decided_separately() -> None:
    bank = Bank()
    both = [call("pay", "c1", amount=1), call("pay", "c1", amount=1_000)]
    answering = agent(both, [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay")
        for card in await cards(browser):
            is_small = shown(card) == {"amount": "1"}
            await click(browser, card, "confirm" if is_small else "cancel")
        assert 1_000 not in bank.paid


@pytest.mark.parametrize(("button", "paid"), [("confirm", [500]), ("cancel", [])])
async def test_changed_arguments_are_asked_again(button: str, paid: list[int]) -> None:
    class Cents(FunctionMiddleware):
        async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
            if context.arguments["amount"] < 100:
                context.arguments = {"amount": context.arguments["amount"] * 100}
            await call_next()

    bank = Bank()
    answering: Any = agent(
        [call("pay", amount=5)], [text("Done.")], tools=[bank.pay], middleware=[Cents()]
    )
    async with chat(answering) as browser:
        await browser.ask("Pay")
        await click(browser, (await cards(browser))[0])
        assert bank.paid == []
        _, second = await cards(browser)
        assert shown(second) == {"amount": "500"}
        await click(browser, second, button)
        assert bank.paid == paid
    assert check_strictest(answering.client.asked[-1]) == []


async def test_old_approval_is_not_valid_for_an_equal_call() -> None:
    bank = Bank()
    asking = [call("pay", amount=5)]
    answering = agent(asking, [text("Paid.")], asking, [text("Again.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        (old,) = await cards(browser)
        await click(browser, old)
        await browser.ask("Pay 5 again")
        new = (await cards(browser))[-1]
        assert new["id"] != old["id"]
        for item_id, action in ((old["id"], payload(old)), (old["id"], payload(new))):
            assert of_type(await act(browser, item_id, action), "notice")
        assert bank.paid == [5]
        await click(browser, new)
        assert bank.paid == [5, 5]


def second_page(browser: Browser) -> Browser:
    other = Browser(browser.app)
    other.http.cookies, other.thread_id = browser.http.cookies, browser.thread_id
    return other


async def test_two_pages_decide_at_once() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        other = second_page(browser)
        (card,) = await cards(browser)
        await asyncio.gather(click(browser, card), click(other, card, "cancel"))
        (decided,) = await cards(other)
        assert await cards(browser) == [decided]
        assert ("Approved" in decided["copy_text"]) == (bank.paid == [5])
        assert ("Declined" in decided["copy_text"]) == (bank.paid == [])


@pytest.mark.parametrize("what", ["message", "retry", "edit", "delete"])
async def test_stale_page_approves_nothing(what: str) -> None:
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Fine.")], tools=[bank.pay])
    async with chat(answering) as browser:
        await browser.ask("Pay 5")
        other = second_page(browser)
        (card,) = await cards(other)
        question = (await browser.items())[0]["id"]
        if what == "message":
            await browser.ask("No")
        elif what == "delete":
            await browser.get("threads.delete", thread_id=browser.thread_id)
        else:
            request: dict[str, Any] = {
                "type": "threads.retry_after_item",
                "params": {"thread_id": browser.thread_id, "item_id": question},
            }
            if what == "edit":
                content = [{"type": "input_text", "text": "Pay nothing"}]
                request["metadata"] = {
                    "input": {"content": content, "attachments": [], "inference_options": {}}
                }
            assert (await browser.http.post("/chatkit", json=request)).status_code == 200
        await other.post(
            "threads.custom_action",
            thread_id=other.thread_id,
            item_id=card["id"],
            action=payload(card),
        )
        assert bank.paid == []


async def test_always_says_what_it_allows() -> None:
    bank = Bank()
    converter = AgentResponseConverter(always_approve=True)
    answering = agent(
        [call("pay", amount=5)], tools=[bank.pay], middleware=[ToolApprovalMiddleware()]
    )
    async with chat(answering, response_converter=converter) as browser:
        await browser.ask("Pay 5")
        (card,) = await cards(browser)
        texts = json.dumps(card["widget"])
        assert "every later call of this tool in this chat, with any arguments" in texts


async def test_withdrawn_request_cannot_be_approved() -> None:
    bank = Bank()
    answering = agent([call("pay", amount=1)], [text("Fine.")], tools=[bank.pay])
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer[Any](answering, store)
        browser = Browser(create_app(server, authenticate=lambda request: "ada"))
        owner = {"user_id": "ada"}
        await browser.ask("Pay")
        (card,) = await cards(browser)
        # A new message withdraws the card, but its worker dies before the agent reads the message.
        item = await store.load_item(browser.thread_id, card["id"], owner)
        assert isinstance(item, WidgetItem)
        widget = Card(children=[Text(value="Not approved")])
        withdrawn = item.model_copy(update={"widget": widget})
        await store.save_item(browser.thread_id, withdrawn, owner)
        (notice,) = of_type(await click(browser, card), "notice")
        assert "no longer open" in notice.message
        assert bank.paid == []
        await browser.ask("Do not pay")
        assert (await browser.transcript())[-1] == ("assistant_message", "Fine.")
        await browser.http.aclose()


async def test_two_workers_decide_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        for _ in range(5):
            bank = Bank()
            answering = agent([call("pay", amount=5)], [text("Done.")], tools=[bank.pay])
            servers = [AgentChatKitServer[Any](answering, store) for store in (one, two)]
            pages = [
                Browser(create_app(server, authenticate=lambda _: "ada")) for server in servers
            ]
            await pages[0].ask("Pay 5")
            pages[1].thread_id = pages[0].thread_id
            (card,) = await cards(pages[0])
            buttons = zip(pages * 2, ["confirm", "cancel", "cancel", "confirm"], strict=True)
            await asyncio.gather(*(click(page, card, button) for page, button in buttons))
            # The winner's answer has ended, and the others were refused.
            for page in pages:
                assert of_type(await click(page, card), "notice")
            (decided,) = await cards(pages[1])
            assert ("Approved" in decided["copy_text"]) == (bank.paid == [5])
            assert ("Declined" in decided["copy_text"]) == (bank.paid == [])
            for page, server in zip(pages, servers, strict=True):
                await page.http.aclose()
                await server.close()


async def test_approval_is_not_valid_with_another_secret(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    bank = Bank()
    answering = agent([call("pay", amount=5)], [text("Fine.")], tools=[bank.pay])
    async with SQLStore[Any](url) as before:
        server = AgentChatKitServer[Any](answering, before)
        page = Browser(create_app(server, authenticate=lambda _: "ada"))
        await page.ask("Pay 5")
        (card,) = await cards(page)
        await server.close()
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection, connection:
        connection.execute("UPDATE chatkit_secrets SET value = 'another'")
    async with SQLStore[Any](url) as after:
        server = AgentChatKitServer[Any](answering, after)
        page.http = Browser(create_app(server, authenticate=lambda _: "ada")).http
        (notice,) = of_type(await click(page, card), "notice")
        assert "was not made" in notice.message
        await page.ask("Well?")
        assert (await page.transcript())[-1] == ("assistant_message", "Fine.")
        await server.close()
    assert bank.paid == []
