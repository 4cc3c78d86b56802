"""Limits on each owner's use of a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from ..stores.owners import owner_of, value_of

_TOO_MANY_TURNS = "You sent too many requests within a minute. Wait a moment and try again."
_TOO_MANY_VISITORS = (
    "Too many browsers have opened this chat for the first time within a minute. Allow cookies, "
    "wait a moment, and load the chat again."
)
_TOO_MANY_STREAMS = "This chat is open too many times. Close some tabs and try again."
_TOO_MANY_FROM_ADDRESS = (
    "Too many requests came from your network within a minute. Wait a moment and try again."
)
_TOO_MANY_STREAMS_FROM_ADDRESS = (
    "This chat is open too many times in your network. Close some tabs and try again."
)
_TOO_MUCH_FROM_ADDRESS = (
    "Too many files came from your network within an hour. Wait a while and try again."
)

_MIN_UPLOAD = 4096
"""The minimum number of bytes to count for an upload: it also costs a row and a file."""

_RECORDED_REFUSALS = RateLimitItemPerMinute(60)
"""The number of refused requests per minute that a worker records."""


class QuotaExceededError(Exception):
    """An owner exceeded a quota. The message is for the user."""


@dataclass(frozen=True)
class Quotas:
    """Limits on each owner's use of a worker; `None` means no limit.

    Attributes:
        turns: Turns per minute: messages, retries, actions, answers to requests and dictations.
        streams: Open streams, of turns and of followed threads.
        visitor_turns: Like `turns`, for visitors: owners without a login.
        visitor_streams: Like `streams`, for visitors.
        new_visitors: Requests per minute from one address without a visitor's cookie, other than
            downloads. Their turns and streams count together, as if they came from one visitor.
        address_turns: Turns per minute of all visitors at one address together, however many
            cookies they have.
        address_streams: Open streams of all visitors at one address together.
        address_uploads: Bytes per hour that all visitors at one address may upload together.
    """

    turns: int | None = None
    streams: int | None = None
    visitor_turns: int | None = 120
    visitor_streams: int | None = 100
    new_visitors: int | None = 300
    address_turns: int | None = 1200
    address_streams: int | None = 1000
    address_uploads: int | None = 10 * 1024**3


class QuotaKeeper:
    """Enforces the quotas on this worker.

    Args:
        quotas: The quotas.
    """

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._rates = MovingWindowRateLimiter(MemoryStorage())
        # It keeps one number for each address, not one for each byte.
        self._uploads = FixedWindowRateLimiter(MemoryStorage())
        self._streams: Counter[str] = Counter()

    def take_new_visitor(self, address: str) -> None:
        """Count a request without a visitor's cookie.

        Raises:
            QuotaExceededError: If the address has used up its requests for this minute.
        """
        self._take(self._quotas.new_visitors, f"visitors:{address}", _TOO_MANY_VISITORS)

    def take_upload(self, size: int, context: Any) -> None:
        """Count the bytes of a visitor's upload.

        Raises:
            QuotaExceededError: If the address has used up its bytes for this hour.
        """
        allowed, address = self._quotas.address_uploads, _address_of(context)
        if allowed is None or address is None:
            return
        per_hour, cost = RateLimitItemPerHour(allowed), max(size, _MIN_UPLOAD)
        # `hit` would also count what it refuses.
        if not self._uploads.test(per_hour, address, cost=cost):
            raise QuotaExceededError(_TOO_MUCH_FROM_ADDRESS)
        self._uploads.hit(per_hour, address, cost=cost)

    def take_turn(self, context: Any) -> None:
        """Count a turn.

        Raises:
            QuotaExceededError: If the owner or the address has used up the turns for this minute.
        """
        is_visitor = value_of(context, "is_visitor")
        allowed = self._quotas.visitor_turns if is_visitor else self._quotas.turns
        self._take(allowed, f"turns:{_quota_key(context)}", _TOO_MANY_TURNS)
        address = _address_of(context)
        if address is not None:
            self._take(self._quotas.address_turns, f"turns at {address}", _TOO_MANY_FROM_ADDRESS)

    def may_record_refusal(self) -> bool:
        """Return whether to record a refused request: strangers must not fill the database."""
        return self._rates.hit(_RECORDED_REFUSALS, "refusals")

    @contextmanager
    def stream(self, context: Any) -> Iterator[None]:
        """Count a stream while it is open.

        Raises:
            QuotaExceededError: If the owner or the address has too many open streams.
        """
        is_visitor = value_of(context, "is_visitor")
        allowed = self._quotas.visitor_streams if is_visitor else self._quotas.streams
        address = _address_of(context)
        with (
            self._open(allowed, _quota_key(context), _TOO_MANY_STREAMS),
            nullcontext()
            if address is None
            else self._open(
                self._quotas.address_streams, f"at {address}", _TOO_MANY_STREAMS_FROM_ADDRESS
            ),
        ):
            yield

    @contextmanager
    def _open(self, allowed: int | None, key: str, refusal: str) -> Iterator[None]:
        if allowed is not None and self._streams[key] >= allowed:
            raise QuotaExceededError(refusal)
        self._streams[key] += 1
        try:
            yield
        finally:
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]

    def _take(self, allowed: int | None, key: str, refusal: str) -> None:
        if allowed is None:
            return
        if not self._rates.hit(RateLimitItemPerMinute(allowed), key):
            raise QuotaExceededError(refusal)


def _address_of(context: Any) -> str | None:
    """Return a visitor's address, or `None` for other owners, whose login limits them."""
    address = value_of(context, "address") if value_of(context, "is_visitor") else None
    return address if isinstance(address, str) else None


def _quota_key(context: Any) -> str:
    """Return the name under which to count: the owner, or the address if there is no cookie.

    Each request without a visitor's cookie gets a new owner, so limits per owner would not work.
    """
    if value_of(context, "is_new_visitor"):
        return f"new visitors at {value_of(context, 'address')}"
    return owner_of(context)
