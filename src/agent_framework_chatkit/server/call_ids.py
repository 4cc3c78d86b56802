"""Gives tool calls IDs and names that strict services accept, and finds their results."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from agent_framework import Content, Message

_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
"""The IDs that every service accepts. Chat Completions accepts 40 characters, Responses 64."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_NAME = 64


class CallIds:
    """Gives calls IDs that are unique in a conversation and that every service accepts.

    The new IDs depend only on the earlier calls, so that a growing history keeps its start, which
    services cache.

    Args:
        messages: The conversation so far, whose calls keep their IDs.
    """

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._used: dict[str, int] = {}
        """The number of calls that had an ID before, by ID."""
        for content in (content for message in messages for content in message.contents):
            if content.type == "function_call":
                self.keep(content.call_id)

    def copy(self) -> CallIds:
        """Return a copy, to which other calls can be added."""
        copied = CallIds()
        copied._used = self._used.copy()
        return copied

    def keep(self, call_id: str | None) -> None:
        """Add a call that keeps its ID."""
        self._used.setdefault(call_id or "", 1)

    def give(self, call_id: str | None) -> str:
        """Add a call, and return its new ID, which is the old one if services accept it."""
        old = str(call_id or "")
        count = self._used.get(old, 0)
        new = old if _ID.fullmatch(old) else _digest(old, 0)
        while new in self._used:
            count += 1
            new = _digest(old, count)
        self._used[old] = count or 1
        self._used.setdefault(new, 1)
        return new


def _digest(call_id: str, count: int) -> str:
    named = f"{count} {call_id}".encode(errors="surrogatepass")
    return f"call_{sha256(named).hexdigest()[:32]}"


def accepted_name(name: str | None) -> str:
    """Return a tool's name in a form that every service accepts."""
    return _NOT_IN_NAMES.sub("_", name or "")[:_MAX_NAME] or "unknown"


def needs_result(content: Content) -> bool:
    """Return whether a content is a call whose result is part of the conversation."""
    return content.type == "function_call" and not (content.hosted or content.informational_only)


def results_of_calls(messages: Sequence[Message]) -> Mapping[tuple[int, int], Content]:
    """Find the result of each call.

    Calls may have the same ID. A result belongs to the newest message before it with such a call,
    and there to the first one without a result.

    Returns:
        The results, by the indexes of the call's message and content.
    """
    found: dict[tuple[int, int], Content] = {}
    waiting: dict[str, tuple[int, deque[tuple[int, int]]]] = {}
    for index, message in enumerate(messages):
        for at, content in enumerate(message.contents):
            if needs_result(content):
                name = content.call_id or ""
                if name not in waiting or waiting[name][0] != index:
                    waiting[name] = (index, deque())
                waiting[name][1].append((index, at))
        for content in message.contents:
            if content.type == "function_result":
                _, calls = waiting.get(content.call_id or "", (0, None))
                if calls:
                    found[calls.popleft()] = content
    return found
