"""ChatKit's requests, and our own to follow and search threads and to stop turns."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeAlias

from chatkit.types import (
    BaseReq,
    NonStreamingReq,
    StreamingReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsRetryAfterItemReq,
)
from pydantic import BaseModel, Field, TypeAdapter

from .event_log import PAGE_ID

MAX_PAGE = 100
"""The maximum number of items or threads in a response."""

MAX_IDS = 100
"""The maximum number of item IDs in a request."""

MAX_TITLE = 1_000
"""The maximum number of characters of a title in a request: pages have many titles."""

MAX_ELEMENTS = 20_000
"""The maximum number of values in a request, counted by JSON's brackets, commas and colons."""

MAX_DEPTH = 100
"""The maximum depth of nested values."""


class FollowParams(BaseModel):
    """The parameters of `threads.follow`.

    Attributes:
        thread_id: The thread's ID.
        after: The ID of the last event that the client received.
        list: Whether to also stream changes in the owner's other threads.
        limit: The maximum number of items in the thread's state.
    """

    thread_id: str
    after: str | None = None
    list: bool = False
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class ThreadsFollowReq(BaseReq):
    """Asks for a thread's events as they happen."""

    type: Literal["threads.follow"] = "threads.follow"
    params: FollowParams


class StopParams(BaseModel):
    """The parameters of `threads.stop`.

    Attributes:
        thread_id: The thread's ID.
        turn_id: The turn's ID; by default, the running turn is stopped.
    """

    thread_id: str
    turn_id: str | None = None


class ThreadsStopReq(BaseReq):
    """Asks to stop a thread's turn, wherever it runs."""

    type: Literal["threads.stop"] = "threads.stop"
    params: StopParams


class ClaimParams(BaseModel):
    """The parameters of `threads.claim_tool`.

    Attributes:
        thread_id: The thread's ID.
        item_id: The ID of the call's item.
    """

    thread_id: str
    item_id: str


class ThreadsClaimToolReq(BaseReq):
    """Asks to be the page that makes a client tool call."""

    type: Literal["threads.claim_tool"] = "threads.claim_tool"
    params: ClaimParams


class SearchParams(BaseModel):
    """The parameters of `threads.search`.

    Attributes:
        query: Words to find in a thread's messages or title.
        limit: The maximum number of threads to return.
        after: The `after` value of the previous page.
    """

    query: str
    limit: int = Field(default=20, ge=1, le=MAX_PAGE)
    after: str | None = None


class ThreadsSearchReq(BaseReq):
    """Asks for the threads that contain the words of a query."""

    type: Literal["threads.search"] = "threads.search"
    params: SearchParams


OwnReq: TypeAlias = ThreadsFollowReq | ThreadsStopReq | ThreadsClaimToolReq | ThreadsSearchReq
AnyReq: TypeAlias = Annotated[StreamingReq | NonStreamingReq | OwnReq, Field(discriminator="type")]

_BRACKET = re.compile(rb"[][{}]")
_ANY: TypeAdapter[Any] = TypeAdapter(AnyReq)


class RequestInvalidError(ValueError):
    """A request does not fit its thread, or lacks something. The message is for the client."""


class RequestTooComplexError(ValueError):
    """A request would take too long to parse for its size."""


def check_complexity(body: str | bytes | bytearray) -> None:
    """Refuse a request that would take too long to parse.

    Raises:
        RequestTooComplexError: If it holds too many values, or nests them too deeply.
    """
    text = body.encode(errors="replace") if isinstance(body, str) else body
    opened = text.count(b"[") + text.count(b"{")
    if opened <= MAX_DEPTH and opened + text.count(b",") + text.count(b":") <= MAX_ELEMENTS:
        return
    # Some of these marks may be inside strings, so remove the strings and count again.
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Any two strings have a mark between them.
    if text.count(b'"') > 2 * (MAX_ELEMENTS + 1):
        raise RequestTooComplexError("The request holds too many values.")
    structure = b"".join(text.split(b'"')[::2])
    if sum(structure.count(mark) for mark in (b",", b":", b"[", b"{")) > MAX_ELEMENTS:
        raise RequestTooComplexError("The request holds too many values.")
    depth = 0
    for bracket in _BRACKET.findall(structure):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise RequestTooComplexError("The request nests values too deeply.")


def parse_request(body: str | bytes | bytearray) -> Any:
    """Return the request in a body.

    Raises:
        ValidationError: If the body is not a known request.
    """
    return _ANY.validate_json(body)


def request_id_of(request: BaseReq) -> str | None:
    """Return the ID that makes a request safe to repeat, if it has one."""
    given = request.metadata.get("request_id")
    if not isinstance(given, str) or not given:
        return None
    return given if len(given) <= 200 else sha256(given.encode()).hexdigest()


def digest_of(request: StreamingReq) -> str:
    """Return a digest of a request's content, which is the same for equal requests.

    A client may repeat a request with other metadata after a reload, with another model, or in a
    version that treats spaces differently.
    """
    canonical = json.dumps(_asked(request), sort_keys=True, default=str)
    return sha256(canonical.encode()).hexdigest()


def _asked(request: StreamingReq) -> list[Any]:
    if isinstance(request, (ThreadsCreateReq, ThreadsAddUserMessageReq)):
        given = request.params.input
        text = "".join(part.text for part in given.content)
        quoted = given.quoted_text or ""
        files = sorted(set(given.attachments))
        return ["message", "".join(text.split()), files, "".join(quoted.split())]
    if isinstance(request, ThreadsCustomActionReq):
        action = request.params.action
        return ["action", request.params.item_id, action.type, action.payload]
    if isinstance(request, ThreadsAddStructuredInputReq):
        answers = request.params.input.model_dump(exclude_unset=True)
        return ["answers", request.params.item_id, answers]
    if isinstance(request, ThreadsRetryAfterItemReq):
        return ["retry", request.params.item_id, request.metadata.get("input")]
    # A client tool output: it may be large.
    return ["output"]


def page_of(request: BaseReq) -> str | None:
    """Return the ID of the page that sent a request, if given."""
    given = request.metadata.get("page_id")
    return given if isinstance(given, str) and PAGE_ID.fullmatch(given) else None


def is_detached(request: BaseReq) -> bool:
    """Return whether the turn continues when the client disconnects."""
    return request.metadata.get("detached") is True


def knows_turn_ends(request: BaseReq) -> bool:
    """Return whether the client knows the items that mark the end of a turn."""
    return request.metadata.get("turn_ends") is True
