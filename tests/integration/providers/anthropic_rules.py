"""The requests that Anthropic's service rejects.

Each function returns the reason in the service's words, or `None` for a valid request.
"""

from __future__ import annotations

import re
from typing import Any

from .rules import TOOL_NAME, has_lone_surrogate

_ID = re.compile(r"[a-zA-Z0-9_-]+")


def check_anthropic(body: dict[str, Any]) -> str | None:
    """Check a request to `/v1/messages`."""
    if has_lone_surrogate(body):
        return "The request body is not valid JSON: no low surrogate in string"
    messages = body.get("messages") or []
    if not messages:
        return "messages: at least one message is required"
    for index, message in enumerate(messages):
        if message["role"] not in ("user", "assistant"):
            return (
                f'messages: Unexpected role "{message["role"]}". The Messages API accepts a '
                'top-level `system` parameter, not "system" as an input message role.'
            )
        if not message["content"] and (message["role"], index) != ("assistant", len(messages) - 1):
            return (
                f"messages.{index}: all messages must have non-empty content except for the "
                "optional final assistant message"
            )
    if reason := _check_blocks(_blocks(body.get("system") or []), "system"):
        return reason
    for index, message in enumerate(messages):
        if reason := _check_blocks(_blocks(message["content"]), f"messages.{index}"):
            return reason
    if messages[0]["role"] != "user":
        return 'messages: first message must use the "user" role'
    last = _blocks(messages[-1]["content"])[-1:]
    if messages[-1]["role"] == "assistant" and last and last[0].get("text", "")[-1:].isspace():
        return "messages: final assistant content cannot end with trailing whitespace"
    return _check_tool_blocks(_merged(messages))


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _check_blocks(blocks: list[dict[str, Any]], place: str) -> str | None:
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            if not block["text"]:
                return f"{place}: text content blocks must be non-empty"
            if not block["text"].strip():
                return f"{place}: text content blocks must contain non-whitespace text"
        elif block["type"] == "thinking" and not block.get("signature"):
            return f"{place}.content.{index}.thinking.signature: Field required"
        elif block["type"] == "tool_use":
            if not isinstance(block["input"], dict):
                return f"{place}.content.{index}.tool_use.input: Input should be a valid dictionary"
            for field, pattern in (("id", _ID), ("name", TOOL_NAME)):
                if not pattern.fullmatch(block[field] or ""):
                    return (
                        f"{place}.content.{index}.tool_use.{field}: String should match pattern "
                        f"'^{pattern.pattern}$'"
                    )
        elif block["type"] == "tool_result" and isinstance(block.get("content"), list):
            reason = _check_blocks(block["content"], f"{place}.content.{index}")
            if reason:
                return reason
    return None


def _merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages as the service reads them: consecutive ones of a role are joined."""
    merged: list[dict[str, Any]] = []
    for message in messages:
        if not merged or merged[-1]["role"] != message["role"]:
            merged.append({"role": message["role"], "content": []})
        merged[-1]["content"].extend(_blocks(message["content"]))
    return merged


def _check_tool_blocks(messages: list[dict[str, Any]]) -> str | None:
    calls: list[str] = []
    """The IDs of the calls in the previous message."""
    known: set[str] = set()
    for index, message in enumerate([*messages, {"role": "user", "content": []}]):
        blocks = message["content"]
        first = next(
            (at for at, block in enumerate(blocks) if block["type"] != "tool_result"), len(blocks)
        )
        results = [block["tool_use_id"] for block in blocks[:first]]
        late = [block["tool_use_id"] for block in blocks[first:] if block["type"] == "tool_result"]
        for result in [*results, *late]:
            if result not in calls:
                return (
                    f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{result}. Each `tool_result` block must have a corresponding `tool_use` "
                    "block in the previous message."
                )
            if [*results, *late].count(result) > 1:
                return (
                    f"messages.{index}: each tool_use must have a single result. Found multiple "
                    f"`tool_result` blocks with id: {result}"
                )
        if missing := [call for call in calls if call not in results]:
            return (
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}. Each `tool_use` block must have a "
                "corresponding `tool_result` block in the next message."
            )
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for call in calls:
            if call in known:
                return f"messages.{index}: `tool_use` ids must be unique: {call}"
            known.add(call)
    return None
