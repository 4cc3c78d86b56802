"""What the services of models refuse, as functions of what they are sent.

Each returns the reason in the service's own words, or `None` if it takes the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent_framework import Message

_OPENAI_ROLES = ("system", "developer", "user", "assistant", "tool")
_NAME = re.compile(r"[^\s<|\\/>]+")
_SYSTEM = ("system", "developer")


@dataclass(frozen=True)
class Entry:
    """A message, as far as its place in a conversation matters."""

    role: str
    calls: tuple[str, ...] = ()
    """The ids of the tool calls that it makes."""
    results: tuple[str, ...] = ()
    """The ids of the calls whose results it holds."""


@dataclass(frozen=True)
class Unpaired:
    """A call without its result, or a result without its call."""

    index: int
    call_id: str
    is_call: bool


def unpaired(entries: Sequence[Entry]) -> Iterator[Unpaired]:
    """Find calls that do not have exactly one result right after them, and other results."""
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
    """Find what a strict chat template refuses: who speaks when.

    Args:
        entries: The conversation.
        systems: How many system messages may stand at its start.
    """
    before: Entry | None = None
    spoke_last = ""
    """Who spoke last, if what was said to and by tools does not count: Mistral's rule."""
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
    """Return whether some text in a value is not Unicode, and so not JSON in UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def is_object(arguments: Any) -> bool:
    """Return whether the arguments of a call are what templates read: a JSON object, as text."""
    try:
        value = json.loads(arguments)
    except (TypeError, ValueError):
        return False
    # Half of a surrogate pair may also be there as an escape.
    return isinstance(value, dict) and not has_lone_surrogate(value)


# OpenAI Chat Completions, and servers that speak it


def check_chat_completions(body: dict[str, Any], *, strict_template: bool = False) -> str | None:
    """Check a request to `/v1/chat/completions`.

    Args:
        body: The request.
        strict_template: Also refuse what vLLM and llama.cpp refuse with the chat templates of
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
        chain: The items that the service has stored, of the response or the conversation that
            the request goes on with.
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


# Anthropic Messages


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
        elif block["type"] == "tool_use" and not isinstance(block["input"], dict):
            return f"{place}.content.{index}.tool_use.input: Input should be a valid dictionary"
        elif block["type"] == "tool_result" and isinstance(block.get("content"), list):
            reason = _check_blocks(block["content"], f"{place}.content.{index}")
            if reason:
                return reason
    return None


def _merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages as the service reads them: one for all that follow in one role."""
    merged: list[dict[str, Any]] = []
    for message in messages:
        if not merged or merged[-1]["role"] != message["role"]:
            merged.append({"role": message["role"], "content": []})
        merged[-1]["content"].extend(_blocks(message["content"]))
    return merged


def _check_tool_blocks(messages: list[dict[str, Any]]) -> str | None:
    calls: list[str] = []
    """The ids of the calls that the message before makes."""
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
        if repeated := next((call for call in calls if call in known), None):
            return f"messages.{index}: `tool_use` ids must be unique: {repeated}"
        known.update(calls)
    return None


# Ollama


def check_ollama(body: dict[str, Any], *, strict_template: bool = False) -> str | None:
    """Check a request to `/api/chat`.

    Ollama itself takes nearly everything.

    Args:
        body: The request.
        strict_template: Also refuse what strict chat templates refuse.
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
        # Its calls have no ids: a result follows the call of its tool.
        results = (message.get("tool_name") or "",) if message["role"] == "tool" else ()
        entries.append(Entry(message["role"], tuple(call["name"] for call in calls), results))
    if not strict_template:
        return None
    for found in unpaired(entries):
        what = "a call without a result" if found.is_call else "a result without a call"
        return f"messages.{found.index}: {what}: {found.call_id}"
    return next(misplaced(entries), None)


# All of them


def check_strictest(messages: Sequence[Message]) -> list[str]:
    """Check messages of the framework against the rules of all services together.

    Returns:
        What some service would refuse; nothing if all take the messages, whichever client sends
        them.
    """
    found: list[str] = []
    entries: list[Entry] = []
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
                    # The client for Chat Completions makes a message of each.
                    found.append(f"messages.{index}: texts that are not joined")
            if content.type == "function_call":
                if message.role != "assistant":
                    found.append(f"messages.{index}: a call in a message of {message.role}")
                # The client for Responses sends a mapping as it is, which the service refuses.
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
