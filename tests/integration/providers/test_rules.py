"""The rules of the services, with accepted and rejected requests."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Content, Message

from .anthropic_rules import check_anthropic
from .ollama_rules import check_ollama
from .openai_rules import check_chat_completions, check_responses
from .rules import check_strictest

Body = dict[str, Any]
HALF = "half of a pair: \ud83d"


def says(role: str, content: Any, **more: Any) -> Body:
    return {"role": role, "content": content, **more}


ASKS, ANSWERS = says("user", "Tea?"), says("assistant", "Yes.")


# OpenAI Chat Completions


def calls(*ids: str, arguments: str = "{}", name: str = "place_order", **more: Any) -> Body:
    function = {"name": name, "arguments": arguments}
    listed = [{"id": each, "type": "function", "function": function} for each in ids]
    return says("assistant", None, tool_calls=listed, **more)


def result(call_id: str, content: str = "Done.") -> Body:
    return says("tool", content, tool_call_id=call_id)


CHAT_GOOD: list[list[Body]] = [
    [ASKS],
    [says("system", "Be brief."), ASKS, ANSWERS, ASKS],
    [ASKS, calls("a"), result("a")],
    [ASKS, calls("a", "b"), result("b"), result("a", ""), ANSWERS, ASKS],
    [ASKS, calls("a"), result("a"), calls("b"), result("b"), ANSWERS, ASKS],
    # The same ID again, as some servers send.
    [ASKS, calls("a"), result("a"), ANSWERS, ASKS, calls("a"), result("a")],
    [says("user", [{"type": "text", "text": "Tea?"}], name="Ann")],
]
CHAT_BAD: list[tuple[str, list[Body]]] = [
    ("empty array", []),
    ("parse the JSON", [says("user", HALF)]),
    ("Supported values", [says("person", "Tea?")]),
    ("got null", [says("user", None)]),
    ("got null", [ASKS, says("assistant", None)]),
    ("non-empty", [says("user", " \n")]),
    ("pattern", [says("user", "Tea?", name="Ann Lee")]),
    ("tool_call_id", [ASKS, calls("a"), says("tool", "Done.")]),
    ("did not have response messages: a", [ASKS, calls("a")]),
    ("did not have response messages: b", [ASKS, calls("a", "b"), result("a"), ASKS]),
    ("did not have response messages: a", [ASKS, calls("a"), ASKS, result("a")]),
    ("preceeding", [ASKS, result("a")]),
    ("preceeding", [ASKS, calls("a"), result("a"), result("a")]),
    ("preceeding", [ASKS, calls("a"), result("b"), result("a")]),
    ("maximum length of 40", [ASKS, calls("a" * 41), result("a" * 41)]),
    ("function.name", [ASKS, calls("a", name="functions.order"), result("a")]),
]
TEMPLATE_BAD: list[tuple[str, list[Body]]] = [
    ("beginning", [ASKS, says("system", "Be brief.")]),
    ("beginning", [says("system", "Be brief."), says("system", "Be kind."), ASKS]),
    ("start with a user", [ANSWERS, ASKS]),
    ("user after user", [ASKS, ASKS]),
    ("user after user", [ASKS, calls("a"), result("a"), ASKS]),
    ("assistant after assistant", [ASKS, ANSWERS, ANSWERS]),
    ("assistant after assistant", [ASKS, ANSWERS, calls("a"), result("a")]),
    ("JSON object", [ASKS, calls("a", arguments='{"item": "t'), result("a")]),
    ("JSON object", [ASKS, calls("a", arguments='{"item": "\\ud83d"}'), result("a")]),
    ("content or tool_calls", [ASKS, says("assistant", ""), ASKS]),
]


@pytest.mark.parametrize("messages", CHAT_GOOD)
@pytest.mark.parametrize("is_strict", [False, True])
def test_chat_completions_accepts(messages: list[Body], is_strict: bool) -> None:
    assert check_chat_completions({"messages": messages}, strict_template=is_strict) is None


@pytest.mark.parametrize(("reason", "messages"), CHAT_BAD)
def test_chat_completions_rejects(reason: str, messages: list[Body]) -> None:
    assert reason in str(check_chat_completions({"messages": messages}))


@pytest.mark.parametrize(("reason", "messages"), TEMPLATE_BAD)
def test_only_strict_template_rejects(reason: str, messages: list[Body]) -> None:
    assert check_chat_completions({"messages": messages}) is None
    assert reason in str(check_chat_completions({"messages": messages}, strict_template=True))


# OpenAI Responses


def item(role: str, text: str) -> Body:
    kind = "output_text" if role == "assistant" else "input_text"
    return says(role, [{"type": kind, "text": text}], type="message")


def call_item(call_id: str, **more: Any) -> Body:
    call = {"name": "place_order", "arguments": "{}", "id": f"fc_{call_id}"}
    return {"type": "function_call", "call_id": call_id, **call, **more}


def output(call_id: str) -> Body:
    return {"type": "function_call_output", "call_id": call_id, "output": "Done."}


def reasoning(content: str | None = "secret") -> Body:
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": content}


TEA = item("user", "Tea?")

RESPONSES_GOOD: list[tuple[list[Body], list[Body]]] = [
    ([], [TEA]),
    ([], [item("system", "Be brief."), TEA, item("assistant", "Yes."), TEA]),
    ([], [TEA, call_item("a"), call_item("b"), output("a"), output("b"), TEA]),
    ([], [TEA, reasoning(), call_item("a"), output("a")]),
    ([], [TEA, reasoning(), item("assistant", "Yes."), TEA]),
    ([TEA, call_item("a")], [output("a")]),
    ([TEA, call_item("a"), output("a")], [TEA]),
]
RESPONSES_BAD: list[tuple[str, list[Body], list[Body]]] = [
    ("Missing required parameter", [], []),
    ("parse the JSON", [], [item("user", HALF)]),
    ("Invalid value: 'tool'", [], [item("tool", "Done.")]),
    ("Supported values begin", [], [says("assistant", [{"type": "input_text", "text": "Yes."}])]),
    ("Missing required parameter: 'content'", [], [says("user", [])]),
    ("begins with 'fc'", [], [TEA, call_item("a", id="call_a"), output("a")]),
    ("expected a string", [], [TEA, call_item("a", arguments={}), output("a")]),
    ("No tool output found for function call a.", [], [TEA, call_item("a"), TEA]),
    ("No tool output found for function call a.", [TEA, call_item("a")], [TEA]),
    ("No tool call found", [], [TEA, output("a")]),
    ("No tool call found", [TEA, call_item("a"), output("a")], [output("a")]),
    ("No tool call found", [], [TEA, output("a"), call_item("a")]),
    ("Duplicate item", [TEA, call_item("a"), output("a")], [call_item("a"), output("a")]),
    ("Invalid 'call_id'", [], [TEA, call_item("a" * 65), output("a" * 65)]),
    ("Invalid 'name'", [], [TEA, call_item("a", name="functions.order"), output("a")]),
    ("not persisted", [], [TEA, reasoning(None), item("assistant", "Yes.")]),
    ("required following item", [], [TEA, reasoning(), TEA]),
    ("required following item", [], [TEA, reasoning()]),
]


@pytest.mark.parametrize(("chain", "given"), RESPONSES_GOOD)
def test_responses_accepts(chain: list[Body], given: list[Body]) -> None:
    assert check_responses({"input": given}, chain) is None


@pytest.mark.parametrize(("reason", "chain", "given"), RESPONSES_BAD)
def test_responses_rejects(reason: str, chain: list[Body], given: list[Body]) -> None:
    assert reason in str(check_responses({"input": given}, chain))


# Anthropic Messages


def block(text: str) -> Body:
    return {"type": "text", "text": text}


def uses(*ids: str, name: str = "place_order") -> Body:
    used = [{"type": "tool_use", "id": each, "name": name, "input": {}} for each in ids]
    return says("assistant", [block("Let me see."), *used])


def gives(*ids: str, more: list[Body] | None = None) -> Body:
    given = [{"type": "tool_result", "tool_use_id": each, "content": "Done."} for each in ids]
    return says("user", [*given, *(more or [])])


def thinks(**more: Any) -> Body:
    return says("assistant", [{"type": "thinking", "thinking": "Hm.", **more}, block("Yes.")])


ANTHROPIC_GOOD: list[list[Body]] = [
    [ASKS],
    [ASKS, ASKS, ANSWERS, ANSWERS, ASKS],
    [ASKS, uses("a"), gives("a")],
    [ASKS, uses("a", "b"), gives("b"), gives("a", more=[block("And now?")])],
    [ASKS, uses("a"), gives("a"), ASKS],
    [ASKS, thinks(signature="signed"), ASKS],
    [ASKS, ANSWERS],
]
ANTHROPIC_BAD: list[tuple[str, list[Body]]] = [
    ("at least one message", []),
    ("not valid JSON", [says("user", HALF)]),
    ("top-level `system` parameter", [says("system", "Be brief."), ASKS]),
    ("first message", [ANSWERS, ASKS]),
    ("non-empty content", [ASKS, says("assistant", []), ASKS]),
    ("non-empty content", [says("user", "")]),
    ("must be non-empty", [says("user", [block("")])]),
    ("non-whitespace", [ASKS, says("assistant", [block(" \n")]), ASKS]),
    ("trailing whitespace", [ASKS, says("assistant", "Yes. ")]),
    ("signature", [ASKS, thinks(), ASKS]),
    ("without `tool_result` blocks immediately after: a", [ASKS, uses("a")]),
    ("without `tool_result` blocks immediately after: b", [ASKS, uses("a", "b"), gives("a")]),
    ("without `tool_result` blocks immediately after: a", [ASKS, uses("a"), ASKS, gives("a")]),
    ("unexpected `tool_use_id`", [ASKS, gives("a")]),
    ("unexpected `tool_use_id`", [ASKS, uses("a"), gives("a"), ANSWERS, gives("a")]),
    ("single result", [ASKS, uses("a"), gives("a", "a")]),
    ("must be unique", [ASKS, uses("a"), gives("a"), uses("a"), gives("a")]),
    ("must be unique", [ASKS, uses("a", "a"), gives("a")]),
    ("tool_use.id: String should match", [ASKS, uses("a.b"), gives("a.b")]),
    ("tool_use.id: String should match", [ASKS, uses(""), gives("")]),
    ("tool_use.name: String should match", [ASKS, uses("a", name="a b"), gives("a")]),
]


@pytest.mark.parametrize("messages", ANTHROPIC_GOOD)
def test_anthropic_accepts(messages: list[Body]) -> None:
    assert check_anthropic({"system": "Be brief.", "messages": messages}) is None


@pytest.mark.parametrize(("reason", "messages"), ANTHROPIC_BAD)
def test_anthropic_rejects(reason: str, messages: list[Body]) -> None:
    assert reason in str(check_anthropic({"messages": messages}))


def test_anthropic_rejects_blank_system_prompt() -> None:
    assert check_anthropic({"system": " ", "messages": [ASKS]}) is not None


# Ollama


def names(name: str, arguments: Any) -> Body:
    return says("assistant", "", tool_calls=[{"function": {"name": name, "arguments": arguments}}])


def tells(name: str) -> Body:
    return says("tool", "Done.", tool_name=name)


OLLAMA_BAD: list[tuple[str, list[Body], bool]] = [
    ("invalid character", [says("user", HALF)], False),
    ("invalid role", [says("developer", "Be brief.")], False),
    ("cannot unmarshal", [ASKS, names("order", "{}"), tells("order")], False),
    ("a call without a result", [ASKS, names("order", {}), ASKS], True),
    ("a result without a call", [ASKS, names("order", {}), tells("pay")], True),
    ("user after user", [ASKS, ASKS], True),
    ("without content", [ASKS, says("assistant", " "), ASKS], True),
]


def test_ollama_accepts() -> None:
    messages = [says("system", "Be brief."), ASKS, names("order", {}), tells("order"), ANSWERS]
    assert check_ollama({"messages": [*messages, ASKS]}, strict_template=True) is None
    assert check_ollama({"messages": [ASKS, ASKS, tells("order")]}) is None


@pytest.mark.parametrize(("reason", "messages", "only_strict"), OLLAMA_BAD)
def test_ollama_rejects(reason: str, messages: list[Body], only_strict: bool) -> None:
    assert reason in str(check_ollama({"messages": messages}, strict_template=True))
    assert (check_ollama({"messages": messages}) is None) == only_strict


# All of them


def call(call_id: str, arguments: Any = "{}", name: str = "place_order") -> Content:
    return Content.from_function_call(call_id, name, arguments=arguments)


def done(call_id: str) -> Message:
    return Message("tool", [Content.from_function_result(call_id, result="Done.")])


SYSTEM, USER, ASSISTANT = (Message(role, ["Tea."]) for role in ("system", "user", "assistant"))
CALL = Message("assistant", ["Let me see.", call("a")])

STRICTEST_GOOD: list[list[Message]] = [
    [],
    [SYSTEM, SYSTEM, USER],
    [USER, CALL, done("a"), ASSISTANT, USER],
    [USER, Message("assistant", [call("a"), call("b")]), done("b"), done("a"), ASSISTANT],
    [
        USER,
        CALL,
        done("a"),
        Message("assistant", [call("b" * 40)]),
        done("b" * 40),
        ASSISTANT,
        USER,
    ],
]
STRICTEST_BAD: list[tuple[str, list[Message]]] = [
    ("unknown role 'developer'", [Message("developer", ["Tea."])]),
    ("no contents", [Message("user", [])]),
    ("a lone surrogate", [Message("user", [HALF])]),
    ("a lone surrogate", [USER, Message("assistant", [call("a", {"item": HALF})]), done("a")]),
    ("a blank text", [USER, Message("assistant", [" \n"])]),
    ("texts that are not joined", [Message("user", ["Tea.", "And milk."])]),
    ("a call in a message of user", [Message("user", [call("a")]), done("a")]),
    ("arguments that are not", [USER, Message("assistant", [call("a", '{"item": ')]), done("a")]),
    ("arguments that are not", [USER, Message("assistant", [call("a", "[]")]), done("a")]),
    ("arguments that are not", [USER, Message("assistant", [call("a", {})]), done("a")]),
    (
        "arguments that are not",
        [USER, Message("assistant", [call("a", r'{"item": "\ud83d"}')]), done("a")],
    ),
    ("function_result in a message of user", [USER, CALL, Message("user", done("a").contents)]),
    ("text in a message of tool", [USER, CALL, Message("tool", [*done("a").contents, "Yes."])]),
    ("a call without its result: a", [USER, CALL, USER]),
    ("a result without its call: b", [USER, CALL, done("a"), done("b")]),
    ("the ID of another call: a", [USER, CALL, done("a"), CALL, done("a"), ASSISTANT]),
    ("the ID of another call: a", [USER, Message("assistant", [call("a"), call("a")]), done("a")]),
    ("an invalid call ID: ''", [USER, Message("assistant", [call("")]), done("")]),
    ("an invalid call ID: 'a b'", [USER, Message("assistant", [call("a b")]), done("a b")]),
    ("an invalid call ID", [USER, Message("assistant", [call("a" * 41)]), done("a" * 41)]),
    ("an invalid tool name: 'a.b'", [USER, Message("assistant", [call("a", name="a.b")])]),
    ("System message must be at the beginning", [USER, SYSTEM]),
    ("start with a user", [SYSTEM, ASSISTANT]),
    ("user after user", [USER, USER]),
    ("user after user", [USER, CALL, done("a"), USER]),
    ("assistant after assistant", [USER, ASSISTANT, ASSISTANT]),
]


@pytest.mark.parametrize("messages", STRICTEST_GOOD)
def test_every_service_accepts(messages: list[Message]) -> None:
    assert check_strictest(messages) == []


@pytest.mark.parametrize(("reason", "messages"), STRICTEST_BAD)
def test_some_service_rejects(reason: str, messages: list[Message]) -> None:
    assert any(reason in each for each in check_strictest(messages))
