"""Server-sent events, sent as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    # nginx would otherwise hold events back until it has a buffer full.
    "X-Accel-Buffering": "no",
}


class EventStream(Response):
    """Sends events until there are no more, or the client goes away.

    Args:
        first: The first events.
        events: The others. They are closed in either case.
    """

    media_type = "text/event-stream"

    def __init__(self, first: list[bytes], events: AsyncGenerator[list[bytes], None]) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._first = first
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
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
            # A client that has gone is no failure of the server.
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
    await send({"type": "http.response.body", "body": b"".join(events), "more_body": True})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
