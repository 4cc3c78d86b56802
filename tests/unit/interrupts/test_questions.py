from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import StructuredInputMultipleChoice

from agent_framework_chatkit import ask_user
from agent_framework_chatkit.interrupts.questions import asked_questions


def asked(arguments: Any) -> list[Any]:
    return asked_questions(Content.from_function_call("c1", "ask_user", arguments=arguments))


def test_model_receives_schema_of_questions() -> None:
    schema = json.dumps(ask_user.parameters())
    assert all(word in schema for word in ("question", "options", "multiple"))


def test_options_become_choice() -> None:
    free, choice = asked(
        {"questions": [{"question": "Why?"}, {"question": "Who?", "options": ["A", "B", "A", ""]}]}
    )
    assert (free.id, free.type, free.question) == ("q1", "freeform", "Why?")
    assert isinstance(choice, StructuredInputMultipleChoice)
    assert [option.value for option in choice.options] == ["A", "B"]


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        ({"questions": "Why?"}, "Why?"),
        ({"questions": [{"text": "Why?"}]}, "Why?"),
        ('{"questions": [{"que', '{"questions": [{"que'),
        ({"questions": []}, "The assistant needs your input to continue."),
        ("", "The assistant needs your input to continue."),
        ({"questions": [{"question": "\ud83d"}]}, "\N{REPLACEMENT CHARACTER}"),
    ],
    ids=str,
)
def test_invalid_call_becomes_one_question(arguments: Any, question: str) -> None:
    (only,) = asked(arguments)
    assert (only.type, only.question) == ("freeform", question)
