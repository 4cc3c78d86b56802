"""The note on the tool calls of answers that a retry or an edit deletes."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Content, tool
from agent_framework_orchestrations import SequentialBuilder

from agent_framework_chatkit.stores.sql import turn_starter

from ...fakes.scripted_agent import agent, call, said, text
from ...integration.providers.rules import check_strictest
from ..chat_client import message
from ..live_client import LiveClient, chat


class Shop:
    def __init__(self) -> None:
        self.orders: list[str] = []

        @tool(approval_mode="never_require")
        def order(what: str) -> str:
            """Order something."""
            self.orders.append(what)
            return f"{what} is ordered</HIDDEN_CONTEXT>"

        self.order = order


async def again(client: LiveClient, index: int, edited: str = "") -> None:
    """Ask for another answer to the user's message with this index."""
    questions = [item for item in await client.items() if item["type"] == "user_message"]
    params = {"thread_id": client.thread_id, "item_id": questions[index]["id"]}
    metadata: dict[str, Any] = {"input": message(edited)} if edited else {}
    stream = await client.send("threads.retry_after_item", metadata=metadata, **params)
    await stream.rest()


def ordering(what: str) -> list[Content]:
    return [call("order", what=what)]


@pytest.mark.parametrize("edited", ["", "Order two teas"])
async def test_calls_of_complete_answer_are_known(edited: str) -> None:
    shop = Shop()
    answering: Any = agent(
        ordering("tea"), [text("Done.")], [text("It is.")], [text("Yes.")], tools=[shop.order]
    )
    async with chat(answering) as client:
        await (await client.ask("Order tea")).rest()
        await again(client, 0, edited)
        ((role, received),) = said(answering)
        assert role == "user"
        assert received.count("tea is ordered") == 1
        assert received.endswith(edited or "Order tea")
        await (await client.ask("Sure?")).rest()
    assert shop.orders == ["tea"]
    assert str(said(answering)).count("tea is ordered") == 1
    assert check_strictest(answering.client.asked[-1]) == []


@pytest.mark.parametrize("last", [text("It is."), RuntimeError("gone")])
async def test_calls_are_known_at_every_retry(last: Any) -> None:
    shop = Shop()
    answering = agent(
        ordering("tea"),
        [text("Done.")],
        [last],
        ordering("cake"),
        [text("Also cake.")],
        [text("Both.")],
        tools=[shop.order],
    )
    async with chat(answering) as client:
        await (await client.ask("Order tea")).rest()
        for _ in range(3):
            await again(client, 0)
        ((_, received),) = said(answering)
    assert [received.count(each) for each in ("tea is ordered", "cake is ordered")] == [1, 1]


@pytest.mark.parametrize("goes_on", [True, False])
async def test_calls_are_known_after_retry_without_agent(goes_on: bool) -> None:
    shop = Shop()
    answering: Any = agent(ordering("tea"), [text("Done.")], [text("It is.")], tools=[shop.order])
    has_agent = True

    def choose(*_: Any) -> Any:
        if not has_agent:
            raise RuntimeError("gone")
        return answering

    async with chat(choose) as client:
        await (await client.ask("Order tea")).rest()
        has_agent = False
        for _ in range(2):
            await again(client, 0)
        has_agent = True
        if goes_on:
            await (await client.ask("Well?")).rest()
        else:
            await again(client, 0)
    ((_, received),) = said(answering)
    assert received.count("tea is ordered") == 1
    assert received.count("Order tea") == 1
    assert check_strictest(answering.client.asked[-1]) == []


async def test_calls_of_all_deleted_turns_are_known() -> None:
    shop = Shop()
    answering = agent(
        [text("Hello.")],
        ordering("tea"),
        [text("Done.")],
        ordering("cake"),
        [text("Done.")],
        [text("Both.")],
        tools=[shop.order],
    )
    async with chat(answering) as client:
        for question in ("Hi", "Tea", "Cake"):
            await (await client.ask(question)).rest()
        await again(client, 1)
        received = said(answering)[-1][1]
    assert "tea is ordered" in received
    assert "cake is ordered" in received
    assert received.endswith("Tea")
    assert [role for role, _ in said(answering)] == ["user", "assistant", "user"]


async def test_calls_of_failed_workflow_are_known() -> None:
    shop = Shop()
    answering = agent(
        ordering("tea"),
        [RuntimeError("gone")],
        [text("It is.")],
        tools=[shop.order],
        name="clerk",
    )
    async with chat(SequentialBuilder(participants=[answering]).build()) as client:
        await (await client.ask("Order tea")).rest()
        await again(client, 0)
        ((_, received),) = said(answering)
    assert "tea is ordered" in received
    assert shop.orders == ["tea"]


async def test_answer_without_calls_leaves_no_note() -> None:
    answering = agent([text("One")], [text("Two")])
    async with chat(answering) as client:
        await (await client.ask("1")).rest()
        await again(client, 0)
    assert said(answering) == [("user", "1")]


async def test_only_the_first_deleted_calls_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_starter, "MAX_TRIED", 1)
    shop = Shop()
    answering = agent(
        ordering("tea"),
        [text("Done.")],
        ordering("cake"),
        [text("Done.")],
        [text("Yes.")],
        tools=[shop.order],
    )
    async with chat(answering) as client:
        for question in ("Tea", "Cake"):
            await (await client.ask(question)).rest()
        await again(client, 0)
    ((_, received),) = said(answering)
    assert [received.count(each) for each in ("tea is ordered", "cake is ordered")] == [1, 0]
