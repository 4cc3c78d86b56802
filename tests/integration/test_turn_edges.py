"""Events at awkward times of a turn, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from agent_framework import tool

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore

from ..fakes.scripted_agent import agent, call, text
from ..unit.live_client import Gate, LiveClient, settled


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SQLStore[Any]]:
    url = f"sqlite:///{tmp_path}/chat.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database()
    async with SQLStore[Any](url) as store:
        yield store


async def test_stop_during_last_commit_changes_nothing(
    store: SQLStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = Gate()
    commit = store.turns.commit

    async def slowly(lease: Any, writes: Any, **options: Any) -> None:
        if writes.end is not None:
            await last()
        await commit(lease, writes, **options)

    monkeypatch.setattr(store.turns, "commit", slowly)
    server = AgentChatKitServer(agent([text("All of it.")]), store)
    client = LiveClient(server)
    asking = await client.ask("Hello")
    await last.is_reached.wait()
    stops = [asyncio.create_task(client.stop()) for _ in range(3)]
    await asyncio.sleep(0.1)
    last.may_go_on.set()
    assert set(await asyncio.gather(*stops)) <= {"stopped", "idle"}
    await asking.rest()
    assert (await client.turn())["state"] == "completed"
    assert await client.transcript() == [
        ("user_message", "Hello"),
        ("assistant_message", "All of it."),
    ]
    await server.close(grace=0)


@pytest.mark.parametrize("point", range(12))
async def test_thread_continues_after_stop_at_each_commit(
    store: SQLStore[Any], monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    """Stop before and after each of the first commits of a turn with a tool."""
    runs = 0

    @tool(approval_mode="never_require")
    def look() -> str:
        nonlocal runs
        runs += 1
        return "seen"

    answers = [[text("First. "), call("look")], [text("Then.")], [text("Yes.")], [text("Yes.")]]
    server = AgentChatKitServer(agent(*answers, tools=[look]), store, text_interval=0)
    client = LiveClient(server)
    commit, count = store.turns.commit, 0
    stops: list[asyncio.Task[str]] = []

    async def stop_at(place: int) -> None:
        if place == point:
            stops.extend(asyncio.create_task(client.stop()) for _ in range(2))
            await asyncio.sleep(0.05)

    async def stopping(*given: Any, **options: Any) -> None:
        nonlocal count
        place, count = count, count + 2
        await stop_at(place)
        await commit(*given, **options)
        await stop_at(place + 1)

    monkeypatch.setattr(store.turns, "commit", stopping)
    asking = await client.ask("Hello")
    await asking.rest()
    assert set(await asyncio.gather(*stops)) <= {"stopped", "idle"}
    state = (await client.turn())["state"]
    assert state in ("stopped", "completed")
    assert runs <= 1
    following = await client.follow()
    shown = await following.until("thread.state")
    assert shown["open_items"] == []
    assert [item["id"] for item in shown["items"]["data"][::-1]] == [
        item["id"] for item in await client.items()
    ]
    await following.close()
    await (await client.ask("And now?")).rest()
    assert await settled(client) == "completed"
    await server.close(grace=0)


async def test_deleted_event_gives_fresh_state(
    store: SQLStore[Any],
) -> None:
    server = AgentChatKitServer(agent([text("Hi")]), store)
    client = LiveClient(server)
    asking = await client.ask("Hello")
    await asking.rest()
    following = await client.follow(asking.ids[0])
    first = await following.next()
    assert first is not None
    assert first["type"] != "thread.state"
    await following.close()
    await store.turns.purge_log(-1)
    for after in (asking.ids[0], asking.ids[-1]):
        following = await client.follow(after)
        state = await following.next()
        assert state is not None
        assert state["type"] == "thread.state"
        assert len(state["items"]["data"]) == 2
        await following.close()
    await server.close(grace=0)
