"""The requests that all model services reject."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent_framework import Message

CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
"""The IDs of calls that all services accept: Chat Completions accepts 40 characters."""
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""The names of tools that all services accept."""

_SYSTEM = ("system", "developer")


@dataclass(frozen=True)
class Entry:
    """The parts of a message that matter for its place in a conversation."""

    role: str
    calls: tuple[str, ...] = ()
    """The IDs of its tool calls."""
    results: tuple[str, ...] = ()
    """The IDs of the calls whose results it contains."""


@dataclass(frozen=True)
class Unpaired:
    """A call without its result, or a result without its call."""

    index: int
    call_id: str
    is_call: bool


def unpaired(entries: Sequence[Entry]) -> Iterator[Unpaired]:
    """Find calls without exactly one result right after them, and results without a call."""
    open_calls: list[tuple[int, str]] = []
    for index, entry in enumerate(entries):
        if not entry.results:
            yield from (Unpaired(at, call, True) for at, call in open_calls)
            open_calls = []
        for result in entry.results:
            answered = next((each for each in open_calls if each[1] == result), None)
            if answered is None:
                yield Unpaired(index, result, False)
            else:
                open_calls.remove(answered)
        open_calls += [(index, call) for call in entry.calls]
    yield from (Unpaired(at, call, True) for at, call in open_calls)


def misplaced(entries: Sequence[Entry], *, systems: int = 1) -> Iterator[str]:
    """Find errors in the order of roles, which strict chat templates reject.

    Args:
        entries: The conversation.
        systems: The number of system messages allowed at the start.
    """
    before: Entry | None = None
    spoke_last = ""
    """The last role, without calls and results, as in Mistral's rule."""
    for index, entry in enumerate(entries):
        if entry.role in _SYSTEM:
            if before is not None or index >= systems:
                yield f"messages.{index}: System message must be at the beginning."
            continue
        if before is None and entry.role != "user":
            yield f"messages.{index}: Conversation must start with a user message."
        if entry.role == "user" and spoke_last == "user":
            yield f"messages.{index}: Conversation roles must alternate: user after user."
        if entry.role == "assistant" and before is not None and before.role == "assistant":
            yield f"messages.{index}: Conversation roles must alternate: assistant after assistant."
        if not entry.calls and not entry.results:
            spoke_last = entry.role
        before = entry


def has_lone_surrogate(value: Any) -> bool:
    """Return whether a text in a value is not valid Unicode, and so not JSON in UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def is_object(arguments: Any) -> bool:
    """Return whether a call's arguments are a JSON object as text, which templates require."""
    try:
        value = json.loads(arguments)
    except (TypeError, ValueError):
        return False
    # Half of a surrogate pair may also be an escape.
    return isinstance(value, dict) and not has_lone_surrogate(value) and _is_finite(value)


def _is_finite(value: Any) -> bool:
    """Return whether clients that pass a value on as JSON can send it."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def check_strictest(messages: Sequence[Message]) -> list[str]:
    """Check the framework's messages against the rules of all services.

    Returns:
        The reasons why a service would reject the messages; empty if all accept them, whichever
        client sends them.
    """
    found: list[str] = []
    entries: list[Entry] = []
    known: set[str | None] = set()
    for index, message in enumerate(messages):
        contents = message.contents
        if message.role not in ("system", "user", "assistant", "tool"):
            found.append(f"messages.{index}: unknown role {message.role!r}")
        if not contents:
            found.append(f"messages.{index}: no contents")
        if has_lone_surrogate(message.to_dict()):
            found.append(f"messages.{index}: a lone surrogate")
        for before, content in zip([None, *contents], contents, strict=False):
            if content.type == "text":
                if not (content.text or "").strip():
                    found.append(f"messages.{index}: a blank text")
                if before is not None and before.type == "text":
                    # The client for Chat Completions turns each into a message.
                    found.append(f"messages.{index}: texts that are not joined")
            if content.type == "function_call":
                if message.role != "assistant":
                    found.append(f"messages.{index}: a call in a message of {message.role}")
                if not CALL_ID.fullmatch(content.call_id or ""):
                    found.append(f"messages.{index}: an invalid call ID: {content.call_id!r}")
                if content.call_id in known:
                    found.append(f"messages.{index}: the ID of another call: {content.call_id}")
                known.add(content.call_id)
                if not TOOL_NAME.fullmatch(content.name or ""):
                    found.append(f"messages.{index}: an invalid tool name: {content.name!r}")
                # The client for Responses sends a mapping unchanged, which the service rejects.
                if not is_object(content.arguments):
                    found.append(f"messages.{index}: arguments that are not a JSON object")
            if (content.type == "function_result") != (message.role == "tool"):
                found.append(f"messages.{index}: {content.type} in a message of {message.role}")
        entries.append(
            Entry(
                message.role,
                tuple(each.call_id or "" for each in contents if each.type == "function_call"),
                tuple(each.call_id or "" for each in contents if each.type == "function_result"),
            )
        )
    for each in unpaired(entries):
        what = "a call without its result" if each.is_call else "a result without its call"
        found.append(f"messages.{each.index}: {what}: {each.call_id}")
    return [*found, *misplaced(entries, systems=len(entries))]
