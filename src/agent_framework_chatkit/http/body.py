"""Reads request bodies within limits of size and time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from pydantic import BaseModel, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from ..server.requests import check_complexity

MAX_REQUEST = 1024 * 1024
"""The default maximum size of a chat request in bytes."""

MAX_LARGE_REQUEST = 16 * 1024 * 1024
"""The maximum size in bytes of a request with a recording or a client tool result."""

_LARGE = ("input.transcribe", "threads.add_client_tool_output")
_NAMES_LARGE = re.compile(rb'"(?:%b)"' % b"|".join(re.escape(name.encode()) for name in _LARGE))

GRACE = 30.0
"""Seconds that a body may take to arrive, plus one for every `SLOWEST` bytes."""

SLOWEST = 16 * 1024
"""The minimum speed of a body after the first `GRACE` seconds, in bytes per second."""


_MAX_MEDIA_TYPE = 1024
"""The maximum number of characters of a form's `Content-Type`."""


class _Typed(BaseModel):
    """A request of which only the type is read."""

    type: Any = None


async def read_body(request: Request, limit: int) -> bytearray:
    """Return the body of a chat request.

    Args:
        request: The request.
        limit: The maximum size in bytes, except for the kinds of requests that may be larger.

    Raises:
        HTTPException: 413 if the body is too large, 408 if it arrives too slowly.
        RequestTooComplexError: If a large body contains too many values, or nests them too deeply.
    """
    body = bytearray()
    may_be_large = False
    async for chunk in limited(request.stream(), max(limit, MAX_LARGE_REQUEST)):
        body += chunk
        if len(body) > limit and not may_be_large:
            may_be_large = _NAMES_LARGE.search(body) is not None
            if not may_be_large:
                raise _too_large(limit)
    if len(body) > limit:
        await _check_large(body, limit)
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

    If the form is cut short, this raises the parser's own exception, on which the parser closes its
    temporary file.
    """
    try:
        async for chunk in limited(request.stream(), limit):
            yield chunk
    except (HTTPException, ClientDisconnect) as error:
        raise MultiPartException("The form is cut short.") from error


def check_form_type(request: Request) -> None:
    """Refuse a form whose `Content-Type` is long, or names another charset than UTF-8.

    Python takes quadratic time for long headers, and has charsets that take minutes to decode.

    Raises:
        HTTPException: 400 if the form is refused.
    """
    media_type = request.headers.get("content-type", "")
    if len(media_type) > _MAX_MEDIA_TYPE:
        raise HTTPException(400, "The content type of the form is too long.")
    _, options = parse_options_header(media_type)
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(400, "Send the form in UTF-8.")


async def _check_large(body: bytearray, limit: int) -> None:
    """Check a body that is larger than the limit, and let other tasks run after each slow step."""
    # A single wide character makes Python use four bytes for each character of a string.
    is_wide = not body.isascii() or b"\\u" in body
    largest = max(limit, MAX_LARGE_REQUEST)
    if len(body) * (4 if is_wide else 1) > largest:
        raise _too_large(largest // 4)
    # An output is stored as JSON within JSON, where an escaped character takes two bytes more.
    escaped = body.count(b"\\") - body.count(rb"\\")
    if len(body) + 2 * escaped > largest:
        raise _too_large(largest, "; an escaped character such as \\n counts as four")
    await asyncio.sleep(0)
    check_complexity(body)
    await asyncio.sleep(0)
    try:
        kind = _Typed.model_validate_json(body).type
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            return  # The server reports the problem.
        kind = None
    if kind not in _LARGE:
        raise _too_large(limit)
    await asyncio.sleep(0)


def _too_large(limit: int, note: str = "") -> HTTPException:
    return HTTPException(413, f"Send at most {limit} bytes{note}.")
