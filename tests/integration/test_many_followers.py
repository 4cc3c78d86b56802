"""Very many clients that follow one thread."""

from __future__ import annotations

import asyncio
import json
import resource
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from .live_threads import PATIENCE, PLAIN, LiveWorker, Person, workers
from .scripted_answers import Script


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorker]:
    folder = tmp_path_factory.mktemp("one")
    with workers(folder, f"sqlite:///{folder}/chat.db", 1, command=PLAIN) as (started,):
        yield started


async def test_a_thousand_follow_one_thread(one: LiveWorker) -> None:
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
    # All are gone, and it goes on.
    assert (await ann.recall(one, thread_id))[-2][1] == script.text


async def request(person: Person, worker: LiveWorker, kind: str, **params: Any) -> socket.socket:
    """Send a request over a connection of its own, which has little room for the reply."""
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


async def receive_until(connection: socket.socket, wanted: bytes) -> None:
    """Read until something has come."""
    loop = asyncio.get_running_loop()
    received = b""
    while wanted not in received:
        more = await asyncio.wait_for(loop.sock_recv(connection, 65_536), PATIENCE)
        assert more, f"It ends without {wanted!r}: {received!r}"
        received += more
