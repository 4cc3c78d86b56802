"""The `ask_user` tool, with which an agent asks the user questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent_framework import Content, FunctionTool
from chatkit.types import (
    StructuredInput,
    StructuredInputFreeform,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
)
from pydantic import BaseModel, Field, ValidationError

from ..text import mend_json, shorten, without_markup

ASK_USER = "ask_user"
"""The name of the tool."""

MAX_QUESTION = 2_000
"""The maximum number of characters of a question that are shown."""


class Question(BaseModel):
    """A question from an agent."""

    question: str = Field(min_length=1, description="The question, in full.")
    options: list[str] = Field(
        default=[],
        description="Answers to choose from; the user may write another. Empty for a free answer.",
    )
    multiple: bool = Field(default=False, description="Whether several options may be chosen.")


class Questions(BaseModel):
    """The arguments of the tool."""

    questions: list[Question] = Field(min_length=1, description="The questions, in order.")


ask_user = FunctionTool(
    name=ASK_USER,
    description="Ask the user one or more questions and wait for the answers. Ask all questions "
    "that you have at the same time in one call. The user may skip questions.",
    input_model=Questions,
)
"""A tool with which an agent asks the user: `Agent(..., tools=[ask_user])`.

The questions become a form in the thread. The tool's result says how each question was answered,
or that it was skipped.
"""


def asked_questions(call: Content) -> list[StructuredInput]:
    """Return the questions in a call of `ask_user`.

    Models sometimes pass invalid arguments. These become one free-form question, which helps the
    user more than an error would.
    """
    arguments = mend_json(call.parse_arguments() or {})
    try:
        questions = Questions.model_validate(arguments).questions
    except ValidationError:
        question = _any_text(arguments) or "The assistant needs your input to continue."
        questions = [Question(question=question)]
    return [_input(f"q{number}", question) for number, question in enumerate(questions, 1)]


def answers_to_result(inputs: Sequence[StructuredInput]) -> str:
    """Return the tool's result: JSON with a list of all questions and answers."""
    answers: list[dict[str, Any]] = []
    for each in inputs:
        answer = each.answer
        if answer is None or answer.skipped:
            answers.append({"question": each.question, "skipped": True})
            continue
        values = [without_markup(value) for value in answer.values]
        if isinstance(each, StructuredInputMultipleChoice) and each.multiple:
            answers.append({"question": each.question, "answers": values})
        else:
            answers.append({"question": each.question, "answer": ", ".join(values)})
    return json.dumps({"answers": answers}, ensure_ascii=False)


def _input(input_id: str, question: Question) -> StructuredInput:
    text = shorten(question.question, MAX_QUESTION)
    options = list(dict.fromkeys(option for option in question.options if option))
    if not options:
        return StructuredInputFreeform(id=input_id, question=text)
    return StructuredInputMultipleChoice(
        id=input_id,
        question=text,
        options=[StructuredInputMultipleChoiceOption(value=option) for option in options],
        multiple=question.multiple,
    )


def _any_text(value: Any) -> str | None:
    """Return the first non-blank text in a nested value."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict):
        value = list(value.values())
    texts = map(_any_text, value) if isinstance(value, list) else ()
    return next((text for text in texts if text), None)
