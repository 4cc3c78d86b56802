"""The clients of `turns.py`: HTTP connections that record when tokens and events arrive."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from turns_model import STAMP, lateness


@dataclass
class Arrivals:
    """The arrivals over the connections that share this object."""

    late: list[float] = field(default_factory=list)
    """The lateness of each token, in milliseconds after its due time."""
    events: int = 0


@dataclass(frozen=True)
class Protocol:
    """The protocol for requesting a turn from a contestant.

    Attributes:
        path: The path of its endpoint.
        body: Creates the body of a request that starts a thread with a message.
        marker: Bytes that only events with new tokens contain.
    """

    path: str
    body: Callable[[str], dict[str, Any]]
    marker: bytes


def user_message(text: str) -> dict[str, Any]:
    """Return a message as ChatKit's requests contain it."""
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}}


def _create_thread(text: str) -> dict[str, Any]:
    return {"type": "threads.create", "params": {"input": user_message(text)}}


def _create_detached(text: str) -> dict[str, Any]:
    return {**_create_thread(text), "metadata": {"detached": True, "request_id": uuid4().hex}}


def _run_agent(text: str) -> dict[str, Any]:
    return {
        "threadId": uuid4().hex,
        "runId": uuid4().hex,
        "messages": [{"id": uuid4().hex, "role": "user", "content": text}],
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {},
    }


def follow(thread_id: str) -> dict[str, Any]:
    """Return a request that follows a thread."""
    return {
        "type": "threads.follow",
        "params": {"thread_id": thread_id, "after": None},
        "metadata": {"page_id": uuid4().hex},
    }


DETACHED = Protocol("/chatkit", _create_detached, b"text_delta")
CHATKIT = Protocol("/chatkit", _create_thread, b"text_delta")
AG_UI = Protocol("/", _run_agent, b"TEXT_MESSAGE_CONTENT")


class Connection(asyncio.Protocol):
    """A connection that makes one request at a time and reads its server-sent events."""

    def __init__(self, protocol: Protocol, arrivals: Arrivals, cookie: bytes = b"") -> None:
        self.cookie = cookie
        """Identifies the client; the server sets it in its first response."""
        self.first_event: asyncio.Future[bytes]
        self.first_token: asyncio.Future[None]
        self.answered: asyncio.Future[None]
        self._protocol = protocol
        self._arrivals = arrivals
        self._rest = b""
        self._transport: asyncio.WriteTransport

    @classmethod
    async def open(
        cls, port: int, protocol: Protocol, arrivals: Arrivals, cookie: bytes = b""
    ) -> Connection:
        """Connect to a server on this machine."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: cls(protocol, arrivals, cookie), "127.0.0.1", port
        )
        return connection

    @property
    def local_port(self) -> int:
        """The client's port."""
        return int(self._transport.get_extra_info("sockname")[1])

    def ask(self, text: str) -> None:
        """Start a thread with a message."""
        self.send(self._protocol.body(text))

    def send(self, request: dict[str, Any]) -> None:
        """Send a request; the futures then belong to its response."""
        loop = asyncio.get_running_loop()
        self.first_event = loop.create_future()
        self.first_token = loop.create_future()
        self.answered = loop.create_future()
        body = json.dumps(request).encode()
        cookie = b"Cookie: %b\r\n" % self.cookie if self.cookie else b""
        self._transport.write(
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"%bContent-Length: %d\r\n\r\n%b"
            % (self._protocol.path.encode(), cookie, len(body), body)
        )

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line.startswith(b"data: "):
                self._take(line, now)
            elif line == b"0\r":  # the last chunk
                self.answered.set_result(None)
            elif line.startswith(b"set-cookie: "):
                self.cookie = line[len("set-cookie: ") :].partition(b";")[0]
            elif line.startswith(b"HTTP/1.1 ") and not line.startswith(b"HTTP/1.1 200"):
                self._fail(line.decode())

    def connection_lost(self, error: Exception | None) -> None:
        if hasattr(self, "answered") and not self.answered.done():
            self._fail("The connection was closed before the response ended.")

    def _take(self, event: bytes, now: float) -> None:
        if not self.first_event.done():
            self.first_event.set_result(event)
        self._arrivals.events += 1
        if self._protocol.marker in event:
            self._arrivals.late += [lateness(stamp, now) for stamp in STAMP.findall(event)]
            if not self.first_token.done():
                self.first_token.set_result(None)

    def _fail(self, message: str) -> None:
        for future in (self.first_event, self.first_token, self.answered):
            if not future.done():
                future.set_exception(ConnectionError(message))
                # A caller that closed the connection does not read it.
                future.exception()
