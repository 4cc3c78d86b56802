"""Model services that give a test's answers, and reject the same requests as the real ones."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

ModelInput: TypeAlias = list[tuple[str, str]]
"""A model's input: pairs of a role, or `call` or `result` for tools, and a text."""

Finish = Literal["stop", "length", "content_filter", "refusal", "failed"]


class Happening(Enum):
    """An event in the middle of an answer."""

    HANG = "hang"
    """Nothing more is sent until the endpoint is released."""
    ERROR = "error"
    """The service reports a failure."""
    CUT = "cut"
    """The connection is lost."""
    END = "end"
    """The response ends as if it were complete, as some proxies do."""


HANG, ERROR, CUT, END = Happening

Pieces: TypeAlias = "Sequence[str | Happening]"


@dataclass(frozen=True)
class Call:
    """A tool call whose arguments arrive in pieces."""

    pieces: Pieces
    name: str = "place_order"


@dataclass(frozen=True)
class Thought:
    """A thought of the model, in pieces. Services that hide thoughts send nothing."""

    pieces: Pieces


Part: TypeAlias = "str | Thought | Call | Happening"


@dataclass(frozen=True)
class Reply:
    """An answer of the model: streamed texts, thoughts and calls."""

    parts: Sequence[Part] = ()
    finish: Finish = "stop"
    status: int = 200
    """The status of the response. If it is not 200, the service fails without an answer."""

    @property
    def has_call(self) -> bool:
        return any(isinstance(part, Call) for part in self.parts)


@dataclass(frozen=True)
class Refusal:
    """The reason why a service rejects a request."""

    reason: str
    status: int = 400
    code: str | None = None


class Wire(ABC):
    """Writes one answer as a service streams it."""

    media_type = "text/event-stream"

    def __init__(self, body: dict[str, Any], reply: Reply, number: int) -> None:
        self.body = body
        self.reply = reply
        self.number = number
        """The number of this answer."""
        self.calls = 0
        """The number of tool calls so far."""

    @property
    def used(self) -> tuple[int, int]:
        """The numbers of input and output tokens that the service reports."""
        return 100 * self.number, 10 * self.number

    def write(self) -> Iterator[bytes | Happening]:
        """Write the whole answer."""
        yield from self.begin()
        for part in self.reply.parts:
            if isinstance(part, Thought):
                yield from self.begin_thought()
                for piece in part.pieces:
                    yield from (piece,) if isinstance(piece, Happening) else self.thought(piece)
                yield from self.end_thought()
            elif isinstance(part, Call):
                self.calls += 1
                yield from self.begin_call(part.name)
                for piece in part.pieces:
                    yield from (piece,) if isinstance(piece, Happening) else self.arguments(piece)
                yield from self.end_call()
            elif isinstance(part, Happening):
                yield part
            else:
                yield from self.text(part)
        yield from self.end()

    @abstractmethod
    def begin(self) -> Iterator[bytes]: ...

    @abstractmethod
    def text(self, delta: str) -> Iterator[bytes]: ...

    @abstractmethod
    def begin_call(self, name: str) -> Iterator[bytes]: ...

    @abstractmethod
    def arguments(self, delta: str) -> Iterator[bytes]: ...

    @abstractmethod
    def end_call(self) -> Iterator[bytes]: ...

    def begin_thought(self) -> Iterator[bytes]:
        yield from ()

    def thought(self, delta: str) -> Iterator[bytes]:
        yield from ()

    def end_thought(self) -> Iterator[bytes]:
        yield from ()

    @abstractmethod
    def end(self) -> Iterator[bytes]: ...

    @abstractmethod
    def error(self) -> bytes:
        """Report a failure in the middle of the answer."""


def sse(data: dict[str, Any], event: str = "") -> bytes:
    """Encode a server-sent event."""
    # As ASCII, which can also contain half of a surrogate pair.
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


class Endpoint(ABC):
    """A service that gives scripted answers, and records its requests."""

    path: str
    wire: type[Wire]

    def __init__(self) -> None:
        self.script: list[Reply] = []
        """The next answers. If none is left, the answer is a short text."""
        self.requests: list[dict[str, Any]] = []
        """All requests, including the rejected ones."""
        self.refusals: list[str] = []
        """The reasons for the rejected requests."""
        self.used: list[tuple[int, int]] = []
        """The input and output tokens of each complete answer."""
        self.hanging = asyncio.Event()
        """Set when an answer hangs."""
        self.released = asyncio.Event()
        """Lets the answer continue."""
        self.left = asyncio.Event()
        """Set when the connection was closed while an answer hung."""
        self.answers = 0
        self.last_input: ModelInput = []
        """The model's input in the last accepted request."""

    @abstractmethod
    def refusal(self, body: dict[str, Any]) -> Refusal | str | None:
        """Return the reason to reject a request, or `None`."""

    @abstractmethod
    def error_body(self, refusal: Refusal) -> dict[str, Any]:
        """Return the body of the error response."""

    @abstractmethod
    def model_input(self, body: dict[str, Any]) -> ModelInput:
        """Return the model's whole input in a request, including the stored conversation."""

    def new_wire(self, body: dict[str, Any], reply: Reply) -> Wire:
        return self.wire(body, reply, self.answers)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route(self.path, self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append(body)
        refused = self.refusal(body)
        if refused is not None:
            refused = Refusal(refused) if isinstance(refused, str) else refused
            self.refusals.append(refused.reason)
            return JSONResponse(self.error_body(refused), refused.status)
        self.last_input = self.model_input(body)
        reply = self.script.pop(0) if self.script else Reply(["All right."])
        if reply.status != 200:
            failure = Refusal("The server had an error.", reply.status)
            return JSONResponse(self.error_body(failure), reply.status)
        self.answers += 1
        wire = self.new_wire(body, reply)
        return StreamingResponse(self._stream(wire), media_type=wire.media_type)

    async def _stream(self, wire: Wire) -> AsyncIterator[bytes]:
        for step in wire.write():
            if step is CUT:
                raise ConnectionAbortedError
            if step is ERROR:
                yield wire.error()
            if step in (ERROR, END):
                return
            if step is HANG:
                await self._hang()
            elif isinstance(step, bytes):
                yield step
        self.used.append(wire.used)

    async def _hang(self) -> None:
        self.hanging.set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise


@asynccontextmanager
async def serve(app: Starlette) -> AsyncIterator[str]:
    """Serve an app from this loop, and yield its URL."""
    config = uvicorn.Config(app, port=0, log_level="critical", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        # Like `server.shutdown()`, which takes a tenth of a second longer.
        for each in server.servers:
            each.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        while server.server_state.connections or server.server_state.tasks:
            await asyncio.sleep(0.001)
        await server.lifespan.shutdown()
