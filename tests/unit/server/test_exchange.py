"""The messages that a run exchanges with its model and tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import AgentResponseUpdate, Content, Message

from agent_framework_chatkit.server.exchange import Exchange, recover


def update(*contents: Content, role: str = "assistant", **fields: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(contents=list(contents), role=role, message_id="m", **fields)


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
    exchange.start_call("c1")
    exchange.end_call("c1", [Content.from_text("ordered")])
    exchange.start_call("c2")
    pieces.append(exchange.take_new())
    assert exchange.take_new() is None
    recovered = recover(piece for piece in pieces if piece)
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
    assert recover([]) is None


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
