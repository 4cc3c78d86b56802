"""Workers that share a database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from agent_framework import tool
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import OperationalError

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.tables import events, turns

from ...fakes.scripted_agent import agent, call, said, text
from ..live_client import ME, Gate, LiveClient, bury, chat, settled


async def test_writing_worker_sees_change_of_another(tmp_path: Any) -> None:
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


async def test_worker_ends_turn_of_dead_worker(tmp_path: Any) -> None:
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
        # The first worker is still alive, but writes nothing more.
        before = await other.items()
        gate.may_go_on.set()
        await run.has_ended.wait()
        assert run.is_lost
        assert await other.items() == before
        await client.server.close(grace=0)
        await other.server.close(grace=0)


async def test_late_end_of_lost_run_does_not_end_next_run(tmp_path: Any) -> None:
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


async def test_worker_starts_once_database_responds(monkeypatch: pytest.MonkeyPatch) -> None:
    async with chat(agent([text("Hi")])) as client:
        leases = client.server.store.leases
        start = leases.start

        async def fail() -> None:
            raise OperationalError("", None, Exception("gone"))

        monkeypatch.setattr(leases, "start", fail)
        with pytest.raises(OperationalError):
            await client.ask("Hello")
        monkeypatch.setattr(leases, "start", start)
        await (await client.ask("Hello")).text("Hi")
        assert client.server.store.database.heartbeat is not None


async def test_followers_restart_after_lost_commits(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SQLStore[Any](f"sqlite:///{path}") as store:
        server = AgentChatKitServer(agent([text("Hi")], [text("Ho")]), store)
        client = LiveClient(server)
        await (await client.ask("Hello")).rest()
        following = await client.follow()
        await following.until("thread.state")

        def lose(connection: Connection) -> None:
            # This is the log of a standby that takes over.
            last = connection.execute(select(func.max(events.c.position))).scalar_one()
            connection.execute(delete(events).where(events.c.position == last))
            connection.execute(update(turns).values(log_position=last - 1))

        await store.database.write(lose)
        again = await client.follow()
        assert len((await again.until("thread.state"))["items"]["data"]) == 2
        assert await following.next() is None
        assert following.retry is not None
        await (await client.ask("And?")).rest()
        await again.text("Ho")
        await server.close(grace=0)


async def test_list_receives_only_threads_that_others_changed(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as store, SQLStore[Any](url) as elsewhere:
        server = AgentChatKitServer(agent([text("1")], [text("2")], [text("3")]), store)
        other = AgentChatKitServer(agent([text("4")]), elsewhere)
        open_thread, quiet, busy = (LiveClient(server) for _ in range(3))
        for client in (open_thread, quiet, busy):
            await (await client.ask("Hello")).rest()
        following = await open_thread.follow(list=True)
        await following.until("thread.state")
        busy.server = other
        await busy.send("threads.update", thread_id=busy.thread_id, title="New")
        changed = await following.until("threads.changed")
        assert changed["thread"]["title"] == "New"
        added = LiveClient(other)
        await (await added.ask("Hello")).rest()
        while changed["thread"]["id"] == busy.thread_id:
            changed = await following.until("threads.changed")
        assert changed["thread"]["id"] == added.thread_id
        await busy.send("threads.delete", thread_id=busy.thread_id)
        await following.until("threads.deleted", thread_id=busy.thread_id)
        changed_threads = {
            event["thread"]["id"] for event in following.seen if event["type"] == "threads.changed"
        }
        assert changed_threads == {busy.thread_id, added.thread_id}
        await following.close()
        await server.close(grace=0)
        await other.close(grace=0)


async def test_repeated_request_gets_its_own_run_although_an_earlier_commit_is_unconfirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as store, SQLStore[Any](url) as elsewhere:
        server = AgentChatKitServer(agent([text("One")]), store)
        other = AgentChatKitServer(agent([text("Two")]), elsewhere)
        commit, confirmed = store.turns.commit, asyncio.Event()

        async def confirm_late(lease: Any, writes: Any, **options: Any) -> None:
            await commit(lease, writes, **options)
            if writes.end is not None:
                await confirmed.wait()

        monkeypatch.setattr(store.turns, "commit", confirm_late)
        client = LiveClient(server)
        asking = await client.ask("Hello")
        client.server = other
        while (await client.turn())["state"] == "running":
            await asyncio.sleep(0.01)
        await (await client.ask("Again", request_id="r1")).rest()
        client.server = server
        repeated = await client.ask("Again", request_id="r1")
        reading = asyncio.create_task(repeated.rest())
        await asyncio.sleep(0.1)
        confirmed.set()
        await reading
        assert repeated.answer == "Two"
        await asking.close()
        await server.close(grace=0)
        await other.close(grace=0)


async def test_turn_starts_although_the_log_cannot_be_read_at_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as store, SQLStore[Any](url) as elsewhere:
        server = AgentChatKitServer(agent([text("One")], [text("Three")]), store)
        other = AgentChatKitServer(agent([text("Two")]), elsewhere)
        read, may_read = store.log.read_log, asyncio.Event()

        async def read_later(*given: Any) -> Any:
            if may_read.is_set():
                return await read(*given)
            raise OperationalError("", None, Exception("gone"))

        client = LiveClient(server)
        await (await client.ask("Hello")).rest()
        following = await client.follow()
        await following.until("thread.state")
        store.log.read_log = read_later  # type: ignore[assignment]
        client.server = other
        await (await client.ask("And?")).rest()
        starting = asyncio.create_task(server.start_turn(client.thread_id, "Go on", ME))
        while (await client.turn())["state"] != "running":
            await asyncio.sleep(0.01)
        may_read.set()
        await starting
        await following.text("Three")
        assert await settled(client) == "completed"
        await server.close(grace=0)
        await other.close(grace=0)


async def test_turn_that_was_stored_runs_although_its_start_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with chat(agent([text("One")], [text("Two")])) as client:
        await (await client.ask("Hello")).rest()
        turns, gate = client.server.store.turns, Gate()
        begin = turns.begin

        async def begin_slowly(new: Any) -> Any:
            begun = await begin(new)
            await gate()
            return begun

        monkeypatch.setattr(turns, "begin", begin_slowly)
        starting = asyncio.create_task(client.server.start_turn(client.thread_id, "Go on", ME))
        await gate.is_reached.wait()
        starting.cancel()
        await asyncio.wait([starting])
        gate.may_go_on.set()
        assert await settled(client) == "completed"
        assert (await client.transcript())[-1] == ("assistant_message", "Two")
