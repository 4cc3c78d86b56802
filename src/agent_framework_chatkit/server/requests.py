"""Requests: ChatKit's, and those with which clients follow and stop turns, and search."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from chatkit.types import BaseReq, NonStreamingReq, StreamingReq
from pydantic import BaseModel, Field, TypeAdapter

from .event_log import PAGE_ID

MAX_PAGE = 100
"""How many items or threads an answer holds at most."""

MAX_IDS = 100
"""How many items a request may name."""

MAX_ELEMENTS = 20_000
"""How many values a request may hold, counted by what JSON puts around and between them."""

MAX_DEPTH = 100
"""How deep values may be nested."""


class FollowParams(BaseModel):
    """What to follow.

    Attributes:
        thread_id: The thread.
        after: The id of the last event that the client has seen.
        list: Whether to tell of the owner's other threads too.
        limit: How many items the thread's state holds.
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
    """What to stop.

    Attributes:
        thread_id: The thread.
        turn_id: The turn; any that runs, by default.
    """

    thread_id: str
    turn_id: str | None = None


class ThreadsStopReq(BaseReq):
    """Asks to stop a thread's turn, wherever it runs."""

    type: Literal["threads.stop"] = "threads.stop"
    params: StopParams


class ClaimParams(BaseModel):
    """Which call of a client tool to claim.

    Attributes:
        thread_id: The thread.
        item_id: The call's item.
    """

    thread_id: str
    item_id: str


class ThreadsClaimToolReq(BaseReq):
    """Asks to be the page that makes a client tool's call."""

    type: Literal["threads.claim_tool"] = "threads.claim_tool"
    params: ClaimParams


class SearchParams(BaseModel):
    """What to find.

    Attributes:
        query: Words that a message, or the title, of a thread has.
        limit: How many threads to return at most.
        after: Where the page begins, as the one before it said.
    """

    query: str
    limit: int = Field(default=20, ge=1, le=MAX_PAGE)
    after: str | None = None


class ThreadsSearchReq(BaseReq):
    """Asks for the threads in which words are found."""

    type: Literal["threads.search"] = "threads.search"
    params: SearchParams


OwnReq: TypeAlias = ThreadsFollowReq | ThreadsStopReq | ThreadsClaimToolReq | ThreadsSearchReq
AnyReq: TypeAlias = Annotated[StreamingReq | NonStreamingReq | OwnReq, Field(discriminator="type")]

_BRACKET = re.compile(rb"[][{}]")
_ANY: TypeAdapter[Any] = TypeAdapter(AnyReq)


class RequestTooComplexError(ValueError):
    """A request would take long to read, for all its few bytes."""


def check_complexity(body: str | bytes | bytearray) -> None:
    """Refuse a request that would take long to read.

    Raises:
        RequestTooComplexError: It holds too many values, or nests them too deep.
    """
    text = body.encode(errors="replace") if isinstance(body, str) else bytes(body)
    if _marks(text) <= MAX_ELEMENTS and text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return
    # Some of these may be within texts, which are left out.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # There is a mark between any two texts.
    if text.count(b'"') > 2 * (MAX_ELEMENTS + 1):
        raise RequestTooComplexError("The request holds too many values.")
    structure = b"".join(text.split(b'"')[::2])
    if _marks(structure) > MAX_ELEMENTS:
        raise RequestTooComplexError("The request holds too many values.")
    depth = 0
    for bracket in _BRACKET.findall(structure):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise RequestTooComplexError("The request nests values too deep.")


def _marks(text: bytes) -> int:
    return sum(text.count(mark) for mark in (b",", b":", b"[", b"{"))


def parse_request(body: str | bytes | bytearray) -> Any:
    """Return the request that a body holds.

    Raises:
        ValidationError: If it is none that is known.
    """
    return _ANY.validate_json(body)


def request_id_of(request: BaseReq) -> str | None:
    """Return the id that makes a request safe to repeat, if it has one."""
    given = request.metadata.get("request_id")
    return given if isinstance(given, str) and 0 < len(given) <= 200 else None


def page_of(request: BaseReq) -> str | None:
    """Return the page that sends a request, if it says."""
    given = request.metadata.get("page_id")
    return given if isinstance(given, str) and PAGE_ID.fullmatch(given) else None


def is_detached(request: BaseReq) -> bool:
    """Return whether the turn goes on when the client goes away."""
    return request.metadata.get("detached") is True


def knows_turn_ends(request: BaseReq) -> bool:
    """Return whether a client knows the items that say how a turn ended."""
    return request.metadata.get("turn_ends") is True
