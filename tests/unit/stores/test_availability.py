"""A database that does not respond for a while."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from agent_framework import tool
from sqlalchemy.exc import OperationalError

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, text
from ..live_client import Gate, LiveClient
from .stored import ANN, thread

GONE = OperationalError("SELECT", {}, Exception("It is gone.\nAnd more."))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the database for writing."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLStore[Any]]:
    async with SQLStore[Any](f"sqlite:///{tmp_path}/chat.db?timeout=0.05") as store:
        await store.save_thread(thread(), ANN)
        yield store


async def test_outage_is_logged_at_start_and_end(
    store: SQLStore[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with locked(tmp_path / "chat.db"):
        for _ in range(3):
            with pytest.raises(OperationalError):
                await store.save_thread(thread(), ANN)
            # It can still be read.
            await store.load_thread("thr_1", ANN)
    assert caplog.messages == [
        "The database does not respond; trying again: database is locked",
    ]
    await store.save_thread(thread(), ANN)
    await store.save_thread(thread(), ANN)
    assert caplog.messages[1:] == ["The database responds again."]


@pytest.mark.parametrize("point", ["before", "within", "after"])
async def test_turn_waits_for_a_locked_database(
    point: str, store: SQLStore[Any], tmp_path: Path
) -> None:
    before, within, after = (Gate() for _ in range(3))
    gates = {"before": before, "within": within, "after": after}
    for name, gate in gates.items():
        if name != point:
            gate.may_go_on.set()

    class Shop(AgentChatKitServer[Any]):
        async def respond(self, thread: Any, message: Any, context: Any) -> Any:
            await before()
            await self.store.save_thread(thread, context)
            async for event in super().respond(thread, message, context):
                yield event
            await after()

    @tool(approval_mode="never_require")
    async def look() -> str:
        await within()
        return "Rain."

    server = Shop(agent([call("look")], [text("It rains.")], tools=[look]), store)
    client = LiveClient(server)
    asking = await client.ask("Hello")
    await gates[point].is_reached.wait()
    with locked(tmp_path / "chat.db"):
        gates[point].may_go_on.set()
        with pytest.raises(OperationalError):
            await client.send("threads.update", thread_id=client.thread_id, title="New")
        await asyncio.sleep(0.5)
    await asking.rest()
    assert asking.answer == "It rains."
    assert (await client.turn())["state"] == "completed"
    await server.close(grace=0)


async def test_shutdown_during_outage_leaves_turns_to_others(
    store: SQLStore[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    server = AgentChatKitServer(agent([text("Half an "), gate]), store)
    client = LiveClient(server)
    asking = await client.ask("Hello")
    await gate.is_reached.wait()
    with locked(tmp_path / "chat.db"):
        await server.close(grace=0)
        events = await asking.rest()
    assert events[-1]["type"] == "error"
    assert "Leaving run" in caplog.text
    assert "Traceback" not in caplog.text
    async with SQLStore[Any](f"sqlite:///{tmp_path}/chat.db", lease=0.1) as other:
        client.server = AgentChatKitServer(agent(), other)
        await client.server.worker.start()
        following = await client.follow()
        while (await following.until("turn.updated"))["turn"]["state"] != "interrupted":
            pass
        assert (await client.items())[-1]["type"] == "end_of_turn"
        await following.close()
        await client.server.close(grace=0)


async def test_followers_wait_for_log(
    store: SQLStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    long = "x" * 300_000

    @tool(approval_mode="never_require")
    def look() -> str:
        return "seen"

    answering = agent([text(long), call("look")], [text(long), gate, text("y")], tools=[look])
    server = AgentChatKitServer(answering, store, text_interval=0)
    client = LiveClient(server)
    asking = await client.ask("Hello")
    following = await client.follow(asking.ids[0])
    await following.next()
    await gate.is_reached.wait()
    log, failures = store.log, 0
    for name in ("read_log", "find_in_log"):
        read = getattr(log, name)

        async def fail_at_first(*given: Any, read: Any = read, **options: Any) -> Any:
            nonlocal failures
            failures += 1
            if failures < 4:
                raise GONE
            return await read(*given, **options)

        monkeypatch.setattr(log, name, fail_at_first)
    gate.may_go_on.set()
    await asking.rest()
    await following.text("y")
    assert asking.answer == following.answer == f"{long}{long}y"
    assert failures > 4
    await following.close()
    await server.close(grace=0)


async def test_thread_list_is_sent_once_readable(
    store: SQLStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = AgentChatKitServer(agent([text("One")], [text("Two")]), store)
    client, other = LiveClient(server), LiveClient(server)
    await (await client.ask("Hello")).rest()
    following = await client.follow(list=True)
    await following.until("thread.state")
    summary = store.log.summary

    async def fail(key: int) -> Any:
        raise GONE

    monkeypatch.setattr(store.log, "summary", fail)
    await (await other.ask("Hello")).rest()
    reading = asyncio.ensure_future(following.next())
    await asyncio.sleep(0.1)
    monkeypatch.setattr(store.log, "summary", summary)
    await client.send("threads.update", thread_id=other.thread_id, title="New")
    changed = await reading
    assert changed is not None
    assert changed["type"] == "threads.changed"
    await following.close()
    await server.close(grace=0)
