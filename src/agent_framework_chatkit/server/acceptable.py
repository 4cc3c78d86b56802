"""Turns history and new input into messages that strict services accept."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

from agent_framework import Content, Message

from ..interrupts.client_tools import error_result
from ..stores.sql.file_references import reference_of
from ..text import mend_json, mend_surrogates
from .authors import as_user, with_known_role, with_names
from .call_ids import CallIds, accepted_name, needs_result, results_of_calls
from .call_outcomes import NOT_STARTED
from .exchange import has_arguments
from .fillers import NO_ANSWER, answered, opened

_DOUBTFUL = re.compile(r"\\ud|NaN|Infinity|\de|\d{300}", re.IGNORECASE)
"""Found in arguments that may contain an escaped surrogate or a number that is not finite."""

_APPROVALS = frozenset({"function_approval_request", "function_approval_response"})


def acceptable(
    messages: Sequence[Message],
    pending: Collection[str] = (),
    *,
    is_resumed: bool = False,
    ids: CallIds | None = None,
) -> list[Message]:
    """Return messages that strict services accept, without losing anything a model can use.

    Every call has exactly one result, right after it, and an ID of its own. No text is blank or
    contains lone surrogates. System messages come only at the start, and neither the user nor the
    agent has two messages in a row. This also repairs rows that older versions wrote.

    Args:
        messages: The messages, oldest first. They are not changed.
        pending: IDs of calls whose results come later. They are left as they are.
        is_resumed: Whether the last messages resume a paused run. If so, approval requests and
            their answers are kept until their calls have results, because the framework needs
            them; and reasoning is kept, because services expect it back within a turn.
        ids: The IDs of the calls before these messages, to which theirs are added. By default,
            there are none, and a resumed run keeps its IDs: its service has given them.
    """
    if is_resumed:
        messages = _without_settled(messages)
    elif ids is None:
        ids = CallIds()
    cleaned = [clean for message in messages if (clean := _clean(message, is_resumed)) is not None]
    paired = _joined(_with_paired_results(_joined(cleaned), frozenset(pending), ids))
    return _with_answers(paired)


def _without_settled(messages: Sequence[Message]) -> list[Message]:
    """Leave out approvals that the framework would apply again.

    Their calls have a result, or a later request replaces them because middleware changed the
    arguments after the approval.
    """
    settled: set[str | None] = set()
    replaced: set[str | None] = set()
    accepted: list[Message] = []
    for message in reversed(messages):
        settled.update(each.call_id for each in message.contents if each.type == "function_result")
        contents = [
            each
            for each in message.contents
            if each.type not in _APPROVALS
            or each.function_call is None
            or not (
                each.function_call.call_id in settled
                or (each.function_call.id or each.function_call.call_id) in replaced
            )
        ]
        replaced.update(
            each.function_call.id or each.function_call.call_id
            for each in contents
            if each.type == "function_approval_request" and each.function_call is not None
        )
        if len(contents) < len(message.contents):
            message = _with_contents(message, contents)
        accepted.append(message)
    return accepted[::-1]


def _clean(message: Message, is_resumed: bool) -> Message | None:
    """Return a message without the content that services refuse, or `None` if nothing is left."""
    message = with_known_role(message)
    contents = [
        clean
        for content in message.contents
        if _can_contain(message.role, content)
        and (clean := _clean_content(content, is_resumed)) is not None
    ]
    if message.role == "assistant" and all(each.type == "text_reasoning" for each in contents):
        # Services refuse reasoning without an answer or a call.
        contents = []
    contents = _with_joined_texts(contents)
    if not contents:
        return None
    if len(contents) == len(message.contents) and all(
        new is old for new, old in zip(contents, message.contents, strict=True)
    ):
        return message
    return _with_contents(message, contents)


def _can_contain(role: str, content: Content) -> bool:
    """Return whether a message with this role may hold this content."""
    if content.type == "function_call":
        return role == "assistant"
    return content.type != "text" or role != "tool"


def _with_joined_texts(contents: Sequence[Content]) -> list[Content]:
    """Join adjacent texts: some clients turn each into a message."""
    joined: list[Content] = []
    for is_text, adjacent in groupby(contents, lambda content: content.type == "text"):
        first, *others = adjacent
        if is_text and others:
            texts = (each.text or "" for each in (first, *others))
            joined.append(_with(first, "text", "\n\n".join(texts)))
        else:
            joined += [first, *others]
    return joined


def _clean_content(content: Content, is_resumed: bool) -> Content | None:
    if content.type in _APPROVALS:
        return content if is_resumed else None
    if reference_of(content) is not None:
        # Decoded text is never blank, and has no lone surrogates.
        return content
    if content.type == "text":
        text = content.text or ""
        if not text.strip():
            return None
        return _with(content, "text", mend_surrogates(text))
    if content.type == "text_reasoning":
        # Its protected data is only valid for one service and one answer.
        return content if is_resumed else None
    if content.type == "function_call":
        return _with(content, "arguments", _valid_arguments(content.arguments))
    if content.type == "function_result":
        return _clean_result(content)
    return content


def _clean_result(content: Content) -> Content:
    if isinstance(content.result, str):
        content = _with(content, "result", mend_surrogates(content.result))
    items = content.items
    if items and not all(item.type != "text" or _is_encodable(item.text) for item in items):
        mended = [
            _with(item, "text", mend_surrogates(item.text or "")) if item.type == "text" else item
            for item in items
        ]
        content = _with(content, "items", mended)
    return content


def _valid_arguments(arguments: Any) -> str:
    """Return a call's arguments as JSON text, without lone surrogates, escaped ones included.

    Numbers that JSON cannot represent, which clients refuse to send, become texts.
    """
    if not arguments:
        return "{}"
    if isinstance(arguments, str):
        if not _DOUBTFUL.search(arguments):
            return mend_surrogates(arguments)
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return mend_surrogates(arguments)
    finite = json.loads(json.dumps(mend_json(arguments)), parse_constant=str)
    return json.dumps(finite, ensure_ascii=False)


def _is_encodable(value: Any) -> bool:
    """Return whether a value can be written as UTF-8."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _with(content: Content, name: str, value: Any) -> Content:
    if getattr(content, name) is value or getattr(content, name) == value:
        return content
    changed = copy.copy(content)
    setattr(changed, name, value)
    return changed


def _with_contents(message: Message, contents: Sequence[Content]) -> Message:
    changed = copy.copy(message)
    changed.contents = list(contents)
    return changed


def _joined(messages: Iterable[Message]) -> list[Message]:
    """Join messages that must not be adjacent, and turn later system messages into user ones."""
    joined: list[Message] = []
    for message in with_names(messages, _can_be_joined):
        if message.role == "system" and any(each.role != "system" for each in joined):
            message = as_user(message)
        last = joined[-1] if joined else None
        if last is not None and _can_merge(last, message):
            contents = [*last.contents, *message.contents]
            joined[-1] = _with_contents(last, _with_joined_texts(contents))
        else:
            joined.append(message)
    return joined


def _with_answers(messages: Sequence[Message]) -> list[Message]:
    """Insert an agent message between a tool result and the user's next message.

    Strict templates ignore tool messages, and so would see two user messages in a row.
    """
    complete: list[Message] = []
    for message in messages:
        if message.role == "user" and not is_approval(message):
            complete = answered(complete)
        complete.append(message)
    return complete


def _can_merge(last: Message, message: Message) -> bool:
    if last.role != message.role:
        return False
    if message.role in ("user", "tool", "system"):
        return True
    return message.role == "assistant" and (
        not last.author_name or not message.author_name or last.author_name == message.author_name
    )


def _can_be_joined(message: Message) -> bool:
    return message.role == "assistant" and not is_approval(message)


def _with_paired_results(
    messages: Sequence[Message], pending: frozenset[str], ids: CallIds | None
) -> list[Message]:
    """Put exactly one result right after each call, and drop results without a call."""
    paired: list[Message] = []
    results = results_of_calls(messages)
    for index, message in enumerate(messages):
        if message.role == "assistant":
            own = [results.get((index, at)) for at in range(len(message.contents))]
            paired.extend(_with_results(message, own, pending, ids))
            continue
        contents = [each for each in message.contents if each.type != "function_result"]
        if len(contents) == len(message.contents):
            paired.append(message)
        elif contents:
            paired.append(_with_contents(message, _with_joined_texts(contents)))
    return paired


def _with_results(
    message: Message,
    results: Sequence[Content | None],
    pending: frozenset[str],
    ids: CallIds | None,
) -> list[Message]:
    """Return an agent's message and the results of its calls."""
    contents: list[Content] = []
    found: list[Content] = []
    for content, given in zip(message.contents, results, strict=True):
        call, result = content, given
        if call.type == "function_result":
            continue
        if needs_result(call):
            is_whole = has_arguments(call)
            is_pending = call.call_id in pending
            if result is None and not is_pending:
                if not is_whole:
                    # The model was stopped before it completed the call.
                    continue
                result = error_result(call, NOT_STARTED)
            if not is_whole:
                call = _with(call, "arguments", "{}")
            if ids is not None and is_pending:
                ids.keep(call.call_id)
            elif ids is not None:
                call = _with(call, "name", accepted_name(call.name))
                call = _with(call, "call_id", ids.give(call.call_id))
            if result is not None:
                found.append(_with(result, "call_id", call.call_id))
        contents.append(call)
    clean = _clean(_with_contents(message, contents), is_resumed=True)
    if clean is None:
        return []
    return [clean, Message("tool", found)] if found else [clean]


def is_approval(message: Message) -> bool:
    """Return whether a message requests an approval or answers such a request."""
    return any(content.type in _APPROVALS for content in message.contents)


def is_start(message: Message) -> bool:
    """Return whether a message starts a turn."""
    return message.role == "user" and not is_approval(message)


def split_last_user(messages: Sequence[Message]) -> tuple[list[Message], list[Content]]:
    """Split off the contents of the last message if it is an unanswered user message.

    They are joined with the next user message: strict services refuse two in a row.
    """
    if messages and messages[-1].role == "user":
        return list(messages[:-1]), list(messages[-1].contents)
    return list(messages), []


def fit_together(
    history: list[Message], inputs: Sequence[Message]
) -> tuple[list[Message], list[Message]]:
    """Return history and input so that strict services accept them one after the other."""
    inputs = [clean for each in inputs if (clean := _clean(each, is_resumed=True)) is not None]
    first_user = next((i for i, each in enumerate(inputs) if each.role == "user"), len(inputs))
    if history and inputs and inputs[0].role == "assistant":
        # Assistant messages that code added to the thread.
        history, inputs = acceptable([*history, *inputs[:first_user]]), inputs[first_user:]
    unanswered: list[Content] = []
    if inputs and inputs[0].role != "tool":
        if any(message.role == "user" for message in inputs):
            history, unanswered = split_last_user(history)
        if not is_approval(inputs[0]):
            history = answered(history)
    before = [Message("user", unanswered)] if unanswered else []
    joined = [*before, *inputs] if history else opened([*before, *inputs])
    if history:
        joined = [as_user(each) if each.role == "system" else each for each in joined]
    has_calls = any(each.type == "function_call" for message in joined for each in message.contents)
    return history, acceptable_input(joined, CallIds(history if has_calls else ()))


def before_input(history: Sequence[Message], inputs: Sequence[Message]) -> list[Message]:
    """Return history that strict services accept before an input which must stay as it is."""
    is_new = bool(inputs) and inputs[0].role == "user" and not is_approval(inputs[0])
    # A resumed run still makes the calls of its turn.
    pending = calls_answered_by(inputs) | (set() if is_new else _calls_of_last_turn(history))
    fitting = acceptable(history, pending, is_resumed=not is_new, ids=CallIds())
    if is_new and fitting and fitting[-1].role in ("user", "tool"):
        fitting.append(Message("assistant", [NO_ANSWER]))
    return fitting


def _calls_of_last_turn(history: Sequence[Message]) -> set[str]:
    calls: set[str] = set()
    for message in reversed(history):
        if message.role == "user" and not is_approval(message):
            break
        calls |= {str(each.call_id) for each in message.contents if each.type == "function_call"}
    return calls


def calls_answered_by(inputs: Iterable[Message]) -> set[str]:
    """Return the IDs of the calls that new input answers."""
    found: set[str] = set()
    for content in (content for message in inputs for content in message.contents):
        if content.type == "function_result":
            found.add(str(content.call_id))
        elif content.type == "function_approval_response" and content.function_call is not None:
            found.add(str(content.function_call.call_id))
    return found


def acceptable_input(messages: Sequence[Message], ids: CallIds) -> list[Message]:
    """Return new input that strict services accept; it may start with results of earlier calls.

    Args:
        messages: The input.
        ids: The IDs of the earlier calls.
    """
    first = next((i for i, each in enumerate(messages) if each.role != "tool"), len(messages))
    results, others = list(messages[:first]), messages[first:]
    if others and others[0].role == "user" and not is_approval(others[0]):
        results = answered(results)
    return [*results, *acceptable(others, is_resumed=True, ids=ids)]
