"""Describes and seals the tool calls that a person approves."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from inspect import cleandoc
from typing import Any

from agent_framework import Content, FunctionTool

_TOOL = "agent_framework_chatkit_tool"
_MAX_SCHEMA_DEPTH = 10
"""A schema may refer to itself."""


@dataclass(frozen=True)
class ToolDescription:
    """The description of a tool for the person who approves its call.

    Attributes:
        description: The tool's description for the agent.
        parameters: The names of its parameters; `None` if it takes any.
    """

    description: str
    parameters: tuple[str, ...] | None


def with_tool(request: Content, tool: ToolDescription) -> Content:
    """Return a copy of a request that carries its tool's description for `tool_of`."""
    known = copy(request)
    described = [tool.description, tool.parameters]
    known.additional_properties = {**request.additional_properties, _TOOL: described}
    return known


def tool_of(request: Content) -> ToolDescription | None:
    """Return the description of a request's tool, if the agent has that tool."""
    data = request.additional_properties.get(_TOOL)
    return None if data is None else tool_from_json(data)


def tool_from_json(data: Sequence[Any]) -> ToolDescription:
    """Return the description of a tool from a list of its two fields."""
    description, parameters = data
    return ToolDescription(description, None if parameters is None else tuple(parameters))


def describe_tool(agent: object, name: str) -> ToolDescription | None:
    """Return the description of an agent's own tool, or of one from its MCP servers."""
    options = getattr(agent, "default_options", None) or {}
    servers = getattr(agent, "mcp_tools", ())
    functions = (each for server in servers for each in server.functions)
    for tool in (*(options.get("tools") or ()), *functions):
        if isinstance(tool, FunctionTool) and tool.name == name:
            schema = tool.parameters()
            return ToolDescription(cleandoc(tool.description), _parameters(schema, schema))
    return None


def _parameters(schema: Any, root: Mapping[str, Any], depth: int = 0) -> tuple[str, ...] | None:
    """Return the names of the parameters in a JSON schema; `None` if it describes any name."""
    if not isinstance(schema, Mapping) or depth > _MAX_SCHEMA_DEPTH:
        return ()
    if schema.get("patternProperties") or isinstance(schema.get("additionalProperties"), Mapping):
        return None
    found = dict.fromkeys(schema.get("properties") or ())
    parts = [part for name in ("allOf", "anyOf", "oneOf") for part in schema.get(name) or ()]
    if "$ref" in schema:
        parts.append(_referenced(str(schema["$ref"]), root))
    for part in parts:
        names = _parameters(part, root, depth + 1)
        if names is None:
            return None
        found |= dict.fromkeys(names)
    return tuple(found)


def _referenced(pointer: str, root: Any) -> Any:
    """Return the part of a schema that a reference within it names, or `None`."""
    part = root
    for key in pointer.removeprefix("#").split("/")[1:]:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part


def shown_arguments(call: Content) -> Mapping[str, Any]:
    """Return a call's arguments by name, as the tool gets them.

    A service that runs a call itself may read an ambiguous text in its own way. Such a text is
    returned as it is.
    """
    arguments = _arguments(call)
    return {"arguments": arguments} if isinstance(arguments, str) else arguments or {}


def _arguments(call: Content) -> Mapping[str, Any] | str | None:
    text = call.arguments
    if call.hosted and isinstance(text, str) and _is_ambiguous(text):
        return text
    return call.parse_arguments()


def _is_ambiguous(text: str) -> bool:
    """Return whether JSON repeats a name, or has a number that programs read differently."""
    doubts: list[bool] = []

    def number(digits: str) -> None:
        doubts.append(not _is_exact(digits))

    def names(pairs: list[tuple[str, Any]]) -> None:
        doubts.append(len(dict(pairs)) < len(pairs))

    with suppress(ValueError):
        json.loads(
            text,
            object_pairs_hook=names,
            parse_constant=number,
            parse_float=number,
            parse_int=number,
        )
    return any(doubts)


def _is_exact(digits: str) -> bool:
    """Return whether a number is the same for programs with integers and without them."""
    try:
        return Decimal(digits) == Decimal(repr(float(digits)))
    except ArithmeticError:
        return False


def seal_of(call: Content, key: str) -> str:
    """Return the HMAC-SHA-256 of the canonical JSON of a call's ID, name and arguments.

    Args:
        call: The call.
        key: The app's secret.
    """
    values = {"id": call.call_id, "name": call.name, "arguments": _arguments(call)}
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hmac.new(key.encode(), canonical.encode(), "sha256").hexdigest()
