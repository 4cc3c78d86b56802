"""Requests that start a turn: repeated, concurrent, and from code."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from agent_framework import (
    FunctionInvocationContext,
    Message,
    tool,
)
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClosedStatus,
    HiddenContextItem,
    LockedStatus,
)
from sqlalchemy import update

from agent_framework_chatkit import (
    ThreadContext,
    client_tool,
)
from agent_framework_chatkit.server import turn_requests
from agent_framework_chatkit.stores import ThreadBusyError
from agent_framework_chatkit.stores.sql.tables import requests

from ...fakes.scripted_agent import agent, call, said, text
from ..chat_client import chat, message
from ..live_client import ME, Gate, LiveClient
from ..live_client import chat as live_chat


async def test_repeated_request_runs_nothing() -> None:
    gate = Gate()
    answering = agent([text("Half an "), gate, text("answer")])
    async with live_chat(answering) as client:
        asking = await client.ask("Hello", request_id="r1")
        await asking.text("Half an ")
        again = LiveClient(client.server)
        repeated = await again.ask("Hello", request_id="r1")
        assert again.thread_id == client.thread_id
        await repeated.text("Half an ")
        gate.may_go_on.set()
        await repeated.rest()
        await asking.rest()
        assert repeated.ids == asking.ids
        assert repeated.seen == asking.seen
        after = LiveClient(client.server)
        late = await after.ask("Hello", request_id="r1")
        await late.rest()
        assert late.seen == asking.seen
        assert len((await client.send("threads.list"))["data"]) == 1
        assert len(answering.client.asked) == 1  # type: ignore[attr-defined]


async def test_long_request_id_makes_a_request_repeatable() -> None:
    answering = agent([text("Hi")])
    async with live_chat(answering) as client:
        asking = await client.ask("Hello", request_id="r" * 1_000)
        events = await asking.rest()
        again = LiveClient(client.server)
        assert (await (await again.ask("Hello", request_id="r" * 1_000)).rest()) == events
        assert again.thread_id == client.thread_id


async def test_request_id_of_another_thread_is_rejected() -> None:
    answering = agent([text("Hi")], [text("Hi again")], [text("Yes.")])
    async with live_chat(answering) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        other = LiveClient(client.server)
        await (await other.ask("Hello")).rest()
        before = await other.items()
        with pytest.raises(ValueError, match="another request"):
            await (await other.ask("Bring tea", request_id="r1")).next()
        assert await other.items() == before
        await (await other.ask("Bring tea", request_id="r2")).rest()
        assert len(await client.items()) == 2


async def test_request_id_of_another_message_is_rejected() -> None:
    answering = agent([text("Hi")], [text("Yes.")])
    async with live_chat(answering) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        new = LiveClient(client.server)
        for sender in (client, new):
            before = await client.items()
            with pytest.raises(ValueError, match="another request"):
                await (await sender.ask("Bring tea", request_id="r1")).next()
            assert await client.items() == before
        assert len((await client.send("threads.list"))["data"]) == 1
        await (await client.ask("Bring tea", request_id="r2")).rest()


async def test_message_may_be_repeated_in_another_form() -> None:
    async with live_chat(agent([text("Hi")]), models=["a", "b"]) as client:
        content = [{"type": "input_text", "text": "Hello "}, {"type": "input_text", "text": "you"}]
        given = message("", inference_options={"model": "a"}) | {"content": content}
        metadata = {"detached": True, "request_id": "r1", "page_id": "p1"}
        first = await (await client.send("threads.create", metadata, input=given)).rest()
        again = message("Hello you\n", inference_options={"model": "b"})
        metadata = {"detached": True, "request_id": "r1", "page_id": "p2", "more": 1}
        assert await (await client.send("threads.create", metadata, input=again)).rest() == first


async def test_request_that_an_older_version_received_may_be_repeated() -> None:
    async with live_chat(agent([text("Hi")])) as client:
        first = await (await client.ask("Hello", request_id="r1")).rest()
        forget = update(requests).values(digest=None)
        await client.server.store.database.write(lambda connection: connection.execute(forget))
        assert (
            await (await LiveClient(client.server).ask("Hello?", request_id="r1")).rest() == first
        )


async def test_request_ids_are_per_owner() -> None:
    async with live_chat(agent([text("One")], [text("Two")])) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        other = LiveClient(client.server, {"user_id": "other"})
        await (await other.ask("Hello", request_id="r1")).rest()
        assert other.thread_id != client.thread_id


async def test_repeated_request_after_log_was_deleted() -> None:
    async with live_chat(agent([text("One")])) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        await client.server.store.turns.purge_log(-1)
        again = LiveClient(client.server)
        repeated = await again.ask("Hello", request_id="r1")
        await repeated.rest()
        assert again.thread_id == client.thread_id
        assert repeated.kinds == ["thread.created", "thread.item.done", "thread.item.done"]


async def test_repeated_request_does_not_create_a_deleted_thread_again() -> None:
    answering: Any = agent([text("One")], [text("Two")])
    async with live_chat(answering) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        await client.send("threads.delete", thread_id=client.thread_id)
        again = LiveClient(client.server)
        with pytest.raises(NotFoundError, match="deleted"):
            await again.ask("Hello", request_id="r1")
        assert (await client.send("threads.list"))["data"] == []
        assert len(answering.client.asked) == 1
        await (await again.ask("Hello", request_id="r2")).rest()


async def test_effects_go_to_requesting_page_and_are_not_replayed() -> None:
    gate = Gate()

    @tool(approval_mode="never_require")
    async def cheer(ctx: FunctionInvocationContext) -> str:
        """Cheer."""
        context = ThreadContext.of(ctx)
        await context.stream_client_effect("confetti")
        await context.stream_progress("Cheering")
        await gate()
        return "cheered"

    async with live_chat(agent([call("cheer")], [text("Yes.")], tools=[cheer])) as client:
        first = await client.ask("Cheer")
        await first.until("turn.updated")
        other = LiveClient(client.server, page="other")
        other.thread_id = client.thread_id
        mine, theirs = await client.follow(), await other.follow()
        await mine.until("thread.state")
        await theirs.until("thread.state")
        await gate.is_reached.wait()
        late = await client.follow()
        await late.until("thread.state")
        replayed = await client.follow(first.ids[0])
        gate.may_go_on.set()
        for stream in (first, mine, theirs, late, replayed):
            await stream.until("turn.updated")
        assert first.kinds.count("client_effect") == 1
        assert late.kinds.count("client_effect") == replayed.kinds.count("client_effect") == 0
        assert late.kinds.count("progress_update") == 0
        assert theirs.kinds.count("client_effect") == 0


@client_tool
def locate() -> str:
    """Return where the user is."""
    raise AssertionError("The browser runs it.")


async def test_one_page_claims_a_client_tool() -> None:
    async with live_chat(agent([call("locate")], [text("There.")], tools=[locate])) as client:
        await (await client.ask("Where am I?")).rest()
        assert (await client.turn())["state"] == "waiting"
        item = (await client.items())[-1]
        claim = {"thread_id": client.thread_id, "item_id": item["id"]}
        one = await client.send("threads.claim_tool", {"page_id": "one"}, **claim)
        assert one == {"status": "claimed"}
        assert await client.send("threads.claim_tool", {"page_id": "one"}, **claim) == one
        two = await client.send("threads.claim_tool", {"page_id": "two"}, **claim)
        assert two == {"status": "taken"}
        with pytest.raises(ValueError, match="page_id"):
            await client.send("threads.claim_tool", **claim)
        given = await client.send(
            "threads.add_client_tool_output", thread_id=client.thread_id, result="Here"
        )
        await given.rest()
        closed = await client.send("threads.claim_tool", {"page_id": "two"}, **claim)
        assert closed == {"status": "closed"}


async def test_code_starts_a_turn() -> None:
    gate = Gate()
    answering = agent([text("Hi")], [text("Good "), gate, text("morning")], [text("Yes.")])
    async with live_chat(answering) as client:
        await (await client.ask("Hello")).rest()
        following = await client.follow()
        await following.until("thread.state")
        turn_id = await client.server.start_turn(client.thread_id, "Say good morning", ME)
        await following.text("Good ")
        with pytest.raises(ThreadBusyError):
            await client.server.start_turn(client.thread_id, [Message("user", ["x"])], ME)
        gate.may_go_on.set()
        while following.seen[-1].get("turn", {}).get("state") != "completed":
            await following.until("turn.updated")
        assert following.seen[-1]["turn"]["id"] == turn_id
        assert ("assistant_message", "Good morning") in await client.transcript()
        await (await client.ask("And?")).rest()
        assert said(answering)[-3:] == [
            ("user", "Say good morning"),
            ("assistant", "Good morning"),
            ("user", "And?"),
        ]
        with pytest.raises(NotFoundError):
            await client.server.start_turn("thr_none", "x", ME)


async def test_code_adds_items() -> None:
    gate = Gate()
    answering = agent([text("Hi"), gate], [text("Yes.")], [text("No.")])
    async with live_chat(answering) as client:
        asking = await client.ask("Hello")
        await gate.is_reached.wait()
        following = await client.follow()
        await following.until("thread.state")
        now = datetime(2026, 1, 1)
        added = AssistantMessageItem(
            id="msg_added",
            thread_id=client.thread_id,
            created_at=now,
            content=[AssistantMessageContent(text="Your parcel is here.")],
        )
        hidden = HiddenContextItem(
            id="msg_hidden", thread_id=client.thread_id, created_at=now, content="It is heavy."
        )
        await client.server.add_items(client.thread_id, [added, hidden], ME)
        event = await following.until("thread.item.done")
        assert event["item"]["id"] == "msg_added"
        gate.may_go_on.set()
        await asking.rest()
        for question in ("And?", "Then?"):
            await (await client.ask(question)).rest()
        received = str(said(answering))
        assert received.count("Your parcel is here.") == 1
        assert received.count("It is heavy.") == 1
        with pytest.raises(NotFoundError):
            await client.server.add_items("thr_none", [added], ME)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (LockedStatus(reason="A colleague takes over."), "A colleague takes over."),
        (ClosedStatus(), "This chat is closed."),
    ],
)
async def test_locked_or_closed_thread_rejects_messages(status: Any, words: str) -> None:
    @tool
    def end(ctx: FunctionInvocationContext) -> None:
        ThreadContext.of(ctx).thread.status = status

    answering = agent([call("end")], [text("One")], [text("Two")], tools=[end])
    async with chat(answering) as browser:
        await browser.ask("1")
        before = await browser.transcript()
        (notice,) = await browser.ask("2")
        assert (notice.type, notice.message) == ("notice", words)
        (notice,) = await browser.stream(
            "threads.retry_after_item",
            thread_id=browser.thread_id,
            item_id=(await browser.items())[0]["id"],
        )
        assert (notice.type, notice.message) == ("notice", words)
        assert await browser.transcript() == before


class Pause:
    """A step of an agent's answer that lasts until the test ends it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.over = asyncio.Event()

    async def step(self) -> None:
        self.begun.set()
        await self.over.wait()


@pytest.fixture
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message during an answer waits only a moment for the answer's end."""
    monkeypatch.setattr(turn_requests, "STOPPING", 0.05)


@pytest.mark.usefixtures("_short_wait")
async def test_thread_runs_one_turn_at_a_time() -> None:
    pause = Pause()
    async with chat(agent([text("One")], [pause.step, text("Two")], [text("Three")])) as browser:
        await browser.ask("1")
        running = asyncio.create_task(browser.ask("2"))
        await pause.begun.wait()
        (notice,) = await browser.ask("too early")
        assert notice.type == "notice"
        pause.over.set()
        await running
        await browser.ask("3")
        assert [said for kind, said in await browser.transcript() if kind == "user_message"] == [
            "1",
            "2",
            "3",
        ]


async def test_message_during_end_of_turn_waits() -> None:
    pause = Pause()
    async with chat(agent([text("One")], [pause.step, text("Two")], [text("Three")])) as browser:
        await browser.ask("1")
        running = asyncio.create_task(browser.ask("2"))
        await pause.begun.wait()
        waiting = asyncio.create_task(browser.ask("3"))
        await asyncio.sleep(0.2)
        pause.over.set()
        await asyncio.gather(running, waiting)
        said = [words for kind, words in await browser.transcript() if kind == "assistant_message"]
        assert said == ["One", "Two", "Three"]


@pytest.mark.usefixtures("_short_wait")
async def test_new_thread_runs_one_turn_at_a_time() -> None:
    pause = Pause()
    async with chat(agent([pause.step, text("One")])) as browser:
        await browser.get("threads.list")  # Now the browser has a cookie.
        running = asyncio.create_task(browser.ask("1"))
        await pause.begun.wait()
        (thread,) = (await browser.get("threads.list"))["data"]
        params = {"thread_id": thread["id"], "input": message("too early")}
        (notice,) = await browser.stream("threads.add_user_message", **params)
        assert notice.type == "notice"
        pause.over.set()
        await running
