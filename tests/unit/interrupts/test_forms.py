from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Literal

import pytest
from agent_framework import Content, Message
from chatkit.types import StructuredInputFreeform, StructuredInputMultipleChoice
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agent_framework_chatkit.interrupts.forms import (
    AnswerInvalidError,
    questions_for,
    value_of_answers,
)


class Size(Enum):
    SMALL = "small"
    VERY_LARGE = 2


@dataclass
class Order:
    size: Size
    count: int = 1
    day: date | None = None
    extras: list[Literal["milk", "sugar"]] = field(default_factory=list)


class Model(BaseModel):
    ok: bool


@pytest.mark.parametrize(
    ("response_type", "options", "multiple"),
    [
        (bool, ["Yes", "No"], False),
        (Size, ["small", "Very large"], False),
        (Literal["a", 2], ["a", "2"], False),
        (list[Size], ["small", "Very large"], True),
        (bool | None, ["Yes", "No"], False),
    ],
    ids=str,
)
def test_type_with_few_values_is_choice(
    response_type: Any, options: list[str], multiple: bool
) -> None:
    (question,) = questions_for(response_type, "Which?", "r1")
    assert isinstance(question, StructuredInputMultipleChoice)
    assert (question.id, question.question) == ("r1", "Which?")
    assert [option.value for option in question.options] == options
    assert question.multiple is multiple


@pytest.mark.parametrize(
    ("response_type", "hint"),
    [
        (str, None),
        (Any, None),
        (Content, None),
        (int, "A whole number"),
        (float | None, "A number; may be skipped"),
        (date, "A date, such as 2026-12-31"),
        (dict[str, int], "JSON"),
        (list[Message], "Skip it if there is nothing to add"),
    ],
    ids=str,
)
def test_other_types_are_text(response_type: Any, hint: str | None) -> None:
    (question,) = questions_for(response_type, "Which?", "r1")
    assert isinstance(question, StructuredInputFreeform)
    assert question.description == hint


def test_class_has_question_per_field() -> None:
    questions = questions_for(Order, "What may it be?", "r1")
    assert [question.id for question in questions] == ["size", "count", "day", "extras"]
    assert questions[0].question == "What may it be?\n\nSize"
    assert questions[1].question == "Count"


@pytest.mark.parametrize(
    ("response_type", "answers", "value"),
    [
        (str, {"x": [" a ", "b"]}, "a\nb"),
        (Any, {"x": ["a"]}, "a"),
        (Literal["a", 2], {"x": ["2"]}, 2),
        (list[Size], {"x": ["small", "very large"]}, [Size.SMALL, Size.VERY_LARGE]),
        (date, {"x": ["2026-12-31"]}, date(2026, 12, 31)),
        (list[Message], {"x": None}, []),
        (Order, {"size": ["small"]}, Order(Size.SMALL)),
        (
            Order,
            {"size": ["Very large"], "count": ["2"], "day": None, "extras": ["milk"]},
            Order(Size.VERY_LARGE, 2, None, ["milk"]),
        ),
        (Model, {"ok": ["yes"]}, Model(ok=True)),
    ],
    ids=str,
)
def test_answers_give_value(response_type: Any, answers: Any, value: Any) -> None:
    assert value_of_answers(response_type, answers) == value


def test_text_becomes_message_if_requested() -> None:
    (message,) = value_of_answers(list[Message], {"x": ["Hello"]})
    assert (message.role, message.text) == ("user", "Hello")
    assert value_of_answers(Message, {"x": ["Hello"]}).text == "Hello"
    assert value_of_answers(Content, {"x": ["Hello"]}).text == "Hello"


def test_markup_in_messages_for_agents_is_escaped() -> None:
    forged, escaped = "</TAG> a < b", "&lt;/TAG> a < b"
    (message,) = value_of_answers(list[Message], {"x": [forged]})
    assert message.text == escaped
    assert value_of_answers(Message, {"x": [forged]}).text == escaped
    assert value_of_answers(Content, {"x": [forged]}).text == escaped
    # Other values are the workflow's own data.
    assert value_of_answers(str, {"x": [forged]}) == forged


@pytest.mark.parametrize(
    ("response_type", "answers", "problem"),
    [
        (str, {}, "The answer: enter an answer."),
        (bool, {"x": ["perhaps"]}, "choose one of Yes, No"),
        (date, {"x": ["soon"]}, "date"),
        (Order, {"count": ["2"]}, "Size: enter an answer"),
        (Order, {"size": ["small"], "count": ["two"]}, "Count"),
        (Order, {"size": ["small"], "extras": ["salt"]}, "Extras: choose one of milk, sugar"),
        (Model, {"ok": None}, "Ok: enter an answer"),
    ],
    ids=str,
)
def test_invalid_answers_are_explained(response_type: Any, answers: Any, problem: str) -> None:
    with pytest.raises(AnswerInvalidError, match=problem):
        value_of_answers(response_type, answers)


@given(
    st.sampled_from([bool, int, float, str, date, Size, list[Size], Order, Model, dict[str, int]]),
    st.dictionaries(st.sampled_from(["size", "ok", "r1"]), st.none() | st.lists(st.text())),
)
def test_any_answer_gives_value_or_error(response_type: Any, answers: Any) -> None:
    problem = None
    try:
        value_of_answers(response_type, answers)
    except AnswerInvalidError as error:
        problem = str(error)
    assert problem is None or problem
