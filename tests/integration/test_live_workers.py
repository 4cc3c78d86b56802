"""Threads that are followed, stopped and continued on servers other than the answering one."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ..fakes.scripted_answers import Script
from .live_threads import Person, check_equal_to_fresh_load
from .live_workers import PLAIN, LiveWorker, until, workers
from .thread_view import text_of


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chat.db"
    return str(request.getfixturevalue("postgres").create_database())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[LiveWorker]]:
    """Two servers that share a database, for tests that do not stop them."""
    folder = tmp_path_factory.mktemp("shared")
    database = f"sqlite:///{folder}/chat.db"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").create_database()
    with workers(folder, database, command=PLAIN) as started:
        yield started


@pytest.fixture
def two(database: str, tmp_path: Path) -> Iterator[list[LiveWorker]]:
    with workers(tmp_path, database) as started:
        yield started


async def test_answer_is_followed_stopped_and_resumed_on_another_worker(
    two: list[LiveWorker], tmp_path: Path
) -> None:
    one, other = two
    ann = Person()
    script = Script(say=400, pause=0.01, seed=1, tool="rain", hold=50, gate="go")
    asked = ann.ask(one, script.question)
    await asked.until(lambda view: view.open_text.startswith("0 "))
    thread_id = asked.view.thread["id"]

    followed = ann.follow(other, thread_id)
    await followed.opened()
    assert followed.frames[0].type == "thread.state"
    assert followed.view.state == "running"
    await followed.until(lambda view: view.open_text == asked.view.open_text != "")
    await followed.until(lambda view: "49 " in view.open_text)

    (tmp_path / "go").touch()
    await followed.until(lambda view: "60 " in view.open_text)
    # Resume on the other worker after the events of the first.
    await asked.until(lambda view: "70 " in view.open_text)
    await asked.close()
    resumed = ann.follow(other, thread_id, after=asked.view.after, view=asked.view)
    await resumed.until(lambda view: view.state == "completed")
    await followed.until(lambda view: view.state == "completed")
    for view in (resumed.view, followed.view):
        assert view.newest_text == script.text
        await check_equal_to_fresh_load(ann, other, thread_id, view)
        await check_equal_to_fresh_load(ann, one, thread_id, view)
    assert not resumed.of_type("thread.state")
    await resumed.close()
    await followed.close()


async def test_stop_and_new_title_reach_running_worker(two: list[LiveWorker]) -> None:
    one, other = two
    ann = Person()
    script = Script(say=10_000, pause=0.01, seed=2)
    asked = ann.ask(one, script.question)
    await asked.until(lambda view: "20 " in view.open_text)
    thread_id = asked.view.thread["id"]
    followed = await ann.follow(other, thread_id).opened()
    here = await ann.follow(one, thread_id).opened()
    await ann.get(other, "threads.update", thread_id=thread_id, title="Seen by all")
    for each in (asked, followed, here):
        await each.until(lambda view: view.thread["title"] == "Seen by all")
    assert await ann.stop(other, thread_id) == "stopped"
    for each in (asked, followed, here):
        await each.until(lambda view: view.state == "stopped")
        await check_equal_to_fresh_load(ann, one, thread_id, each.view)
    assert script.text.startswith(asked.view.texts[-1])
    assert await ann.state(one, thread_id) == "stopped"
    assert await ann.stop(other, thread_id) == "idle"
    again = Script(say=5, seed=3)
    answer = await ann.ask(other, again.question, thread_id).end()
    assert answer.view.texts[-1] == again.text
    for each in (followed, here):
        await each.until(lambda view: view.state == "completed")
        await check_equal_to_fresh_load(ann, one, thread_id, each.view)
        await each.close()


async def test_followers_receive_two_title_changes_from_another_worker(
    two: list[LiveWorker],
) -> None:
    one, other = two
    ann = Person()
    asked = ann.ask(one, Script(say=10_000, pause=0.01, seed=2).question)
    await asked.until(lambda view: "20 " in view.open_text)
    thread_id = asked.view.thread["id"]
    for title in ("First", "Second", "Third"):
        await ann.get(other, "threads.update", thread_id=thread_id, title=title)
        await asked.until(lambda view, title=title: view.thread["title"] == title)  # type: ignore[misc]
    await ann.stop(one, thread_id)
    await asked.end()


async def test_killed_worker_leaves_shown_content(two: list[LiveWorker], tmp_path: Path) -> None:
    one, other = two
    ann = Person()
    script = Script(say=60, seed=4, tool="snow", hold=30, gate="never")
    asked = ann.ask(one, script.question)
    await asked.until(lambda view: "29 " in view.open_text)
    thread_id = asked.view.thread["id"]
    followed = await ann.follow(other, thread_id).opened()
    await followed.until(lambda view: "29 " in view.open_text)
    one.kill()
    await asked.end()
    assert asked.was_cut
    await until(lambda: _is(ann, other, thread_id, "interrupted"), other)
    await followed.until(lambda view: view.state == "interrupted")
    assert script.text.startswith(followed.view.texts[-1])
    assert "29 " in followed.view.texts[-1]
    await check_equal_to_fresh_load(ann, other, thread_id, followed.view)
    end = (await ann.items(other, thread_id))[-1]
    assert (end["type"], end["state"]) == ("end_of_turn", "interrupted")
    assert (tmp_path / "calls").read_text() == "snow\n"
    remembered = await ann.recall(other, thread_id)
    assert remembered[:3] == [
        ["user", script.question],
        ["assistant", {"call": "call_snow"}],
        ["tool", {"result": script.result}],
    ]
    assert remembered[3][1] == followed.view.texts[1]
    # The client resumes where its connection was cut.
    resumed = ann.follow(other, thread_id, after=asked.view.after, view=asked.view)
    await resumed.until(lambda view: view.state == "completed")
    await check_equal_to_fresh_load(ann, other, thread_id, resumed.view)


async def _is(person: Person, worker: LiveWorker, thread_id: str, state: str) -> bool:
    return await person.state(worker, thread_id) == state


async def pause(worker: LiveWorker, database: str) -> None:
    """Pause a server when it does not hold SQLite's lock, which it would keep."""
    is_locked = True
    while is_locked:
        worker.signal(signal.SIGSTOP)
        is_locked = database.startswith("sqlite") and _is_locked(database)
        if is_locked:
            worker.signal(signal.SIGCONT)
            await asyncio.sleep(0.05)


def _is_locked(database: str) -> bool:
    path = database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=0.5, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


async def test_paused_worker_stops_writing(
    two: list[LiveWorker], database: str, tmp_path: Path
) -> None:
    one, other = two
    ann = Person()
    asked = ann.ask(one, Script(say=100_000, pause=0.01, seed=5).question)
    await asked.until(lambda view: "20 " in view.open_text)
    thread_id = asked.view.thread["id"]
    followed = await ann.follow(other, thread_id).opened()
    await pause(one, database)
    await until(lambda: _is(ann, other, thread_id, "interrupted"), other)
    script = Script(say=40, seed=6, hold=20, gate="go")
    again = ann.ask(other, script.question, thread_id)
    await again.until(lambda view: "19 " in view.open_text)
    before = await ann.items(other, thread_id)
    one.signal(signal.SIGCONT)
    await until(lambda: f"The lease on thread '{thread_id}' was lost" in one.log, one)
    await until((tmp_path / "said-5").exists)
    assert await ann.items(other, thread_id) == before
    (tmp_path / "go").touch()
    await again.end()
    assert again.view.texts[-1] == script.text
    await followed.until(lambda view: view.state == "completed")
    await check_equal_to_fresh_load(ann, other, thread_id, followed.view)
    assert len(before) + 1 == len(await ann.items(one, thread_id))
    # The worker is in use again.
    assert (await ann.recall(one, thread_id))[-2][1] == script.text
    await asked.end()


@pytest.mark.parametrize("command", ["af-chatkit", "uvicorn"])
async def test_terminating_worker_disconnects_followers(command: str, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/chat.db"
    ann = Person()
    with workers(tmp_path, store, command=PLAIN if command == "uvicorn" else ()) as (
        one,
        other,
    ):
        quiet = await ann.ask(one, Script(seed=1).question).end()
        idle = await ann.follow(one, quiet.view.thread["id"]).opened()
        script = Script(say=60, seed=7, hold=30, gate="go")
        asked = ann.ask(one, script.question)
        await asked.until(lambda view: "29 " in view.open_text)
        thread_id = asked.view.thread["id"]
        followed = await ann.follow(one, thread_id).opened()
        one.signal(signal.SIGTERM)
        for each in (idle, followed):
            await each.end()
            assert not each.was_cut
            assert each.frames[-1].retry is not None
            assert 500 <= int(each.frames[-1].retry) <= 5000
        # The other worker takes over, and the client misses nothing.
        resumed = ann.follow(other, thread_id, after=followed.view.after, view=followed.view)
        assert one.process.poll() is None
        assert not asked.has_ended
        (tmp_path / "go").touch()
        await asked.end()
        assert asked.view.texts[-1] == script.text
        assert asked.view.state == "completed"
        await resumed.until(lambda view: view.state == "completed")
        await check_equal_to_fresh_load(ann, other, thread_id, resumed.view)
        await one.end()
        assert "Traceback" not in one.log


async def test_shutdown_stops_and_stores_running_turn(tmp_path: Path) -> None:
    ann = Person()
    store = f"sqlite:///{tmp_path}/chat.db"
    with workers(tmp_path, store, command=PLAIN, GRACE="1") as (one, other):
        script = Script(say=60, seed=8, tool="hail", hold=30, gate="never")
        left = ann.ask(one, script.question)
        await left.until(lambda view: "29 " in view.open_text)
        asked = ann.ask(one, script.question)
        await asked.until(lambda view: "29 " in view.open_text)
        await left.close()
        one.signal(signal.SIGTERM)
        await asked.end()
        await one.end()
        assert "Traceback" not in one.log
        for each in (left, asked):
            thread_id = each.view.thread["id"]
            assert await ann.state(other, thread_id) == "interrupted"
            items = await ann.items(other, thread_id)
            assert items[-1]["state"] == "interrupted"
            assert text_of(items[-2]) == "".join([*script.pieces()][:30])
            remembered = await ann.recall(other, thread_id)
            assert remembered[2] == ["tool", {"result": script.result}]


async def test_missing_and_foreign_threads(shared: list[LiveWorker]) -> None:
    one, other = shared
    ann, bob = Person(), Person()
    asked = await ann.ask(one, Script(seed=1).question).end()
    thread_id = asked.view.thread["id"]
    item_id = asked.view.thread["id"]
    await bob.get(one, "threads.list")
    for person, wanted in ((bob, thread_id), (ann, "thr_unknown"), (ann, ""), (ann, "x" * 5000)):
        for worker in (one, other):
            for kind, params in (
                ("threads.follow", {}),
                ("threads.follow", {"after": asked.view.after}),
                ("threads.stop", {}),
                ("threads.stop", {"turn_id": "msg_unknown"}),
                ("threads.claim_tool", {"item_id": item_id}),
            ):
                params = {"thread_id": wanted, **params}
                answer = await person.post(worker, kind, metadata={"page_id": "p"}, **params)
                assert answer.status_code == 404, (kind, answer.text)
    for params in ({}, {"thread_id": None}, {"thread_id": 5}, {"thread_id": ["a"]}):
        for kind in ("threads.follow", "threads.stop", "threads.claim_tool"):
            assert (await ann.post(one, kind, **params)).status_code == 400
    assert await ann.stop(one, thread_id, turn_id="msg_another") == "idle"
    assert "Traceback" not in one.log


AFTER = [
    "",
    "x",
    ".",
    "5",
    "a.b",
    "a.-1",
    "a.1.",
    ".1",
    "a. 1",
    "a." + "9" * 40,
    "\n.1",
    "é.\u0661",
]


async def test_unknown_event_id_gives_fresh_state(
    shared: list[LiveWorker],
) -> None:
    ann = Person()
    asked = await ann.ask(shared[0], Script(say=3).question).end()
    thread_id = asked.view.thread["id"]
    run, _, number = str(asked.view.after).rpartition(".")
    never = [*AFTER, f"{run}.0", f"{run}.{int(number) + 1}", f"{run[::-1]}.1", "x" * 10_000 + ".1"]
    for worker in shared:
        for after in never:
            followed = await ann.follow(worker, thread_id, after=after).opened()
            assert followed.frames[0].type == "thread.state", after
            assert followed.view.newest_text == Script(say=3).text
            await followed.close()


async def test_hundreds_of_followers(shared: list[LiveWorker], tmp_path: Path) -> None:
    one, other = shared
    ann = Person()
    script = Script(say=60, seed=21, hold=30, gate=secrets.token_hex(4))
    asked = ann.ask(one, script.question)
    await asked.until(lambda view: "29 " in view.open_text)
    thread_id = asked.view.thread["id"]
    followers = [ann.follow(worker, thread_id) for worker in (one, other) for _ in range(150)]
    for each in followers:
        await each.opened()
    one.open(script.gate)
    for each in followers:
        await each.until(lambda view: view.state == "completed")
        assert each.view.items == asked.view.items
        assert each.view.texts[-1] == script.text
    await asyncio.gather(*(each.close() for each in followers))
    await check_equal_to_fresh_load(ann, other, thread_id, asked.view)


async def test_thread_deleted_during_followed_answer(
    shared: list[LiveWorker],
) -> None:
    one, _ = shared
    ann = Person()
    for number, deleting in enumerate(shared):
        script = Script(say=100_000, pause=0.01, seed=100 + number)
        asked = ann.ask(one, script.question)
        await asked.until(lambda view: "20 " in view.open_text)
        thread_id = asked.view.thread["id"]
        followers = [await ann.follow(each, thread_id).opened() for each in shared]
        await ann.get(deleting, "threads.delete", thread_id=thread_id)
        for each in (asked, *followers):
            await each.end()
            assert not each.was_cut
            assert each.view.is_deleted
            assert each.of_type("thread.deleted") == [
                {"type": "thread.deleted", "thread_id": thread_id}
            ]
        await until((one.folder / f"said-{script.seed}").exists)
        for worker in shared:
            assert (await ann.post(worker, "threads.get_by_id", thread_id=thread_id)).is_error
            assert (await ann.post(worker, "items.list", thread_id=thread_id)).status_code == 404
            answer = await ann.post(worker, "threads.follow", thread_id=thread_id)
            assert answer.status_code == 404
    assert "Traceback" not in one.log
    assert "was lost" not in one.log


async def test_concurrent_stops(shared: list[LiveWorker]) -> None:
    one, other = shared
    ann = Person()
    for number in range(5):
        script = Script(say=100_000, pause=0.01, seed=200 + number)
        asked = ann.ask(one, script.question)
        await asked.until(lambda view: "5 " in view.open_text)
        thread_id = asked.view.thread["id"]
        turn_id = asked.view.turn and asked.view.turn["id"]
        stops = [ann.stop(each, thread_id, turn_id=turn_id) for each in (one, other, one, other)]
        assert set(await asyncio.gather(*stops)) <= {"stopped", "idle"}
        await asked.end()
        items = await ann.items(other, thread_id)
        assert [item["type"] for item in items] == [
            "user_message",
            "assistant_message",
            "end_of_turn",
        ]
        assert script.text.startswith(text_of(items[1]))
        assert asked.view.items == {item["id"]: item for item in items}
