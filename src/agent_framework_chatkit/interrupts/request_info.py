"""Converts workflows' requests for information to function calls and questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_framework import Content, Message, WorkflowEvent
from chatkit.types import StructuredInput

from ..text import mend_surrogates, readable_name, shorten
from .forms import questions_for
from .questions import MAX_QUESTION

REQUEST_INFO = "request_info"
"""The name of the function call that represents a request, here and in `WorkflowAgent`."""


def is_request_info(call: Content) -> bool:
    """Return whether a function call represents a workflow's request."""
    arguments = call.arguments
    return (
        call.name == REQUEST_INFO and isinstance(arguments, Mapping) and "request_id" in arguments
    )


def requested_inputs(call: Content) -> list[StructuredInput]:
    """Return the questions for the value that a workflow requests.

    Returns:
        The questions; none if the workflow expects a message.
    """
    arguments = call.parse_arguments() or {}
    event = arguments.get("request_event")
    data = event.get("data") if isinstance(event, Mapping) else arguments.get("data")
    request_id = str(arguments.get("request_id") or call.call_id or "")
    raw = call.raw_representation
    response_type = raw.response_type if isinstance(raw, WorkflowEvent) else str
    if response_type in (Message, list[Message]):
        return []
    question = shorten(mend_surrogates(_question(data)), MAX_QUESTION)
    return questions_for(response_type, question, request_id)


def _question(data: Any) -> str:
    """Return the question in a request's data.

    This is the text itself, the field that usually contains the question, or else all text fields.
    """
    if isinstance(data, str) and data.strip():
        return data
    for name in ("question", "prompt", "message", "text", "description"):
        value = data.get(name) if isinstance(data, Mapping) else getattr(data, name, None)
        if isinstance(value, str) and value.strip():
            return value
    if isinstance(data, Mapping):
        lines = [
            f"{readable_name(str(name))}: {value}"
            for name, value in data.items()
            if isinstance(value, str) and value.strip()
        ]
        if lines:
            return "\n".join(lines)
    return "The assistant needs your input to continue."
