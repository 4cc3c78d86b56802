"""The messages that a run exchanges with its model and tools."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from agent_framework import AgentResponseUpdate, Content, Message
from chatkit.types import ClientToolCallItem

from agent_framework_chatkit.server.exchange import Exchange, recover


def update(*contents: Content, role: str = "assistant", **fields: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(contents=list(contents), role=role, message_id="m", **fields)


@pytest.mark.parametrize("written", ["жук 日 🙂", "жук \ud83d \0"])
def test_any_text_is_recovered_from_log(written: str) -> None:
    piece = Exchange([Message("user", [written])]).take_new() or ""
    # Letters are escaped only if the text cannot be stored otherwise.
    assert ("жук" in piece) == ("\ud83d" not in written)
    piece.encode()
    recovered = recover([piece], {})
    assert recovered is not None
    assert recovered.inputs[0].text == written


def test_exchange_is_recovered_from_log() -> None:
    exchange = Exchange([Message("user", ["Order tea."])], read_to=3)
    pieces = [exchange.take_new()]
    for text in ("Let ", "me "):
        exchange.add(update(Content.from_text(text)))
    pieces.append(exchange.take_new())
    exchange.add(update(Content.from_text("see.")))
    exchange.add(update(Content.from_function_call("c1", "order", arguments='{"a": ')))
    exchange.add(update(Content.from_function_call("c1", "", arguments="1}")))
    exchange.add(update(Content.from_function_call("c2", "order", arguments="{}")))
    exchange.start_call(Content.from_function_call("c1", "order", arguments='{"a": 1}'))
    exchange.end_call("c1", [Content.from_text("ordered")])
    exchange.start_call(Content.from_function_call("c2", "order", arguments="{}"))
    pieces.append(exchange.take_new())
    assert exchange.take_new() is None
    recovered = recover((piece for piece in pieces if piece), {})
    assert recovered is not None
    assert recovered.read_to == 3
    assert [message.text for message in recovered.inputs] == ["Order tea."]
    for messages in (recovered.messages, exchange.messages()):
        said, results = messages
        assert said.text == "Let me see."
        assert [content.result for content in results.contents] == [
            "ordered",
            "Error: This call was started; its effect is unknown. Find out, or ask the user, "
            "before you make it again.",
        ]


def test_started_call_is_known_before_agent_sends_it() -> None:
    exchange = Exchange([], is_workflow=True, is_recorded=False)
    exchange.start_call(Content.from_function_call("c1", "order", arguments='{"a": 1}'))
    recovered = recover([exchange.take_new() or ""], {})
    assert recovered is not None
    for messages in (recovered.messages, exchange.messages()):
        ((called,), (result,)) = [message.contents for message in messages]
        assert (called.name, called.arguments) == ("order", '{"a": 1}')
        assert "its effect is unknown" in str(result.result)
    exchange.add(update(Content.from_function_call("c1", "order", arguments='{"a": 1}')))
    assert len(exchange.messages()) == 2


def test_outputs_are_recovered_from_items() -> None:
    results = [
        Content.from_function_result(name, result=f"Error: {name}", exception=name)
        for name in ("c1", "c2", "c3")
    ]
    exchange = Exchange([Message("tool", results)], outputs={"c1": "i1", "c2": "i2"})
    piece = exchange.take_new()
    assert piece is not None
    assert "Error: c1" not in piece
    item = ClientToolCallItem(
        id="i1",
        thread_id="t",
        created_at=datetime.now(),
        call_id="c1",
        name="locate",
        arguments={},
        status="completed",
        output={"error": "c1"},
    )
    recovered = recover([piece], {"i1": item})
    assert recovered is not None
    (message,) = recovered.inputs
    assert [each.result for each in message.contents] == [
        "Error: c1",
        "Error: The output of this call was deleted.",
        "Error: c3",
    ]


def test_truncated_call_was_never_made() -> None:
    exchange = Exchange([])
    exchange.add(update(Content.from_function_call("c1", "order", arguments='{"a": ')))
    assert exchange.messages() == []
    exchange = Exchange([])
    exchange.add(update(Content.from_function_call("c1", "order", arguments='{"a": 1}')))
    (_, results) = exchange.messages()
    assert "not started" in str(results.contents[0].result)
    (said,) = exchange.messages(pending=["c1"])
    assert said.contents[0].type == "function_call"


def test_run_without_messages_recovers_nothing() -> None:
    assert recover([], {}) is None


@pytest.mark.parametrize("finish_reason", ["length", "content_filter"])
def test_end_of_answer_is_recorded(finish_reason: Any) -> None:
    exchange = Exchange([])
    exchange.add(update(Content.from_text("Half")))
    exchange.add(update(Content.from_text(" more"), finish_reason=finish_reason))
    assert exchange.finish_reason == finish_reason
    assert exchange.messages()[0].text == "Half more"


def test_replacement_is_kept_unchanged() -> None:
    exchange = Exchange([])
    exchange.add(update(Content.from_text("Draft")))
    exchange.add(
        AgentResponseUpdate(
            contents=[Content.from_text("Final")],
            role="assistant",
            message_id="m",
            merge_mode="replace",
        )
    )
    assert exchange.messages()[0].text == "Final"
    assert json.loads(exchange.take_new() or "")[-1]["merge_mode"] == "replace"
