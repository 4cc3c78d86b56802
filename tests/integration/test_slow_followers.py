"""Many clients that read slowly or not at all do not affect others."""

from __future__ import annotations

import asyncio
import json
import resource
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from ..fakes.scripted_answers import Script
from ..unit.chat_client import message
from .live_threads import Person
from .live_workers import PLAIN, LiveWorker, until, workers
from .processes import PATIENCE
from .thread_view import text_of


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def one(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveWorker]:
    folder = tmp_path_factory.mktemp("one")
    database = f"sqlite:///{folder}/chat.db"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").create_database()
    with workers(folder, database, 1, command=PLAIN) as (started,):
        yield started


async def test_followers_that_never_read(one: LiveWorker) -> None:
    ann = Person()
    script = Script(say=160, size=50_000, seed=20)
    await ann.ask(one, script.question).end()
    before = await one.memory()
    quiet = await ann.ask(one, Script(say=1).question).end()
    thread_id = quiet.view.thread["id"]
    with ExitStack() as connections:
        for _ in range(40):
            idle = await request(ann, one, "threads.follow", thread_id=thread_id)
            connections.enter_context(closing(idle))
            assert await receive(idle, 12) == b"HTTP/1.1 200"
        followed = await ann.follow(one, thread_id).opened()
        answer = await ann.ask(one, script.question, thread_id).end()
        assert answer.view.texts[-1] == script.text
        await followed.until(lambda view: view.state == "completed")
        assert followed.view.texts[-1] == script.text
        assert len(script.text) > 8_000_000
        # One copy of the answer for each follower would take 320 MB.
        assert await one.memory() - before < 250_000_000
        await followed.close()


async def test_follower_that_reads_one_byte_per_second(tmp_path: Path) -> None:
    script = Script(say=20, size=1_000_000, seed=21)

    async def most_memory(name: str, pause: float) -> int:
        """Return a server's peak memory while its answer is read in this way."""
        folder = tmp_path / name
        folder.mkdir()
        ann = Person()
        with workers(folder, f"sqlite:///{folder}/chat.db", 1, command=PLAIN) as (worker,):
            await ann.get(worker, "threads.list")
            asking = await request(ann, worker, "threads.create", input=message(script.question))
            async with reading(asking, pause):

                async def ended() -> list[dict[str, Any]]:
                    page = await ann.get(worker, "threads.list")
                    return [each for each in page["data"] if each["turn"]["state"] == "completed"]

                (thread,) = await until(ended, worker)
            items = await ann.items(worker, thread["id"])
            assert text_of(items[-1]) == script.text
            return await worker.most_memory()

    quickly = await most_memory("quickly", 0)
    slowly = await most_memory("slowly", 1)
    assert len(script.text) > 20_000_000
    # The peaks of two servers differ by a tenth anyway.
    assert slowly < 1.3 * quickly


async def test_thousand_followers(one: LiveWorker) -> None:
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 2048:
        pytest.skip("This machine allows too few connections.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, 2048), most))
    ann = Person()
    script = Script(say=20, seed=22, hold=10, gate=secrets.token_hex(4))
    asked = ann.ask(one, script.question)
    await asked.until(lambda view: "9 " in view.open_text)
    thread_id = asked.view.thread["id"]
    followers = []
    for _ in range(20):
        followers += await asyncio.gather(
            *(request(ann, one, "threads.follow", thread_id=thread_id) for _ in range(50))
        )
    one.open(script.gate)
    await asked.end()
    assert asked.view.texts[-1] == script.text
    for each in followers:
        with closing(each):
            await receive_until(each, b'"state":"completed"')
    # All followers are gone, and the answer continues.
    assert (await ann.recall(one, thread_id))[-2][1] == script.text


async def request(person: Person, worker: LiveWorker, kind: str, **params: Any) -> socket.socket:
    """Send a request over a separate connection with a small receive buffer."""
    body = json.dumps({"type": kind, "params": params, "metadata": {"detached": True}})
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", worker.port))
    await loop.sock_sendall(
        connection,
        f"POST /chatkit HTTP/1.1\r\nHost: 127.0.0.1:{worker.port}\r\nCookie: {cookies}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(),
    )
    return connection


async def receive(connection: socket.socket, count: int) -> bytes:
    """Return a number of bytes of the response, or fewer if it ends earlier."""
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, count), PATIENCE)


async def receive_until(connection: socket.socket, wanted: bytes) -> None:
    """Read until a text has arrived."""
    received = b""
    while wanted not in received:
        more = await receive(connection, 65_536)
        assert more, f"The response ended without {wanted!r}: {received!r}"
        received += more


@asynccontextmanager
async def reading(connection: socket.socket, pause: float) -> AsyncIterator[None]:
    """Read a response during the block: quickly, or one byte at a time with a pause in seconds."""

    async def read() -> None:
        while await asyncio.get_running_loop().sock_recv(connection, 1 if pause else 2**20):
            await asyncio.sleep(pause)

    task = asyncio.create_task(read())
    with closing(connection):
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
