"""Clients that follow threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from agent_framework import tool
from chatkit.store import NotFoundError
from chatkit.types import AssistantMessageContent, AssistantMessageItem

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.event_stream import EventStream
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, text
from ..chat_client import encode
from ..live_client import ME, Gate, LiveClient, chat, hold_commits, settled


async def test_following_starts_during_answer() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate, text("answer")])) as client:
        asking = await client.ask("Hello")
        await asking.text("Half an ")
        following = await client.follow()
        state = await following.until("thread.state")
        assert [item["type"] for item in state["items"]["data"]] == ["user_message"]
        (opened,) = state["open_items"]
        assert opened["content"][0]["text"] == "Half an "
        assert state["turn"] == {
            "id": state["items"]["data"][0]["id"],
            "state": "running",
            "ended_at": None,
        }
        gate.may_go_on.set()
        done = await following.until("turn.updated")
        assert done["turn"]["state"] == "completed"
        assert following.answer == "Half an answer"
        await asking.rest()
        assert asking.ids[-len(following.ids) + 1 :] == following.ids[1:]


async def test_followers_and_list_have_same_end_of_turn() -> None:
    # The page remembers it to tell which answers its user has seen.
    async with chat(agent([text("Hi")])) as client:
        events = await (await client.ask("Hello")).rest()
        turns = [event["turn"] for event in events if event["type"] == "turn.updated"]
        assert turns[-1] == await client.turn()
        assert turns[-1]["state"] == "completed"


async def test_times_sent_to_followers_have_zones() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate, text("answer")])) as client:
        asking = await client.ask("Hello")
        await asking.text("Half an ")
        following = await client.follow()
        state = await following.until("thread.state")
        items = [state["thread"], *state["items"]["data"], *state["open_items"]]
        gate.may_go_on.set()
        items.append((await following.until("thread.item.done"))["item"])
        assert len(items) == 4
        assert all(item["created_at"].endswith("Z") for item in items)
        await asking.rest()


async def test_missed_events_follow_last_seen_event() -> None:
    gate, later = Gate(), Gate()
    answering = agent([text("One "), gate, text("two "), later, text("three")], [text("Yes.")])
    async with chat(answering, text_interval=0) as client:
        asking = await client.ask("Hello")
        await asking.text("One ")
        seen = asking.ids[-1]
        await asking.close()
        gate.may_go_on.set()
        await later.is_reached.wait()
        following = await client.follow(seen)
        await following.text("two ")
        assert following.kinds[0] == "thread.item.updated"
        later.may_go_on.set()
        await following.until("turn.updated")
        assert following.answer == "two three"
        # This also holds across turns.
        await (await client.ask("More?")).rest()
        again = await client.follow(following.ids[-1])
        first = await again.next()
        assert first is not None
        assert first["type"] == "thread.item.done"
        assert first["item"]["type"] == "user_message"
        await again.text("Yes.")


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_resuming_client_receives_items_added_by_others(
    elsewhere: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    answering = agent([text("One "), gate, text("two")])
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as store, SQLStore[Any](url) as other_store:
        server = AgentChatKitServer(answering, store)
        other = AgentChatKitServer(answering, other_store)
        client = LiveClient(server)
        # The follower reads the log so slowly that the turn ends first.
        read_log, may_read = store.log.read_log, asyncio.Event()

        async def read_slowly(*given: Any, **options: Any) -> Any:
            rows = await read_log(*given, **options)
            await may_read.wait()
            return rows

        asking = await client.ask("Hello")
        await asking.text("One ")
        monkeypatch.setattr(store.log, "read_log", read_slowly)
        added = AssistantMessageItem(
            id="item_x",
            thread_id=client.thread_id,
            created_at=datetime.now(),
            content=[AssistantMessageContent(text="By the way")],
        )
        adding = asyncio.create_task(server.add_items(client.thread_id, [added], ME))
        while "item_x" not in str(await client.items()):
            await asyncio.sleep(0.01)
        gate.may_go_on.set()
        await asking.rest()
        assert "item_x" not in str(asking.seen)
        may_read.set()
        await adding
        client.server = other if elsewhere else server
        following = await client.follow(asking.ids[-1])
        state = await following.until("thread.state")
        assert "item_x" in str(state["items"])
        await server.close(grace=0)
        await other.close(grace=0)


async def test_slow_client_receives_no_event_twice() -> None:
    quiet, gate, may_write = Gate(), Gate(), asyncio.Event()
    long = 300_000  # More characters than the worker keeps in memory.

    @tool(approval_mode="never_require")
    def look() -> str:
        return "seen"

    answering = agent(
        [text("a" * long), call("look", "c1")],
        [text("-"), quiet, text("b" * long), gate, text("c" * long), call("look", "c2")],
        [text("d")],
        tools=[look],
    )
    async with chat(answering, text_interval=0) as client:
        asking = await client.ask("Hello")
        await quiet.is_reached.wait()
        worker = client.server.worker
        run = worker.run_of(await client.server.store.log.key_of(client.thread_id, "me"))
        assert run is not None
        await run.writer.checkpoint()
        hold_commits(client, may_write)
        quiet.may_go_on.set()
        await gate.is_reached.wait()
        # It reads the log, and then the events that are not written yet.
        following = await client.follow(asking.ids[0])
        await following.text("b" * long)
        may_write.set()
        gate.may_go_on.set()
        # By then everything is in the log, but only a little in memory.
        await asking.rest()
        await following.until("turn.updated")
        for each in (asking, following):
            assert each.answer == f"{'a' * long}-{'b' * long}{'c' * long}d"
            assert len(set(each.ids)) == len(each.ids)


async def test_long_log_is_read_in_parts() -> None:
    @tool(approval_mode="never_require")
    def look() -> str:
        return "seen"

    long = [[text("x" * 100_000), call("look", f"c{number}")] for number in range(10)]
    async with chat(agent(*long, [text("Done.")], tools=[look])) as client:
        asking = await client.ask("Hello")
        await asking.rest()
        log = client.server.store.log
        key = await log.key_of(client.thread_id, "me")
        position, text_read = 0, ""
        while rows := await log.read_log(key, position):
            sizes = [len(row.data) for row in rows]
            assert sum(sizes[:-1]) <= 256 * 1024
            assert [row.position for row in rows] == [
                *range(position + 1, position + 1 + len(rows))
            ]
            position = rows[-1].position
            text_read += "".join(row.data for row in rows)
        assert text_read.count("x" * 100_000) >= 10


async def test_slow_client_receives_a_little_at_once() -> None:
    texts = [f"{number:5}" * 1000 for number in range(100)]
    gate, may_write = Gate(), asyncio.Event()
    answering = agent([text("-"), gate, *map(text, texts)])
    async with chat(answering, text_interval=0) as client:
        asking = await client.ask("Hello")
        await asking.text("-")
        # All of it is in one row of the log.
        hold_commits(client, may_write)
        gate.may_go_on.set()
        await asking.text(texts[-1])
        may_write.set()
        await asking.rest()
        params = {"thread_id": client.thread_id, "after": asking.ids[0]}
        request = encode("threads.follow", **params)
        result: Any = await client.server.process(request, ME)
        received = b""
        async for frames in result.batches:
            assert len(frames) == 1 or sum(map(len, frames)) < 70_000
            received += b"".join(frames)
            if b'"state":"completed"' in received:
                break
        await result.batches.aclose()
        assert [received.count(each.encode()) for each in texts] == [2] * len(texts)


async def test_large_and_many_events_are_sent_in_parts() -> None:
    sent: list[dict[str, Any]] = []

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def events() -> AsyncGenerator[list[bytes], None]:
        yield [b"a" * 6000] * 5
        yield [b"b"] * 3
        yield [b"d" * 40_000]

    await EventStream([b"c"], events())({"type": "http"}, receive, send)
    pieces = [event["body"] for event in sent[1:]]
    assert [len(piece) for piece in pieces] == [1, 12_000, 12_000, 6000, 3, 16_384, 16_384, 7232, 0]


@pytest.mark.parametrize("after", ["nonsense", "0123456789abcdef.7", "a.b.c", ".", "x.-1"])
async def test_unknown_event_id_gives_fresh_state(after: str) -> None:
    async with chat(agent([text("Hi")])) as client:
        await (await client.ask("Hello")).rest()
        following = await client.follow(after)
        state = await following.next()
        assert state is not None
        assert state["type"] == "thread.state"
        assert [item["type"] for item in state["items"]["data"]] == [
            "assistant_message",
            "user_message",
        ]
        assert state["open_items"] == []


async def test_up_to_date_client_waits_for_events() -> None:
    async with chat(agent([text("Hi")], [text("Ho")])) as client:
        asking = await client.ask("Hello")
        await asking.rest()
        following = await client.follow(asking.ids[-1])
        reading = asyncio.create_task(following.next())
        await (await client.ask("And?")).rest()
        event = await reading
        assert event is not None
        assert event["item"]["content"][0]["text"] == "And?"
        await following.until("turn.updated")
        await following.text("Ho")


async def test_followers_receive_everything_in_thread() -> None:
    async with chat(agent([text("Hi")], [text("Again")])) as client:
        await (await client.ask("Hello")).rest()
        following = await client.follow()
        await following.until("thread.state")
        await client.send("threads.update", thread_id=client.thread_id, title="New")
        assert (await following.until("thread.updated"))["thread"]["title"] == "New"
        question = (await client.items())[0]
        retried = await client.send(
            "threads.retry_after_item",
            {"detached": True},
            thread_id=client.thread_id,
            item_id=question["id"],
        )
        await retried.rest()
        assert (await following.until("thread.item.removed"))["item_id"]
        await following.text("Again")
        await client.send("threads.delete", thread_id=client.thread_id)
        await following.until("thread.deleted", thread_id=client.thread_id)
        assert await following.rest() == []
        assert following.retry is not None


async def test_another_owners_thread_cannot_be_followed_or_stopped() -> None:
    gate = Gate()
    async with chat(agent([text("Hi"), gate])) as client:
        asking = await client.ask("Hello")
        await asking.text("Hi")
        other = LiveClient(client.server, {"user_id": "other"})
        other.thread_id = client.thread_id
        for after in (None, asking.ids[-1]):
            with pytest.raises(NotFoundError):
                await (await other.follow(after)).next()
        with pytest.raises(NotFoundError):
            await other.stop()
        assert (await client.turn())["state"] == "running"


async def test_thread_list_is_followed() -> None:
    gate = Gate()
    async with chat(agent([text("One")], [text("Two"), gate], [text("Three")])) as client:
        await (await client.ask("Hello")).rest()
        following = await client.follow(list=True)
        await following.until("thread.state")
        second = LiveClient(client.server)
        await (await second.ask("Second")).close()
        changed = await following.until("threads.changed")
        assert changed["thread"]["id"] == second.thread_id
        assert changed["thread"]["turn"]["state"] == "running"
        gate.may_go_on.set()
        assert await settled(second) == "completed"
        while changed["thread"]["turn"]["state"] == "running":
            changed = await following.until("threads.changed")
        await second.send("threads.delete", thread_id=second.thread_id)
        await following.until("threads.deleted", thread_id=second.thread_id)
        other = LiveClient(client.server, {"user_id": "other"})
        await (await other.ask("Mine")).rest()
        await client.send("threads.update", thread_id=client.thread_id, title="Mine too")
        await following.until("thread.updated")
        assert "Mine" not in str(
            [event for event in following.seen if event["type"] == "threads.changed"]
        ).replace("Mine too", "")
