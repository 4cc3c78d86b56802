"""A database that is unavailable or locked for some seconds at each point of a turn."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ..fakes.scripted_answers import Script
from ..postgres import PostgresServer
from .live_threads import Person, RefusedError, Stream, check_equal_to_fresh_load
from .live_workers import LiveWorker, until, workers
from .processes import PATIENCE
from .soak import calls_made

OUTAGE = float(os.environ.get("OUTAGE", "2.5"))
"""The seconds of the outage, which are longer than a lease lasts without renewal.

Above 15, SQLite waits for its default time; add `--timeout 0`.
"""

SAY = 60

HOLDS = {"start": 0, "middle": 30, "tool": 0, "end": SAY - 1}
"""The number of pieces of text after which an answer waits for the outage."""


class Outage:
    """Cause an outage within the block, and check that each server logs it once.

    Args:
        begin: Starts the outage.
        end: Ends the outage.
        workers: The servers.
        can_be_read: Whether the database can still be read.
    """

    def __init__(
        self,
        begin: Callable[[], Any],
        end: Callable[[], Any],
        workers: list[LiveWorker],
        *,
        can_be_read: bool,
    ) -> None:
        self.can_be_read = can_be_read
        self._begin = begin
        self._end = end
        self._workers = workers
        self._logs: dict[LiveWorker, int] = {}

    async def __aenter__(self) -> None:
        # A worker notices an outage only after its first turn.
        for worker in self._workers:
            await Person().ask(worker, Script(say=1).question).end()
        self._logs = {worker: len(worker.log) for worker in self._workers}
        await asyncio.to_thread(self._begin)

    async def __aexit__(self, *error: object) -> None:
        await asyncio.sleep(OUTAGE)
        await asyncio.to_thread(self._end)
        for worker, begin in self._logs.items():
            await until(partial(_is_back, worker, begin), worker)
            assert "Traceback" not in worker.log[begin:]
            lines = [line for line in worker.log[begin:].splitlines() if "WARNING" in line]
            assert len(lines) == 2, lines
            assert "The database does not respond; trying again: " in lines[0]


def _is_back(worker: LiveWorker, begin: int) -> bool:
    return "The database responds again." in worker.log[begin:]


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[LiveWorker], Outage]]:
    folder = tmp_path_factory.mktemp("outage")
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        database = postgres.create_database()
        begin: Callable[[], None] = partial(postgres.stop, "immediate")
        end: Callable[[], None] = postgres.start
    else:
        database = f"sqlite:///{folder}/chat.db" + ("" if OUTAGE > 15 else "?timeout=1")
        lock = ExclusiveLock(folder / "chat.db")
        begin, end = lock.take, lock.give_back
    with workers(folder, database, CHATKIT_LEASE="2") as started:
        yield started, Outage(begin, end, started, can_be_read=request.param == "sqlite")


@pytest.fixture
def two(servers: tuple[list[LiveWorker], Outage]) -> list[LiveWorker]:
    return servers[0]


@pytest.fixture
def outage(servers: tuple[list[LiveWorker], Outage]) -> Outage:
    return servers[1]


class ExclusiveLock:
    """SQLite's lock for writers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> None:
        self._connection = sqlite3.connect(
            self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("BEGIN EXCLUSIVE")

    def give_back(self) -> None:
        self._connection.close()


async def refused(begin: Callable[[], Stream]) -> None:
    """Check that a request is rejected with a reason instead of being cut."""
    with pytest.raises(RefusedError, match=r"^503: .*The database does not respond\."):
        await begin().end()


async def taken(begin: Callable[[], Stream], worker: LiveWorker) -> Stream:
    """Repeat a request until it is accepted."""

    async def send() -> Stream | None:
        stream = begin()
        with suppress(RefusedError):
            await stream.begun()
            return stream
        return None

    found: Stream = await until(send, worker)
    return found


@pytest.mark.parametrize("point", HOLDS)
async def test_turn_waits_for_database(point: str, two: list[LiveWorker], outage: Outage) -> None:
    one, other = two
    ann = Person()
    tool = secrets.token_hex(4)
    script = Script(
        say=SAY, seed=1, tool=tool, gate=tool, hold=HOLDS[point], hang=int(point == "tool")
    )
    first = await ann.ask(one, Script(seed=2).question).end()
    thread_id = first.view.thread["id"]
    followers = [await ann.follow(each, thread_id).opened() for each in two]
    asked = ann.ask(one, script.question, thread_id, view=first.view)
    await until(lambda: tool in calls_made(one.folder), one)
    if script.hold:
        await asked.until(lambda view: f"{script.hold - 1} " in view.open_text)
    async with outage:
        one.open(tool)
        await refused(lambda: ann.ask(other, "Hello?"))
        await refused(lambda: ann.ask(other, "Hello?", thread_id))
        if not outage.can_be_read:
            await refused(lambda: ann.follow(other, thread_id))
    await asked.end()
    assert asked.view.state == "completed"
    for each in followers:
        await each.until(
            lambda view: (view.turn_id, view.state) == (asked.view.turn_id, "completed")
        )
    for view in (asked.view, *(each.view for each in followers)):
        assert view.newest_answer == script.text
        for worker in two:
            await check_equal_to_fresh_load(ann, worker, thread_id, view)
    assert calls_made(one.folder).count(tool) == 1
    assert (await ann.recall(other, thread_id))[2:6] == [
        ["user", script.question],
        ["assistant", {"call": f"call_{tool}"}],
        ["tool", {"result": script.result}],
        ["assistant", script.text],
    ]
    for each in followers:
        await each.close()


async def test_request_without_database_can_be_repeated(
    two: list[LiveWorker], outage: Outage
) -> None:
    one, other = two
    ann = Person()
    script = Script(seed=3)
    request_id = secrets.token_hex(8)
    await ann.get(one, "threads.list")
    async with outage:
        await refused(lambda: ann.ask(one, script.question, request_id=request_id))
    asked = await taken(lambda: ann.ask(other, script.question, request_id=request_id), other)
    await asked.end()
    assert asked.view.newest_answer == script.text
    assert len((await ann.get(one, "threads.list"))["data"]) == 1


async def test_requests_while_database_stops(two: list[LiveWorker], outage: Outage) -> None:
    ann = Person()
    scripts = {secrets.token_hex(8): Script(say=5, seed=seed) for seed in range(40)}
    for worker in two:
        await ann.get(worker, "threads.list")
    asking: dict[str, Stream] = {}

    async def ask() -> None:
        for number, (name, script) in enumerate(scripts.items()):
            asking[name] = ann.ask(two[number % 2], script.question, request_id=name)
            await asyncio.sleep(0.02)

    going_on = asyncio.create_task(ask())
    async with outage:
        await going_on
    for number, (name, script) in enumerate(scripts.items()):
        # Some were answered and some rejected, but none was cut. Repeated, each is answered once.
        with suppress(RefusedError):
            await asking[name].end()
        assert not asking[name].was_cut
        worker = two[number % 2 - 1]
        asked = await taken(partial(ann.ask, worker, script.question, request_id=name), worker)
        await asked.end()
        assert asked.view.state == "completed"
        assert asked.view.newest_answer == script.text
    assert len((await ann.get(two[0], "threads.list", limit=100))["data"]) == len(scripts)


@pytest.mark.parametrize("point", ["pause", "tool"])
async def test_approval_waits_for_database(
    point: str, two: list[LiveWorker], outage: Outage
) -> None:
    one, other = two
    ann = Person()
    tool = secrets.token_hex(4)
    script = Script(say=5, seed=4, tool=tool, approve=1, hang=1, gate=tool)
    asked = await ann.ask(one, script.question).end()
    assert asked.view.state == "waiting"
    thread_id = asked.view.thread["id"]
    card = list(asked.view.items.values())[-1]
    followers = [await ann.follow(each, thread_id).opened() for each in two]
    if point == "pause":
        one.open(tool)
        async with outage:
            await refused(lambda: ann.approve(other, card, view=asked.view.copy()))
        going = await taken(lambda: ann.approve(other, card, view=asked.view), other)
    else:
        going = ann.approve(other, card, view=asked.view)
        await until(lambda: tool in calls_made(one.folder), other)
        async with outage:
            one.open(tool)
    await going.end()
    assert going.view.newest_answer == script.text
    for each in followers:
        await each.until(lambda view: view.state == "completed")
        await check_equal_to_fresh_load(ann, one, thread_id, each.view)
        await each.close()
    assert calls_made(one.folder).count(tool) == 1


async def test_stop_waits_for_database(two: list[LiveWorker], outage: Outage) -> None:
    one, other = two
    ann = Person()
    gate = secrets.token_hex(4)
    script = Script(say=SAY, seed=5, gate=gate, hold=30)
    asked = ann.ask(one, script.question)
    await asked.until(lambda view: "29 " in view.open_text)
    thread_id = asked.view.thread["id"]
    async with outage:
        for worker in two:
            # The stop is rejected, or accepted for later.
            with suppress(RefusedError):
                assert await ann.stop(worker, thread_id) == "stopping"
    assert await ann.stop(other, thread_id) in ("stopped", "idle")
    await asked.end()
    assert asked.view.state == "stopped"
    assert script.text.startswith(asked.view.newest_answer)
    assert "29 " in asked.view.newest_answer
    for worker in two:
        await check_equal_to_fresh_load(ann, worker, thread_id, asked.view)
