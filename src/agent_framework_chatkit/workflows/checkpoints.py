"""Converts workflow checkpoints to and from JSON."""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Iterator
from typing import Any, cast

from agent_framework import (
    Workflow,
    WorkflowCheckpoint,
    WorkflowCheckpointException,
    WorkflowEvent,
    WorkflowExecutor,
)

# The framework's own storages use these functions, which have no public names.
from agent_framework._workflows._checkpoint_encoding import (
    decode_checkpoint_value,
    encode_checkpoint_value,
)
from pydantic import BaseModel

from ..bridge.context import AGENT_CONTEXT, ThreadContext


def dump_checkpoint(checkpoint: WorkflowCheckpoint, workflow: Workflow) -> dict[str, Any]:
    """Return a checkpoint as JSON.

    Args:
        checkpoint: A copy that nobody else uses: values that cannot be stored are removed from it.
        workflow: The checkpoint's workflow.

    Raises:
        WorkflowCheckpointException: If the JSON could not be loaded again, because it holds a type
            that is neither the framework's, nor named by a handler of the workflow, nor registered
            with `agent_framework.register_checkpoint_type`.
    """
    fields = checkpoint.to_dict()
    for value in _values(fields):
        if isinstance(value, dict):
            # `load_checkpoint` sets the context of the later run.
            for key in [key for key, child in value.items() if isinstance(child, ThreadContext)]:
                value[key] = None
        elif isinstance(value, WorkflowEvent):
            value._request_type = _name(value.request_type)  # type: ignore[assignment]
            value._response_type = _name(value.response_type)  # type: ignore[assignment]
        elif getattr(value, "raw_representation", None) is not None:
            # A service's own object may have any type, and nobody reads it.
            value.raw_representation = None
    data = cast("dict[str, Any]", encode_checkpoint_value(fields))
    # Fail now, in development, rather than later, when a user has answered.
    load_checkpoint(data, workflow)
    return data


def load_checkpoint(
    data: dict[str, Any], workflow: Workflow, context: object = None
) -> WorkflowCheckpoint:
    """Return a checkpoint from the JSON of `dump_checkpoint`.

    The format is the framework's, which pickles values that are not JSON. Only the framework's
    types, types named by the workflow's code and registered types are unpickled.

    Args:
        data: The JSON.
        workflow: The checkpoint's workflow.
        context: The `ThreadContext` of the run that resumes from it. The framework takes a run's
            keyword arguments for tools from the checkpoint instead.

    Raises:
        WorkflowCheckpointException: If the JSON holds another type, or a type that the workflow no
            longer handles.
    """
    handled = {_name(each): each for each in _handled_types(workflow)}
    classes: set[type] = set()
    for annotation in handled.values():
        _collect(annotation, classes)
    allowed = frozenset(_name(each) for each in classes)
    fields = decode_checkpoint_value(data, allowed_types=allowed)
    try:
        for value in list(_values(fields)):
            if isinstance(value, WorkflowEvent):
                value._request_type = handled[str(value.request_type)]
                value._response_type = handled[str(value.response_type)]
            elif isinstance(value, dict) and AGENT_CONTEXT in value:
                value[AGENT_CONTEXT] = context
    except KeyError as error:
        raise WorkflowCheckpointException(
            f"The workflow {workflow.name!r} no longer has a handler for {error}."
        ) from error
    return WorkflowCheckpoint.from_dict(fields)


def _values(root: Any) -> Iterator[Any]:
    """Yield every nested value once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, (str, bytes, int, float, type, enum.Enum)):
            continue
        seen.add(id(value))
        yield value
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting.extend(value)
        else:
            names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
            waiting.extend(getattr(value, name, None) for name in names)


def _name(annotation: Any) -> str:
    """Return a name that identifies a type."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return f"{annotation.__module__}:{annotation.__qualname__}"
    return repr(annotation)


def _handled_types(workflow: Workflow) -> Iterator[Any]:
    """Yield the types of a workflow's inputs, outputs, requests and responses."""
    for executor in workflow.get_executors_list():
        if isinstance(executor, WorkflowExecutor):
            yield from _handled_types(executor.workflow)
        yield from executor.input_types
        yield from executor.output_types
        yield from executor.workflow_output_types
        for request_and_response in getattr(executor, "_response_handlers", {}):
            yield from request_and_response


def _collect(annotation: Any, found: set[type]) -> None:
    """Add all classes that a type refers to."""
    for part in typing.get_args(annotation):
        _collect(part, found)
    if not isinstance(annotation, type) or annotation in found:
        return
    found.add(annotation)
    if issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            _collect(field.annotation, found)
    elif dataclasses.is_dataclass(annotation):
        for hint in typing.get_type_hints(annotation).values():
            _collect(hint, found)
