"""Widget actions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, tool
from chatkit.errors import CustomStreamError
from chatkit.types import LockedStatus, ThreadMetadata, WidgetItem
from chatkit.widgets import WidgetRoot

from agent_framework_chatkit import (
    AgentChatKitServer,
    ThreadContext,
    action,
    create_app,
)
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, said, text
from ..chat_client import Browser, chat, of_type
from ..offering import book, card, offer, offering, use, use_at_once, widget_of


def texts(item: dict[str, Any]) -> list[str]:
    return [each["value"] for each in item["widget"]["children"] if "value" in each]


async def test_action_changes_widget_and_agent_answers() -> None:
    answering = offering([text("Have a good trip.")], [text("To Oslo.")])
    async with chat(answering, actions=[book]) as browser:
        await browser.ask("Oslo")
        events = await use(browser, "book", {"to": "Oslo", "guests": "2"})
        assert [event.text for event in of_type(events, "progress_update")] == ["Booking"]
        widget = await widget_of(browser)
        assert (texts(widget), widget["copy_text"]) == (["Booked: Oslo"], "Booked: Oslo")
        assert (await browser.transcript())[-1] == ("assistant_message", "Have a good trip.")
        await browser.ask("Where to?")
    # The agent remembers this in later turns.
    assert said(answering)[-3:] == [
        ("user", "I have booked a flight to Oslo for 2."),
        ("assistant", "Have a good trip."),
        ("user", "Where to?"),
    ]


async def test_retry_forgets_later_actions() -> None:
    answering = offering([text("Have a good trip.")], [call("offer")], [text("Again.")])
    async with chat(answering, actions=[book]) as browser:
        await browser.ask("Oslo")
        await use(browser, "book", {"to": "Oslo"})
        asked = (await browser.items())[0]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=asked["id"]
        )
        assert texts(await widget_of(browser)) == ["Oslo?"]
    assert [role for role, _ in said(answering)] == ["user", "assistant", "tool"]


async def test_repeated_click_is_rejected() -> None:
    async with chat(offering([text("Have a good trip.")]), actions=[book]) as browser:
        await browser.ask("Oslo")
        await use(browser, "book", {"to": "Oslo"})
        before = await browser.items()
        (notice,) = of_type(await use(browser, "book", {"to": "Oslo"}), "notice")
        assert "no longer available" in notice.message
        assert await browser.items() == before


async def test_concurrent_clicks_book_once() -> None:
    booked = []
    release = asyncio.Event()

    @action("book")
    async def slow(trip: dict[str, Any], context: ThreadContext[Any]) -> None:
        await release.wait()
        booked.append(trip)
        await context.replace_widget(card("Booked"))

    async with chat(offering(), actions=[slow]) as browser:
        await browser.ask("Oslo")
        clicks = [asyncio.create_task(use(browser, "book", {})) for _ in range(2)]
        refused, _ = await asyncio.wait(clicks, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        await asyncio.gather(*clicks)
        assert booked == [{}]
        (notice,) = of_type(refused.pop().result(), "notice")
        assert "Wait until it is finished" in notice.message


async def test_action_waits_for_running_answer() -> None:
    release = asyncio.Event()
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await release.wait()

    async with chat(offering([wait, text("Done.")]), actions=[book]) as browser:
        await browser.ask("Oslo")
        asking = asyncio.create_task(browser.ask("And?"))
        await begun.wait()
        (notice,) = await use(browser, "book", {"to": "Oslo"})
        assert "Wait until it is finished" in notice.message
        assert (await use_at_once(browser, "book", {"to": "Oslo"})).status_code == 409
        release.set()
        await asking
        assert texts(await widget_of(browser)) == ["Oslo?"]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"to": "Oslo", "guests": "many"}, "Guests: Input should be a valid integer"),
        ({"to": "Oslo", "guests": 0}, "Guests: Input should be greater than or equal to 1"),
        ({"guests": 1}, "To: Field required"),
        ({"to": "Atlantis"}, "To: Nobody flies there."),
        ({"to": "Oslo", "day": "soon"}, "Day: "),
        (None, "Input should be a valid dictionary"),
    ],
)
async def test_invalid_payload_is_explained(payload: Any, problem: str) -> None:
    answering = offering()
    async with chat(answering, actions=[book]) as browser:
        await browser.ask("Oslo")
        before = await browser.items()
        (notice,) = of_type(await use(browser, "book", payload), "notice")
        assert problem in notice.message
        response = await use_at_once(browser, "book", payload)
        assert response.status_code == 400
        assert problem in response.json()["error"]
        assert await browser.items() == before
    assert len(answering.client.asked) == 2


async def test_unhandled_action_is_rejected(caplog: pytest.LogCaptureFixture) -> None:
    async with chat(offering()) as browser:
        await browser.ask("Oslo")
        (notice,) = of_type(await use(browser, "book"), "notice")
        assert notice.message == "This chat cannot do that."
        response = await use_at_once(browser, "book")
        assert (response.status_code, response.json()["error"]) == (400, notice.message)
    assert "'book'" in caplog.text


async def test_handler_failure_is_reported_safely(caplog: pytest.LogCaptureFixture) -> None:
    @action("fail")
    async def fail(payload: Any, context: ThreadContext[Any]) -> None:
        async def states() -> AsyncIterator[WidgetRoot]:
            yield card("Working")
            raise RuntimeError("a secret")

        await context.replace_widget(states())  # type: ignore[arg-type]

    async with chat(offering([text("Still here.")]), actions=[fail]) as browser:
        await browser.ask("Oslo")
        before = await browser.items()
        events = await use(browser, "fail")
        (error,) = of_type(events, "error")
        assert error.message == "Something went wrong. Try again."
        assert not error.allow_retry
        # The widget showed that it was busy, and is restored.
        assert events[1].update.type == "widget.root.updated"
        assert texts(of_type(events, "thread.item.replaced")[-1].item.model_dump()) == ["Oslo?"]
        assert await browser.items() == before
        response = await use_at_once(browser, "fail")
        assert (response.status_code, "secret" in response.text) == (500, False)
        assert await browser.items() == before
        await browser.ask("Hello?")
        assert (await browser.transcript())[-1] == ("assistant_message", "Still here.")
    assert "a secret" in caplog.text


async def test_handler_can_explain_failure() -> None:
    @action("fail")
    def full(payload: None, context: ThreadContext[Any]) -> None:
        raise CustomStreamError("The flight is full.")

    async with chat(offering(), actions=[full]) as browser:
        await browser.ask("Oslo")
        (error,) = of_type(await use(browser, "fail"), "error")
        assert error.message == "The flight is full."
        assert (await use_at_once(browser, "fail")).json()["error"] == "The flight is full."


async def test_agent_output_after_handler_has_sender() -> None:
    @tool(approval_mode="never_require")
    async def confirm(ctx: FunctionInvocationContext) -> str:
        """Confirm the booking."""
        await ThreadContext.of(ctx).replace_widget(card("Confirmed"))
        return "confirmed"

    answering = agent(
        [call("offer")], [text("Here.")], [call("confirm")], [text("Bye.")], tools=[offer, confirm]
    )
    async with chat(answering, actions=[book]) as browser:
        await browser.ask("Oslo")
        await use(browser, "book", {"to": "Oslo"})
        assert texts(await widget_of(browser)) == ["Confirmed"]


async def test_handler_streams_the_states_of_its_widget() -> None:
    @action("look")
    async def look(payload: None, context: ThreadContext[Any]) -> None:
        async def states() -> AsyncIterator[WidgetRoot]:
            for value in ("Oslo? Cold", "Oslo? Cold and wet"):
                yield card(value, "book", "look", "fail", "tell")

        await context.replace_widget(states())  # type: ignore[arg-type]

    async with chat(offering(), actions=[look]) as browser:
        await browser.ask("Oslo")
        events = await use(browser, "look")
        assert [event.update.delta for event in of_type(events, "thread.item.updated")] == [
            " Cold",
            " and wet",
        ]
        assert texts(await widget_of(browser)) == ["Oslo? Cold and wet"]


async def test_handler_shows_items_and_adds_hidden_context() -> None:
    @action("tell")
    async def tell(payload: None, context: ThreadContext[Any]) -> None:
        await context.stream_widget(card("Another"))
        await context.stream_client_effect("confetti")
        await context.add_hidden_context("The user likes Oslo.")

    answering = offering([text("You like Oslo.")], [text("You do.")])
    async with chat(answering, actions=[tell]) as browser:
        await browser.ask("Oslo")
        events = await use(browser, "tell")
        assert len(of_type(events, "client_effect")) == 1
        assert [item["type"] for item in await browser.items()][-1] == "widget"
        # A synchronous action may only update its widget.
        before = await browser.items()
        assert (await use_at_once(browser, "tell")).status_code == 501
        assert await browser.items() == before
        await browser.ask("What do I like?")
        assert (
            "user",
            "<HIDDEN_CONTEXT>The user likes Oslo.</HIDDEN_CONTEXT>\n\nWhat do I like?",
        ) in said(answering)
        await browser.ask("Really?")
    assert str(said(answering)).count("HIDDEN_CONTEXT>The") == 1


async def test_action_in_thread_without_messages() -> None:
    answering = agent([text("Have a good trip.")], [text("To Oslo.")])
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(answering, store, actions=[book])
        browser = Browser(create_app(server, authenticate=lambda _: "me"))
        context = {"user_id": "me"}
        now = datetime(2026, 1, 1)
        await store.save_thread(ThreadMetadata(id="thr", created_at=now), context)
        item = WidgetItem(id="w", thread_id="thr", created_at=now, widget=card("Oslo?", "book"))
        await store.add_thread_item("thr", item, context)
        browser.thread_id = "thr"
        await use(browser, "book", {"to": "Oslo"})
        await browser.ask("Where to?")
        await server.close()
    first, *later = said(answering)
    assert first[1].endswith("I have booked a flight to Oslo for 1.")
    assert later == [("assistant", "Have a good trip."), ("user", "Where to?")]


async def test_open_requests_are_withdrawn() -> None:
    paid = []

    @tool(approval_mode="always_require")
    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        return "paid"

    answering = agent(
        [call("offer")], [call("pay", "c2", amount=1)], [text("Booked.")], tools=[offer, pay]
    )
    async with chat(answering, actions=[book]) as browser:
        await browser.ask("Oslo")
        await use(browser, "book", {"to": "Oslo"})
        cards = [item for item in await browser.items() if item["type"] == "widget"]
        assert "Declined" in cards[1]["copy_text"]
        assert (await browser.transcript())[-1] == ("assistant_message", "Booked.")
    assert paid == []


async def test_another_owners_widget_is_not_found() -> None:
    async with chat(offering(), actions=[book]) as browser:
        await browser.ask("Oslo")
        widget = await widget_of(browser)
        other = Browser(browser.app)
        params = {"item_id": widget["id"], "action": {"type": "book", "payload": {"to": "Oslo"}}}
        for kind in ("threads.custom_action", "threads.sync_custom_action"):
            response = await other.post(kind, thread_id=browser.thread_id, **params)
            assert response.status_code == 404
        assert texts(await widget_of(browser)) == ["Oslo?"]


async def test_deleted_widget_is_not_found() -> None:
    async with chat(offering(), actions=[book]) as browser:
        await browser.ask("Oslo")
        for kind in ("threads.custom_action", "threads.sync_custom_action"):
            response = await browser.post(
                kind,
                thread_id=browser.thread_id,
                item_id="gone",
                action={"type": "book", "payload": {"to": "Oslo"}},
            )
            assert response.status_code == 404


async def test_agent_failure_keeps_effects_of_handler() -> None:
    async with chat(offering([text("Have"), RuntimeError("a secret")]), actions=[book]) as browser:
        await browser.ask("Oslo")
        events = await use(browser, "book", {"to": "Oslo"})
        assert len(of_type(events, "error")) == 1
        assert texts(await widget_of(browser)) == ["Booked: Oslo"]


async def test_handler_locks_thread() -> None:
    @action("look")
    async def lock(payload: None, context: ThreadContext[Any]) -> None:
        context.thread.status = LockedStatus(reason="Done.")

    async with chat(offering(), actions=[lock]) as browser:
        await browser.ask("Oslo")
        await use(browser, "look")
        (notice,) = of_type(await browser.ask("Hello?"), "notice")
        assert notice.message == "Done."
