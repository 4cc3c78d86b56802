"""Turns a type into questions, and the answers into a value of the type."""

from __future__ import annotations

import dataclasses
import enum
import json
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from agent_framework import Content, Message
from chatkit.types import (
    StructuredInput,
    StructuredInputFreeform,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..text import mend_surrogates, readable_name, without_markup

YES, NO = "Yes", "No"

_HINTS: dict[Any, str] = {
    int: "A whole number",
    float: "A number",
    date: "A date, such as 2026-12-31",
    datetime: "A date and a time, such as 2026-12-31 18:00",
    time: "A time, such as 18:00",
}

Answers = Mapping[str, "Sequence[str] | None"]
"""The answers by question ID; `None` for a skipped question."""


class AnswerInvalidError(ValueError):
    """Answers from which no value can be built. The message is for the user."""


def questions_for(response_type: Any, question: str, input_id: str) -> list[StructuredInput]:
    """Return the questions that ask for a value of a type.

    A dataclass or Pydantic model gets one question per field, any other type a single question.

    Args:
        response_type: The type of the value.
        question: The question that the value answers.
        input_id: The ID of a single question. The questions for fields use the fields' names.
    """
    fields = _fields(response_type)
    if fields is None:
        return [_question(response_type, question, input_id)]
    inputs = [_question(field.type, field.label, field.name) for field in fields]
    if inputs:
        inputs[0].question = f"{question}\n\n{inputs[0].question}"
    return inputs


def value_of_answers(response_type: Any, answers: Answers) -> Any:
    """Build a value from answers.

    Args:
        response_type: The type of the value.
        answers: The answers to its `questions_for`.

    Raises:
        AnswerInvalidError: If the answers are not valid for the type.
    """
    fields = _fields(response_type)
    if fields is None:
        return _value(response_type, next(iter(answers.values()), None), "")
    values = {}
    for field in fields:
        given = answers.get(field.name)
        if given or not field.has_default:
            values[field.name] = _value(field.type, given, field.label)
    if isinstance(response_type, type) and issubclass(response_type, BaseModel):
        try:
            return response_type.model_validate(values)
        except ValidationError as error:
            raise _invalid(error, "") from error
    return response_type(**values)


@dataclasses.dataclass
class _Field:
    name: str
    label: str
    type: Any
    has_default: bool


def _fields(response_type: Any) -> list[_Field] | None:
    """Return the fields of a type that gets one question per field, otherwise `None`."""
    if not isinstance(response_type, type) or issubclass(response_type, (Message, Content)):
        return None
    if issubclass(response_type, BaseModel):
        return [
            _Field(
                name,
                field.description or field.title or readable_name(name),
                field.annotation,
                not field.is_required(),
            )
            for name, field in response_type.model_fields.items()
        ]
    if dataclasses.is_dataclass(response_type):
        hints = get_type_hints(response_type)
        missing = dataclasses.MISSING
        return [
            _Field(
                each.name,
                readable_name(each.name),
                hints[each.name],
                each.default is not missing or each.default_factory is not missing,
            )
            for each in dataclasses.fields(response_type)
            if each.init
        ]
    return None


def _question(response_type: Any, question: str, input_id: str) -> StructuredInput:
    kind, is_optional = _without_none(response_type)
    question, input_id = mend_surrogates(question), mend_surrogates(input_id)
    choices = _choices(kind)
    item = _item_type(kind)
    if choices is None and item is not None:
        choices = _choices(item)
    if choices is not None:
        return StructuredInputMultipleChoice(
            id=input_id,
            question=question,
            options=[StructuredInputMultipleChoiceOption(value=label) for label in choices],
            multiple=item is not None,
        )
    hint = _HINTS.get(kind)
    if hint is None and not _is_text(kind):
        hint = "JSON"
    if kind == list[Message]:
        hint = "Skip it if there is nothing to add"
    if is_optional:
        hint = f"{hint}; may be skipped" if hint else "May be skipped"
    return StructuredInputFreeform(id=input_id, question=question, description=hint)


def _value(response_type: Any, given: Sequence[str] | None, label: str) -> Any:
    kind, is_optional = _without_none(response_type)
    texts = [text.strip() for text in given or () if text.strip()]
    if kind in (Message, Content, list[Message]):
        # They are for agents.
        texts = [without_markup(text) for text in texts]
    if kind == list[Message]:
        return [Message("user", [text]) for text in texts]
    if not texts:
        if is_optional:
            return None
        raise AnswerInvalidError(f"{label or 'The answer'}: enter an answer.")
    if kind is Message:
        return Message("user", texts)
    if kind is Content:
        return Content.from_text("\n".join(texts))
    item = _item_type(kind)
    raw: Any
    if item is not None and (choices := _choices(item)) is not None:
        raw = [_chosen(choices, text, label) for text in texts]
    elif (choices := _choices(kind)) is not None:
        raw = _chosen(choices, texts[0], label)
    elif _is_text(kind) or kind in _HINTS:
        raw = "\n".join(texts)
    else:
        try:
            raw = json.loads("\n".join(texts))
        except ValueError as error:
            raise AnswerInvalidError(f"{label or 'The answer'}: enter valid JSON.") from error
    try:
        return raw if kind in (Any, object) else TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise _invalid(error, label) from error


def _chosen(choices: Mapping[str, Any], text: str, label: str) -> Any:
    for name, value in choices.items():
        if name.casefold() == text.casefold():
            return value
    raise AnswerInvalidError(f"{label or 'The answer'}: choose one of {', '.join(choices)}.")


def _choices(kind: Any) -> dict[str, Any] | None:
    """Return a type's choices by label, or `None` if it has no fixed choices."""
    if kind is bool:
        return {YES: True, NO: False}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {_label(member.value, member.name): member for member in kind}
    if get_origin(kind) is Literal:
        return {_label(value, str(value)): value for value in get_args(kind)}
    return None


def _label(value: Any, name: str) -> str:
    return value if isinstance(value, str) and value else readable_name(name.lower())


def _item_type(kind: Any) -> Any:
    """Return the item type of a list type, otherwise `None`."""
    return (get_args(kind) or (None,))[0] if get_origin(kind) is list else None


def _is_text(kind: Any) -> bool:
    return kind in (str, Any, object, Message, Content, list[Message])


def _without_none(kind: Any) -> tuple[Any, bool]:
    """Return a type without `None`, and whether it allowed `None`."""
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    rest = tuple(each for each in get_args(kind) if each is not type(None))
    is_optional = len(rest) < len(get_args(kind))
    return (rest[0] if len(rest) == 1 else Union[rest]), is_optional  # noqa: UP007 built at run time


def _invalid(error: ValidationError, label: str) -> AnswerInvalidError:
    problems = (
        ": ".join(part for part in (label or _path(each["loc"]), each["msg"]) if part)
        for each in error.errors(include_url=False, include_input=False)
    )
    return AnswerInvalidError("; ".join(problems))


def _path(location: Sequence[int | str]) -> str:
    return readable_name(" ".join(map(str, location)))
