"""How much each owner may ask of a worker."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..stores.owners import owner_of, value_of

_TOO_MANY_TURNS = "You have asked for very much within a minute. Wait a moment, and try again."
_TOO_MANY_STREAMS = "This chat is open too often. Close some tabs, and try again."


class QuotaExceededError(Exception):
    """An owner has asked for too much; the message is for the person."""


@dataclass(frozen=True)
class Quotas:
    """What each owner may ask of each worker; `None` is no limit.

    Attributes:
        turns: Turns a minute: messages, retries, actions and answers to requests.
        streams: Streams open at the same time, of turns and of followed threads.
        visitor_turns: As `turns`, for visitors: owners that nobody has logged in.
        visitor_streams: As `streams`, for visitors.
    """

    turns: int | None = None
    streams: int | None = None
    visitor_turns: int | None = 120
    visitor_streams: int | None = 100


class LastMinute:
    """Counts what each of many has done within the last minute, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}
        """By name: the times, oldest first. Who has done something last is last."""

    def take(self, name: str, allowed: int) -> bool:
        """Count something, unless so much was counted already; return whether it was."""
        minute_ago = time.monotonic() - 60
        for idle in tuple(self._times):
            if self._times[idle][-1] > minute_ago:
                break
            del self._times[idle]
        times = self._times.pop(name, deque())
        while times and times[0] <= minute_ago:
            times.popleft()
        is_allowed = len(times) < allowed
        if is_allowed:
            times.append(minute_ago + 60)
        if times:
            self._times[name] = times
        return is_allowed


class QuotaKeeper:
    """Counts what the owners ask of this worker.

    Args:
        quotas: What they may.
    """

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas
        self._turns = LastMinute()
        self._streams: Counter[str] = Counter()

    def take_turn(self, context: Any) -> None:
        """Count a turn.

        Raises:
            QuotaExceededError: The owner has had as many within a minute.
        """
        is_visitor = value_of(context, "is_visitor")
        allowed = self._quotas.visitor_turns if is_visitor else self._quotas.turns
        if allowed is None:
            return
        if not self._turns.take(owner_of(context), allowed):
            raise QuotaExceededError(_TOO_MANY_TURNS)

    @contextmanager
    def stream(self, context: Any) -> Iterator[None]:
        """Count a stream while it is open.

        Raises:
            QuotaExceededError: The owner has as many open.
        """
        owner = owner_of(context)
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
