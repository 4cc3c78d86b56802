"""Reads request bodies within limits of size and time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator

from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

MAX_REQUEST = 1024 * 1024
"""The default maximum size of a chat request in bytes."""

MAX_LARGE_REQUEST = 16 * 1024 * 1024
"""The maximum size in bytes of a request with a recording or a client tool result."""

_LARGE = ("input.transcribe", "threads.add_client_tool_output")
_NAMES_LARGE = re.compile(rb'"(?:%b)"' % b"|".join(re.escape(name.encode()) for name in _LARGE))

GRACE = 30.0
"""Seconds that a body may take to arrive, plus one for every `SLOWEST` bytes."""

SLOWEST = 16 * 1024


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a chat request.

    Args:
        request: The request.
        limit: The maximum size in bytes, except for the kinds of requests that may be larger.

    Raises:
        HTTPException: 413 if the body is too large, 408 if it arrives too slowly.
    """
    chunks: list[bytes] = []
    size = 0
    may_be_large = False
    async for chunk in limited(request.stream(), max(limit, MAX_LARGE_REQUEST)):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit and not may_be_large:
            may_be_large = _NAMES_LARGE.search(b"".join(chunks)) is not None
            if not may_be_large:
                raise _too_large(limit)
    body = b"".join(chunks)
    if size > limit:
        _check_large(body, limit)
        # The server is about to parse it again. Let other tasks run in between.
        await asyncio.sleep(0)
    return body


async def limited(stream: AsyncIterator[bytes], limit: int) -> AsyncGenerator[bytes, None]:
    """Yield a stream's chunks, and refuse the request once it is too large or too slow.

    Raises:
        HTTPException: 413 if the stream is too large, 408 if it arrives too slowly.
    """
    size = 0
    async for chunk in in_time(stream):
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


async def in_time(stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield a stream's chunks, and refuse the request once it is too slow.

    Raises:
        HTTPException: 408 if the stream arrives too slowly.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + GRACE
    chunks = aiter(stream)
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks), deadline - loop.time())
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError:
            raise HTTPException(408, "The request did not arrive in time. Send it again.") from None
        deadline += len(chunk) / SLOWEST
        yield chunk


async def form_body(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a form.

    If the form is cut short, the parser gets an error of its own kind: it then closes its temporary
    file.
    """
    try:
        async for chunk in limited(request.stream(), limit):
            yield chunk
    except (HTTPException, ClientDisconnect) as error:
        raise MultiPartException("The form is cut short.") from error


def _check_large(body: bytes, limit: int) -> None:
    # A single wide character makes Python use four bytes for each character of a string.
    is_wide = not body.isascii() or b"\\u" in body
    if len(body) * (4 if is_wide else 1) > max(limit, MAX_LARGE_REQUEST):
        raise _too_large(MAX_LARGE_REQUEST // 4)
    try:
        request = from_json(body)
    except ValueError:
        return  # The server reports the problem.
    if not isinstance(request, dict) or request.get("type") not in _LARGE:
        raise _too_large(limit)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"Send at most {limit} bytes.")
