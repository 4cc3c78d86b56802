"""Limits on each owner's use of a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from ..stores.owners import owner_of, value_of

_TOO_MANY_TURNS = "You sent too many requests within a minute. Wait a moment and try again."
_TOO_MANY_VISITORS = (
    "Too many browsers have opened this chat for the first time within a minute. Allow cookies, "
    "wait a moment, and load the chat again."
)
_TOO_MANY_STREAMS = "This chat is open too many times. Close some tabs and try again."


class QuotaExceededError(Exception):
    """An owner exceeded a quota. The message is for the user."""


@dataclass(frozen=True)
class Quotas:
    """Limits on each owner's use of a worker; `None` means no limit.

    Attributes:
        turns: Turns per minute: messages, retries, actions and answers to requests.
        streams: Open streams, of turns and of followed threads.
        visitor_turns: Like `turns`, for visitors: owners without a login.
        visitor_streams: Like `streams`, for visitors.
        new_visitors: Requests per minute from one address without a visitor's cookie. Their turns
            and streams count together, as if they came from one visitor.
    """

    turns: int | None = None
    streams: int | None = None
    visitor_turns: int | None = 120
    visitor_streams: int | None = 100
    new_visitors: int | None = 300


class QuotaKeeper:
    """Enforces the quotas on this worker.

    Args:
        quotas: The quotas.
    """

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._rates = MovingWindowRateLimiter(MemoryStorage())
        self._streams: Counter[str] = Counter()

    def take_new_visitor(self, address: str) -> None:
        """Count a request without a visitor's cookie.

        Raises:
            QuotaExceededError: If the address has used up its requests for this minute.
        """
        self._take(self._quotas.new_visitors, f"visitors:{address}", _TOO_MANY_VISITORS)

    def take_turn(self, context: Any) -> None:
        """Count a turn.

        Raises:
            QuotaExceededError: If the owner has used up the turns for this minute.
        """
        is_visitor = value_of(context, "is_visitor")
        allowed = self._quotas.visitor_turns if is_visitor else self._quotas.turns
        self._take(allowed, f"turns:{_counted_as(context)}", _TOO_MANY_TURNS)

    @contextmanager
    def stream(self, context: Any) -> Iterator[None]:
        """Count a stream while it is open.

        Raises:
            QuotaExceededError: If the owner has too many open streams.
        """
        owner = _counted_as(context)
        is_visitor = value_of(context, "is_visitor")
        allowed = self._quotas.visitor_streams if is_visitor else self._quotas.streams
        if allowed is not None and self._streams[owner] >= allowed:
            raise QuotaExceededError(_TOO_MANY_STREAMS)
        self._streams[owner] += 1
        try:
            yield
        finally:
            self._streams[owner] -= 1
            if not self._streams[owner]:
                del self._streams[owner]

    def _take(self, allowed: int | None, key: str, refusal: str) -> None:
        if allowed is None:
            return
        if not self._rates.hit(RateLimitItemPerMinute(allowed), key):
            raise QuotaExceededError(refusal)


def _counted_as(context: Any) -> str:
    """Return the name under which to count: the owner, or the address if there is no cookie.

    Each request without a visitor's cookie gets a new owner, so limits per owner would not work.
    """
    if value_of(context, "is_new_visitor"):
        return f"new visitors at {value_of(context, 'address')}"
    return owner_of(context)
