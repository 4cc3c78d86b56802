"""No accepted request needs more than 64 MB of a server's memory beyond its files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ..unit.chat_client import message
from .live_threads import Person
from .live_workers import LiveWorker, workers

LARGEST = 16 * 1024 * 1024 - 200
"""The length of the largest accepted output, with room for the rest of the request."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chat.db"
    return str(request.getfixturevalue("postgres").create_database())


@asynccontextmanager
async def little_memory(worker: LiveWorker, files: int = 0) -> AsyncIterator[None]:
    """Check that a server's memory grows by less than 64 MB beyond the size of files."""
    worker.forget_most_memory()
    before = await worker.most_memory()
    yield
    assert await worker.most_memory() - before < files + 64_000_000


async def answer(person: Person, worker: LiveWorker, output: str, thread_id: str = "") -> Any:
    """Answer a client tool call, and return the thread's ID."""
    asked = await person.ask(worker, "Where am I?", thread_id).end()
    thread_id = thread_id or asked.view.thread["id"]
    response = await person.post(
        worker, "threads.add_client_tool_output", thread_id=thread_id, result=output
    )
    assert f"A name of {len(output) + 2} characters." in response.text
    return thread_id


async def test_largest_outputs(tmp_path: Path, database: str) -> None:
    ann = Person()
    with workers(tmp_path, database, 1, agent="locating_agent") as (worker,):
        thread_id = await answer(ann, worker, "Oslo")
        async with little_memory(worker):
            await answer(ann, worker, "x" * LARGEST, thread_id)
        for _ in range(3):
            await answer(ann, worker, "x" * LARGEST, thread_id)
        async with little_memory(worker):
            page = await ann.get(worker, "items.list", thread_id=thread_id, limit=100, order="asc")
        assert page["has_more"]


async def test_page_of_large_messages(tmp_path: Path, database: str) -> None:
    ann = Person()
    large = message("Oslo" + "x" * 1_000_000)
    with workers(tmp_path, database, 1, agent="locating_agent") as (worker,):
        thread_id = await answer(ann, worker, "Oslo")
        for _ in range(70):
            await ann.post(worker, "threads.add_user_message", thread_id=thread_id, input=large)
        async with little_memory(worker):
            page = await ann.get(worker, "items.list", thread_id=thread_id, limit=100, order="desc")
        assert page["has_more"]


async def test_search_in_large_messages(tmp_path: Path, database: str) -> None:
    ann = Person()
    large = message("Oslo " + "x" * 1_000_000)
    with workers(tmp_path, database, 1, agent="locating_agent") as (worker,):
        await ann.get(worker, "threads.list")
        for _ in range(60):
            await ann.post(worker, "threads.create", input=large)
        async with little_memory(worker):
            page = await ann.get(worker, "threads.search", query="oslo", limit=100)
        assert len(page["data"]) == 60


LARGE = 20 * 1024 * 1024
"""The size of the largest file."""

WIDE = "\N{GRINNING FACE}".encode()
"""A character with which Python needs four bytes for each character of a text."""

MARKUP = b"<TAG>"
"""Text that becomes longer."""


@pytest.mark.parametrize(
    "files",
    [
        [WIDE + bytes(LARGE - 4)] * 2,
        [WIDE + MARKUP * 400_000, bytes(LARGE), bytes(LARGE), bytes(LARGE // 3)],
        [WIDE + bytes(2_500_000)] * 20,
    ],
    ids=["large", "mixed", "many"],
)
async def test_message_with_files(tmp_path: Path, files: list[bytes]) -> None:
    ann = Person()
    store = f"sqlite:///{tmp_path}/chat.db"
    settings = {"agent": "locating_agent", "CHATKIT_ATTACHMENTS": str(tmp_path / "files")}
    with workers(tmp_path, store, 1, **settings) as (worker,):
        thread_id = await answer(ann, worker, "Oslo")
        ids = [await ann.upload(worker, "a.txt", file) for file in files]
        asked = message("Look", attachments=ids)
        async with little_memory(worker, sum(map(len, files))):
            seen = await ann.post(
                worker, "threads.add_user_message", thread_id=thread_id, input=asked
            )
        assert "client_tool_call" in seen.text
