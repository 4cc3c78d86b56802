"""Answers that outlive their requests, and clients that follow threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from agent_framework import FunctionInvocationContext, Message, tool
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
)

from agent_framework_chatkit import AgentChatKitServer, ThreadContext, client_tool
from agent_framework_chatkit.http.event_stream import EventStream
from agent_framework_chatkit.server import worker
from agent_framework_chatkit.stores import SQLStore, ThreadBusyError

from .live_client import ME, Gate, LiveClient, bury, chat, settled
from .scripted_agent import agent, call, said, text

# Answers go on


async def test_an_answer_goes_on_when_its_client_goes_away() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate, text("answer")])) as client:
        asking = await client.ask("Hello")
        await asking.text("Half an ")
        await asking.close()
        gate.may_go_on.set()
        assert await settled(client) == "completed"
        assert await client.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Half an answer"),
        ]


async def test_an_answer_of_a_plain_client_stops_with_it() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate, text("answer")])) as client:
        asking = await client.ask("Hello", detached=False)
        await asking.text("Half an ")
        assert asking.ids == []
        await asking.close()
        assert (await client.turn())["state"] == "stopped"
        assert [kind for kind, _ in await client.transcript()] == [
            "user_message",
            "assistant_message",
            "end_of_turn",
        ]


async def test_a_server_that_is_not_detached_cannot_be_followed() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate]), detached=False) as client:
        asking = await client.ask("Hello")
        assert "can_follow" not in asking.seen[0]
        await asking.text("Half an ")
        await asking.close()
        assert (await client.turn())["state"] == "stopped"
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert "can_follow" not in thread
        with pytest.raises(NotImplementedError, match="detached"):
            await (await client.follow()).next()


async def test_a_client_learns_that_it_can_follow() -> None:
    async with chat(agent([text("Hi")])) as client:
        asking = await client.ask("Hello")
        assert asking.seen[0]["can_follow"] is True
        await asking.rest()
        assert all("can_follow" not in event for event in asking.seen[1:])
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert thread["can_follow"] is True
        assert thread["turn"]["state"] == "completed"
        (listed,) = (await client.send("threads.list"))["data"]
        assert listed["turn"] == thread["turn"]


# Following


async def test_a_thread_is_followed_from_the_middle_of_an_answer() -> None:
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


async def test_followers_are_told_the_zone_of_all_times() -> None:
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


async def test_what_was_missed_comes_after_the_last_event_that_was_seen() -> None:
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
        # And across turns.
        await (await client.ask("More?")).rest()
        again = await client.follow(following.ids[-1])
        first = await again.next()
        assert first is not None
        assert first["type"] == "thread.item.done"
        assert first["item"]["type"] == "user_message"
        await again.text("Yes.")


async def test_a_client_that_falls_behind_twice_is_told_nothing_twice() -> None:
    quiet, gate, may_write = Gate(), Gate(), asyncio.Event()
    long = 300_000  # More characters than are kept in memory.

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
        persist = worker.persist

        async def when_it_may(write: Any) -> Any:
            await may_write.wait()
            return await persist(write)

        worker.persist = when_it_may  # type: ignore[method-assign]
        quiet.may_go_on.set()
        await gate.is_reached.wait()
        # It reads the log, and then what is not written yet.
        following = await client.follow(asking.ids[0])
        await following.text("b" * long)
        may_write.set()
        gate.may_go_on.set()
        # By then all is in the log, and little of it in memory.
        await asking.rest()
        await following.until("turn.updated")
        for each in (asking, following):
            assert each.answer == f"{'a' * long}-{'b' * long}{'c' * long}d"
            assert len(set(each.ids)) == len(each.ids)


async def test_little_of_a_long_log_is_read_at_once() -> None:
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


async def test_large_and_many_events_are_sent_in_pieces() -> None:
    sent: list[dict[str, Any]] = []

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def events() -> AsyncGenerator[list[bytes], None]:
        yield [b"a" * 50_000] * 5
        yield [b"b"] * 3
        yield [b"d" * 100_000]

    await EventStream([b"c"], events())({"type": "http"}, receive, send)
    pieces = [event["body"] for event in sent[1:]]
    assert [len(piece) for piece in pieces] == [1, 100_000, 100_000, 50_000, 3, 65_536, 34_464, 0]


@pytest.mark.parametrize("text_interval", [0, 0.03])
async def test_a_run_waits_while_much_is_not_yet_written(text_interval: float) -> None:
    said = 0
    long = "x" * 100_000

    async def note() -> None:
        nonlocal said
        said += 1

    steps = [step for _ in range(40) for step in (text(long), note)]
    async with chat(agent(steps), text_interval=text_interval) as client:
        worker = client.server.worker
        persist = worker.persist
        may_write = asyncio.Event()

        async def when_it_may(write: Any) -> Any:
            await may_write.wait()
            return await persist(write)

        worker.persist = when_it_may  # type: ignore[method-assign]
        asking = await client.ask("Hello")
        await asyncio.sleep(0.5)
        # Some is being written, and no more than a megabyte waits.
        assert said < 30
        may_write.set()
        await asking.rest()
        assert asking.answer == long * 40


@pytest.mark.parametrize("after", ["nonsense", "0123456789abcdef.7", "a.b.c", ".", "x.-1"])
async def test_an_event_that_is_not_known_gives_a_fresh_state(after: str) -> None:
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


async def test_a_client_that_has_seen_all_waits_for_more() -> None:
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


async def test_all_that_happens_in_a_thread_is_told() -> None:
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


async def test_a_list_of_threads_is_followed_too() -> None:
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


# Stopping


async def test_a_stop_reaches_the_turn_and_says_what_became_of_it() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate], [text("Yes.")])) as client:
        asking = await client.ask("Hello")
        await asking.text("Half an ")
        turn = await client.turn()
        assert await client.stop(turn_id="another") == "idle"
        assert await client.stop(turn_id=turn["id"]) == "stopped"
        assert await client.stop() == "idle"
        rest = await asking.rest()
        assert [event["type"] for event in rest] == [
            "thread.item.done",
            "thread.item.done",
            "turn.updated",
        ]
        end = rest[1]["item"]
        assert (end["type"], end["state"], end["turn_id"]) == (
            "end_of_turn",
            "stopped",
            turn["id"],
        )
        assert rest[2]["turn"]["state"] == "stopped"
        await (await client.ask("And now?")).rest()
        assert (await client.turn())["state"] == "completed"


async def test_plain_clients_do_not_see_how_turns_ended() -> None:
    gate = Gate()
    async with chat(agent([text("Half an "), gate])) as client:
        asking = await client.ask("Hello", detached=False)
        await asking.text("Half an ")
        await client.stop()
        assert "turn.updated" not in asking.kinds + [e["type"] for e in await asking.rest()]
        page = await client.send("items.list", thread_id=client.thread_id)
        assert [item["type"] for item in page["data"]] == ["assistant_message", "user_message"]
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert len(thread["items"]["data"]) == 2


async def test_a_stop_of_a_tool_that_does_not_listen_is_said_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, may_end = asyncio.Event(), asyncio.Event()

    @tool(approval_mode="never_require")
    async def stubborn() -> str:
        """Do not stop."""
        reached.set()
        with suppress(asyncio.CancelledError):
            await may_end.wait()
        await may_end.wait()
        return "done"

    monkeypatch.setattr(worker, "STOPPED_WITHIN", 0.05)
    async with chat(agent([call("stubborn")], [text("x")], tools=[stubborn])) as client:
        asking = await client.ask("Go")
        await reached.wait()
        assert await client.stop() == "stopping"
        may_end.set()
        await asking.rest()
        assert (await client.turn())["state"] in ("stopped", "completed")


async def test_a_turn_has_a_time_limit() -> None:
    async with chat(agent([text("Well"), Gate()]), time_limit=0.05) as client:
        await (await client.ask("Hello")).rest()
        assert (await client.turn())["state"] == "timed_out"
        assert (await client.items())[-1]["state"] == "timed_out"


# Requests that are repeated


async def test_a_request_that_is_repeated_runs_nothing() -> None:
    gate = Gate()
    answering = agent([text("Half an "), gate, text("answer")])
    async with chat(answering) as client:
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


async def test_another_owner_may_use_the_same_request_id() -> None:
    async with chat(agent([text("One")], [text("Two")])) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        other = LiveClient(client.server, {"user_id": "other"})
        await (await other.ask("Hello", request_id="r1")).rest()
        assert other.thread_id != client.thread_id


async def test_a_request_is_repeated_after_its_log_is_gone() -> None:
    async with chat(agent([text("One")])) as client:
        await (await client.ask("Hello", request_id="r1")).rest()
        await client.server.store.turns.purge_log(-1)
        again = LiveClient(client.server)
        repeated = await again.ask("Hello", request_id="r1")
        await repeated.rest()
        assert again.thread_id == client.thread_id
        assert repeated.kinds == ["thread.created", "thread.item.done", "thread.item.done"]


# Effects, progress and client tools


async def test_effects_go_to_the_page_that_asked_and_are_never_replayed() -> None:
    gate = Gate()

    @tool(approval_mode="never_require")
    async def cheer(ctx: FunctionInvocationContext) -> str:
        """Cheer."""
        context = ThreadContext.of(ctx)
        await context.stream_client_effect("confetti")
        await context.stream_progress("Cheering")
        await gate()
        return "cheered"

    async with chat(agent([call("cheer")], [text("Yes.")], tools=[cheer])) as client:
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
    async with chat(agent([call("locate")], [text("There.")], tools=[locate])) as client:
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


# From code


async def test_code_starts_a_turn() -> None:
    gate = Gate()
    answering = agent([text("Hi")], [text("Good "), gate, text("morning")], [text("Yes.")])
    async with chat(answering) as client:
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
    async with chat(answering) as client:
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
        told = str(said(answering))
        assert told.count("Your parcel is here.") == 1
        assert told.count("It is heavy.") == 1
        with pytest.raises(NotFoundError):
            await client.server.add_items("thr_none", [added], ME)


async def test_an_apps_own_respond_is_followed_like_any_other() -> None:
    gate = Gate()

    class Server(AgentChatKitServer[Any]):
        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            item = AssistantMessageItem(
                id="msg_own", thread_id=thread.id, created_at=datetime.now(), content=[]
            )
            yield ThreadItemAddedEvent(item=item)
            await gate()
            item.content.append(AssistantMessageContent(text="Mine."))
            yield ThreadItemDoneEvent(item=item)

    async with chat(agent(), server_class=Server) as client:
        asking = await client.ask("Hello")
        await gate.is_reached.wait()
        following = await client.follow()
        state = await following.until("thread.state")
        assert [item["id"] for item in state["open_items"]] == ["msg_own"]
        gate.may_go_on.set()
        await following.until("turn.updated")
        await asking.rest()
        assert await client.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Mine."),
        ]


async def test_a_turn_that_outlives_its_request_has_a_context_of_its_own() -> None:
    contexts: list[Any] = []

    class Server(AgentChatKitServer[Any]):
        def detached_context(self, context: Any) -> Any:
            return {**context, "is_detached": True}

        async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
            contexts.append(context)
            async for event in super().respond(thread, input_user_message, context):
                yield event

    async with chat(agent([text("One")], [text("Two")]), server_class=Server) as client:
        await (await client.ask("Hello")).rest()
        await (await client.ask("Hello", detached=False)).rest()
    assert [context.get("is_detached") for context in contexts] == [True, None]


async def test_a_change_elsewhere_is_seen_by_a_worker_that_writes_meanwhile(tmp_path: Any) -> None:
    async def nap() -> None:
        await asyncio.sleep(0.02)

    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as store, SQLStore[Any](url) as elsewhere:
        server = AgentChatKitServer(agent([text("Word "), nap] * 300), store)
        other = AgentChatKitServer(agent(), elsewhere)
        client, editor = LiveClient(server), LiveClient(other)
        asking = await client.ask("Hello")
        await asking.text("Word ")
        of_keys = store.log.of_keys
        channel = server.worker.find_channel(await store.log.key_of(client.thread_id, "me"))
        assert channel is not None

        async def slowly(keys: Any) -> Any:
            rows = await of_keys(keys)
            known = channel.known
            while channel.known == known and channel.run is not None:
                await asyncio.sleep(0.01)
            return rows

        store.log.of_keys = slowly  # type: ignore[method-assign]
        await editor.send("threads.update", thread_id=client.thread_id, title="Seen")
        title = ""
        while title != "Seen":
            event = await asking.until("thread.updated")
            title = event["thread"]["title"]
        assert server.worker.run_of(channel.key) is not None
        await client.stop()
        await asking.rest()
        await server.close(grace=0)
        await other.close(grace=0)


# A worker that dies


async def test_a_turn_of_a_dead_worker_is_ended_by_another(tmp_path: Any) -> None:
    gate = Gate()
    ran = 0

    @tool(approval_mode="never_require")
    def order() -> str:
        """Order something."""
        nonlocal ran
        ran += 1
        return "ordered"

    url = f"sqlite:///{tmp_path}/chat.db"
    dying = agent([call("order")], [text("It is "), gate], tools=[order])
    living = agent([text("Yes.")], tools=[order])
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        client = LiveClient(AgentChatKitServer(dying, one))
        asking = await client.ask("Order it")
        await asking.text("It is ")
        key = await one.log.key_of(client.thread_id, "me")
        run = client.server.worker.run_of(key)
        assert run is not None
        await run.writer.checkpoint()
        other = LiveClient(AgentChatKitServer(living, two))
        other.thread_id = client.thread_id
        await bury(one, two)
        await (await other.ask("And now?")).rest()
        assert ran == 1
        assert [kind for kind, _ in await other.transcript()] == [
            "user_message",
            "workflow",
            "assistant_message",
            "end_of_turn",
            "user_message",
            "assistant_message",
        ]
        assert [role for role, _ in said(living)] == [
            "user",
            "assistant",
            "tool",
            "assistant",
            "user",
        ]
        assert "interrupted" in said(living)[-1][1]
        stored = await two.load_thread_items(client.thread_id, None, 9, "asc", ME)
        assert all(item.created_at.tzinfo is None for item in stored.data)
        # The first one lives after all, and writes nothing more.
        before = await other.items()
        gate.may_go_on.set()
        await run.has_ended.wait()
        assert run.is_lost
        assert await other.items() == before
        await client.server.close(grace=0)
        await other.server.close(grace=0)


async def test_a_lost_run_that_ends_late_does_not_end_the_next(tmp_path: Any) -> None:
    may_end, never = Gate(), Gate()

    async def linger() -> None:
        try:
            await never()
        finally:
            await may_end()

    url = f"sqlite:///{tmp_path}/chat.db"
    answering = agent([text("It is "), linger], [text("Yes."), never])
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        client = LiveClient(AgentChatKitServer(answering, one))
        asking = await client.ask("Hello")
        await asking.text("It is ")
        key = await one.log.key_of(client.thread_id, "me")
        lost = client.server.worker.run_of(key)
        assert lost is not None
        await bury(one, two)
        again = await client.ask("And now?")
        await again.text("Yes.")
        may_end.may_go_on.set()
        await lost.has_ended.wait()
        assert await client.stop() == "stopped"
        assert (await again.rest())[-1]["turn"]["state"] == "stopped"
        await client.server.close(grace=0)


async def test_a_try_after_a_failure_knows_what_the_earlier_one_has_done() -> None:
    orders: list[str] = []

    @tool(approval_mode="never_require")
    def order(what: str) -> str:
        """Order something."""
        orders.append(what)
        return f"{what} is ordered"

    answering = agent(
        [call("order", what="tea")], [RuntimeError("gone")], [text("Yes.")], tools=[order]
    )
    async with chat(answering) as client:
        await (await client.ask("Order tea")).rest()
        assert (await client.turn())["state"] == "failed"
        question = (await client.items())[0]
        retried = await client.send(
            "threads.retry_after_item", thread_id=client.thread_id, item_id=question["id"]
        )
        await retried.rest()
        ((role, told),) = said(answering)
        assert role == "user"
        assert '"what": "tea"' in told
        assert "tea is ordered" in told
        assert told.endswith("Order tea")
    assert orders == ["tea"]


async def test_what_a_tool_and_a_person_change_of_a_thread_is_kept_and_told() -> None:
    gate = Gate()

    @tool(approval_mode="never_require")
    async def note(ctx: FunctionInvocationContext) -> str:
        """Note."""
        thread = ThreadContext.of(ctx).thread
        thread.metadata["noted"] = 1
        await gate()
        return f"noted in {thread.title}"

    answering = agent([call("note")], [text("Done.")], tools=[note])
    async with chat(answering) as client:
        asking = await client.ask("Note it")
        await gate.is_reached.wait()
        following = await client.follow()
        await following.until("thread.state")
        await client.send("threads.update", thread_id=client.thread_id, title="Mine")
        # The note may be told first.
        while (await following.until("thread.updated"))["thread"]["title"] != "Mine":
            pass
        gate.may_go_on.set()
        await asking.rest()
        assert await settled(client) == "completed"
        scripted: Any = answering.client
        assert scripted.asked[-1][-1].contents[0].result == "noted in Mine"
        stored = await client.server.store.load_thread(client.thread_id, ME)
        assert stored.title == "Mine"
        assert stored.metadata["noted"] == 1


async def test_metadata_that_cannot_be_stored_leaves_the_thread_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @tool(approval_mode="never_require")
    async def spoil(ctx: FunctionInvocationContext) -> str:
        """Spoil the metadata."""
        ThreadContext.of(ctx).thread.metadata["lock"] = asyncio.Lock()
        return "spoiled"

    answering = agent([call("spoil")], [text("Done.")], [text("Still here.")], tools=[spoil])
    async with chat(answering) as client:
        await (await client.ask("Spoil it")).text("Done.")
        assert await settled(client) == "completed"
        assert "metadata that cannot be stored" in caplog.text
        await (await client.ask("Are you there?")).text("Still here.")
        assert await settled(client) == "completed"
        stored = await client.server.store.load_thread(client.thread_id, ME)
        assert "lock" not in stored.metadata
