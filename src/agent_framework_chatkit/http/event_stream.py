"""A streaming response of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    # Without this, nginx would hold events back until its buffer is full.
    "X-Accel-Buffering": "no",
}

MAX_PIECE = 16 * 1024
"""The maximum size of a piece of the response.

For a client that does not read, the ASGI server buffers up to 64 KB and one more piece.
"""


class EventStream(Response):
    """Sends events until there are no more or the client disconnects.

    Args:
        first: The first events.
        events: The other events. The generator is closed in either case.
    """

    media_type = "text/event-stream"

    def __init__(self, first: list[bytes], events: AsyncGenerator[list[bytes], None]) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._first = first
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        sending = asyncio.ensure_future(self._send(send))
        listening = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            await asyncio.wait([sending, listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            sending.cancel()
            await asyncio.wait([sending, listening])
            await self._events.aclose()
        if not sending.cancelled():
            # A disconnected client is not an error.
            error = sending.exception()
            if error is not None and not isinstance(error, OSError):
                raise error

    async def _send(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await _send_body(send, self._first)
        async for events in self._events:
            await _send_body(send, events)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_body(send: Send, events: list[bytes]) -> None:
    for piece in _pieces(events):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


def _pieces(events: list[bytes]) -> Iterator[bytes]:
    """Join small events and split large ones.

    Remove events from the list as they are sent: a slow client must not keep them in memory.
    """
    events.reverse()
    piece = bytearray()
    while events:
        event = events.pop()
        for start in range(0, len(event), MAX_PIECE):
            if piece and len(piece) + min(len(event) - start, MAX_PIECE) > MAX_PIECE:
                full, piece = bytes(piece), bytearray()
                yield full
            piece += event[start : start + MAX_PIECE]
    if piece:
        yield bytes(piece)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
