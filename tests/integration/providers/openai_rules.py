"""The requests that OpenAI and compatible servers reject.

Each function returns the reason in the service's words, or `None` for a valid request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .rules import TOOL_NAME, Entry, has_lone_surrogate, is_object, misplaced, unpaired

_OPENAI_ROLES = ("system", "developer", "user", "assistant", "tool")
_NAME = re.compile(r"[^\s<|\\/>]+")


# Chat Completions, and compatible servers


def check_chat_completions(body: dict[str, Any], *, strict_template: bool = False) -> str | None:
    """Check a request to `/v1/chat/completions`.

    Args:
        body: The request.
        strict_template: Also reject what vLLM and llama.cpp reject with the chat templates of
            Qwen, Mistral or Gemma.
    """
    if has_lone_surrogate(body):
        return "We could not parse the JSON body of your request."
    messages = body.get("messages") or []
    if not messages:
        return "Invalid 'messages': empty array. Expected an array with minimum length 1."
    for index, message in enumerate(messages):
        if reason := _check_chat_message(message):
            return f"{reason} (messages.[{index}])"
    entries = [_chat_entry(message) for message in messages]
    for found in unpaired(entries):
        if found.is_call:
            return (
                "An assistant message with 'tool_calls' must be followed by tool messages "
                "responding to each 'tool_call_id'. The following tool_call_ids did not have "
                f"response messages: {found.call_id}"
            )
        return (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            f"message with 'tool_calls'. (messages.[{found.index}].role, {found.call_id})"
        )
    if not strict_template:
        return None
    for index, message in enumerate(messages):
        calls = message.get("tool_calls") or []
        if any(not is_object(call["function"]["arguments"]) for call in calls):
            return f"messages.{index}: the arguments of a tool call are not a JSON object."
        if message["role"] == "assistant" and not calls and not _chat_text(message).strip():
            return f"messages.{index}: Assistant message must have either content or tool_calls."
    return next(misplaced(entries), None)


def _check_chat_message(message: dict[str, Any]) -> str | None:
    role, content = message.get("role"), message.get("content")
    if role not in _OPENAI_ROLES:
        values = ", ".join(repr(each) for each in _OPENAI_ROLES)
        return f"Invalid value: {role!r}. Supported values are: {values}."
    if content is None and not message.get("tool_calls") and not message.get("refusal"):
        return "Invalid value for 'content': expected a string, got null."
    if role == "user" and isinstance(content, str) and not content.strip():
        return "Invalid value for 'content': expected a non-empty string."
    if isinstance(content, list) and not content:
        return "Invalid value for 'content': empty array."
    if "name" in message and not _NAME.fullmatch(message["name"]):
        return "Invalid 'name': string does not match pattern '^[^\\s<|\\\\/>]+$'."
    if role == "tool" and not message.get("tool_call_id"):
        return "Missing parameter 'tool_call_id'."
    for call in message.get("tool_calls") or ():
        if not TOOL_NAME.fullmatch(call["function"]["name"]):
            return "Invalid 'tool_calls.function.name': string does not match pattern."
        if len(call["id"]) > 40:
            return "Invalid 'tool_calls.id': string too long. Expected a maximum length of 40."
    return None


def _chat_text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", part["type"]) for part in content)


def _chat_entry(message: dict[str, Any]) -> Entry:
    calls = tuple(call["id"] for call in message.get("tool_calls") or ())
    results = (message["tool_call_id"],) if message["role"] == "tool" else ()
    return Entry(message["role"], calls, results)


# OpenAI Responses


def check_responses(body: dict[str, Any], chain: Sequence[dict[str, Any]] = ()) -> str | None:
    """Check a request to `/v1/responses`.

    Args:
        body: The request.
        chain: The stored items of the response or the conversation that the request
            continues.
    """
    if has_lone_surrogate(body):
        return "We could not parse the JSON body of your request."
    given = body.get("input") or []
    if isinstance(given, str):
        given = [{"type": "message", "role": "user", "content": given}]
    if not given:
        return "Missing required parameter: 'input'."
    for index, item in enumerate(given):
        if reason := _check_item(item, given[index + 1 : index + 2]):
            return reason
    items = [*chain, *given]
    ids = [item["id"] for item in items if item.get("id")]
    for item_id in ids:
        if ids.count(item_id) > 1:
            return f"Duplicate item found with id {item_id}."
    open_calls: list[str] = []
    for item in items:
        if item.get("type") == "function_call":
            open_calls.append(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in open_calls:
                return (
                    f"No tool call found for function call output with call_id {item['call_id']}."
                )
            open_calls.remove(item["call_id"])
    if open_calls:
        return f"No tool output found for function call {open_calls[0]}."
    return None


def _check_item(item: dict[str, Any], following: list[dict[str, Any]]) -> str | None:
    kind = item.get("type", "message")
    if kind == "message":
        if item.get("role") not in ("system", "developer", "user", "assistant"):
            return f"Invalid value: {item.get('role')!r}."
        wanted = ("output_text", "refusal") if item["role"] == "assistant" else ("input_",)
        content = item.get("content")
        for part in content if isinstance(content, list) else ():
            if not part["type"].startswith(wanted):
                return f"Invalid value: {part['type']!r}. Supported values begin with {wanted}."
        return None if content else "Missing required parameter: 'content'."
    if kind == "function_call":
        if not item.get("id", "fc_").startswith("fc_"):
            return f"Invalid 'id': {item['id']!r}. Expected an ID that begins with 'fc'."
        if not isinstance(item.get("arguments"), str):
            return "Invalid type for 'arguments': expected a string."
        if not TOOL_NAME.fullmatch(item["name"]):
            return "Invalid 'name': string does not match pattern."
        if not 1 <= len(item["call_id"]) <= 64:
            return "Invalid 'call_id': expected a string with a length of 1 to 64."
    if kind == "reasoning":
        if not item.get("encrypted_content"):
            return (
                f"Item with id {item['id']!r} not found. Items are not persisted when `store` is "
                "set to false."
            )
        if not any(each.get("role") == "assistant" or "call" in each["type"] for each in following):
            return (
                f"Item {item['id']!r} of type 'reasoning' was provided without its required "
                "following item."
            )
    return None
