"""Servers whose clock is set back or forward by an hour during an answer."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..fakes.scripted_answers import Script
from .live_threads import Person, check_equal_to_fresh_load
from .live_workers import LiveWorker, until, workers
from .soak import calls_made


def _library() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@pytest.fixture(scope="module")
def faketime() -> Path:
    """A library that gives a process its own clock."""
    if _library() is None and shutil.which("apt-get") is not None and os.getuid() == 0:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "faketime"]):
            subprocess.run(["apt-get", *command], capture_output=True, check=False)  # noqa: S607
    library = _library()
    if library is None:
        pytest.skip("This needs libfaketime. On Debian: apt-get install faketime")
    return library


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two(
    request: pytest.FixtureRequest, faketime: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[LiveWorker]]:
    folder = tmp_path_factory.mktemp("clocks")
    database = f"sqlite:///{folder}/chat.db"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").create_database()
    clock = folder / "clock"
    clock.write_text("+0")
    variables: dict[str, Any] = {
        "CHATKIT_LEASE": "20",
        "LD_PRELOAD": str(faketime),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        # The monotonic clock cannot be set.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with workers(folder, database, **variables) as started:
        yield started


@pytest.mark.parametrize("change", ["-1h", "+1h"])
async def test_answer_survives_clock_change(change: str, two: list[LiveWorker]) -> None:
    one, other = two
    clock = one.folder / "clock"
    clock.write_text("+0")
    ann = Person()
    tool = secrets.token_hex(4)
    script = Script(say=60, pause=0.02, seed=1, tool=tool, gate=tool, hold=30)
    request_id = secrets.token_hex(8)
    first = await ann.ask(one, Script(seed=2).question).end()
    thread_id = first.view.thread["id"]
    followers = [await ann.follow(each, thread_id).opened() for each in two]
    before = first.view.copy()
    asked = ann.ask(one, script.question, thread_id, view=first.view, request_id=request_id)
    await asked.until(lambda view: "29 " in view.open_text)
    clock.write_text(change)
    one.open(tool)
    await asked.end()
    repeated = ann.ask(other, script.question, thread_id, view=before, request_id=request_id)
    await repeated.end()
    assert repeated.view.items == asked.view.items
    for each in followers:
        await each.until(
            lambda view: view.turn_id == asked.view.turn_id and view.state != "running"
        )
        assert not each.has_ended
    for view in (asked.view, *(each.view for each in followers)):
        assert view.state == "completed"
        assert view.newest_answer == script.text
        for worker in two:
            await check_equal_to_fresh_load(ann, worker, thread_id, view)
    assert calls_made(one.folder).count(tool) == 1
    # A thread that starts now is the newest.
    other_thread = await ann.ask(other, Script(seed=3).question).end()
    again = await ann.ask(other, Script(seed=4).question, thread_id).end()
    assert again.view.newest_answer == Script(seed=4).text, again.frames
    for each in followers:
        await each.until(lambda view: view.newest_answer == Script(seed=4).text)
        await check_equal_to_fresh_load(ann, one, thread_id, each.view)
        await each.close()
    listed = (await ann.get(one, "threads.list"))["data"]
    assert [each["id"] for each in listed] == [other_thread.view.thread["id"], thread_id]
    resumed = ann.follow(one, thread_id, after=asked.view.after, view=asked.view)
    await resumed.until(lambda view: view.newest_answer == Script(seed=4).text)
    assert not resumed.of_type("thread.state")
    await resumed.close()
    for worker in two:
        assert "WARNING" not in worker.log
        assert "ERROR" not in worker.log


async def test_dead_worker_is_detected_despite_clock_change(
    two: list[LiveWorker],
) -> None:
    one, other = two
    clock = one.folder / "clock"
    clock.write_text("+0")
    ann = Person()
    asked = ann.ask(one, Script(say=100_000, pause=0.01, seed=5).question)
    await asked.until(lambda view: "20 " in view.open_text)
    thread_id = asked.view.thread["id"]
    followed = await ann.follow(other, thread_id).opened()
    clock.write_text("-1h")
    one.kill()
    await followed.until(lambda view: view.state == "interrupted")
    await check_equal_to_fresh_load(ann, other, thread_id, followed.view)
    answer = await ann.ask(other, Script(seed=6).question, thread_id).end()
    assert answer.view.newest_answer == Script(seed=6).text
    await followed.close()
    await asked.close()
    await until(lambda: "died; ending its turns" in other.log, other)
