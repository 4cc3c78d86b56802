"""The requests that Ollama rejects.

Each function returns the reason in the service's words, or `None` for a valid request.
"""

from __future__ import annotations

from typing import Any

from .rules import Entry, has_lone_surrogate, misplaced, unpaired


def check_ollama(body: dict[str, Any], *, strict_template: bool = False) -> str | None:
    """Check a request to `/api/chat`.

    Ollama itself accepts nearly everything.

    Args:
        body: The request.
        strict_template: Also reject what strict chat templates reject.
    """
    if has_lone_surrogate(body):
        return "invalid character in string"
    messages = body.get("messages") or []
    entries: list[Entry] = []
    for index, message in enumerate(messages):
        if message["role"] not in ("system", "user", "assistant", "tool"):
            return f"messages.{index}: invalid role {message['role']!r}"
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        if any(not isinstance(call["arguments"], dict) for call in calls):
            return (
                "json: cannot unmarshal string into Go struct field ToolCallFunction"
                ".messages.tool_calls.function.arguments"
            )
        is_blank = not (message.get("content") or "").strip() and not message.get("images")
        if strict_template and is_blank and message["role"] != "tool" and not calls:
            return f"messages.{index}: a message without content"
        # Its calls have no IDs: a result follows the call to its tool.
        results = (message.get("tool_name") or "",) if message["role"] == "tool" else ()
        entries.append(Entry(message["role"], tuple(call["name"] for call in calls), results))
    if not strict_template:
        return None
    for found in unpaired(entries):
        what = "a call without a result" if found.is_call else "a result without a call"
        return f"messages.{found.index}: {what}: {found.call_id}"
    return next(misplaced(entries), None)
