"""Client tools, which the browser runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agent_framework import Content, FunctionTool
from chatkit.types import ClientToolCallItem, ThreadItem

from ..text import mend_json, mend_surrogates

_KIND = "client"
"""Marks a client tool among an agent's other tools."""

_MAX_EXACT = 2**53 - 1
"""The largest whole number that JavaScript does not round."""


def client_tool(signature: Callable[..., Any]) -> FunctionTool:
    """Declare a client tool, which the page runs. Pass it to the agent with its other tools.

    ```python
    @client_tool
    def get_selection(sheet: str) -> str:
        "Return what the user has selected."
    ```

    A call invokes the page's `onClientTool` with the tool's name and arguments; the return value
    is the tool's result. The page receives numbers that JavaScript cannot represent, such as whole
    numbers beyond 2^53, `NaN` and `Infinity`, as strings. To report a failure to the agent, the
    page returns an object whose only field is `error`, a text that helps the agent.

    Args:
        signature: A function whose name, parameters and docstring describe the tool. It is never
            called.

    Returns:
        The tool.
    """
    described = FunctionTool(
        name=signature.__name__, description=signature.__doc__ or "", func=signature
    )
    return FunctionTool(
        name=described.name,
        description=described.description.strip(),
        input_model=described.parameters(),
        kind=_KIND,
    )


def client_tool_names(agent: object) -> set[str]:
    """Return the names of an agent's client tools."""
    options = getattr(agent, "default_options", None) or {}
    return {
        tool.name
        for tool in options.get("tools") or ()
        if isinstance(tool, FunctionTool) and tool.kind == _KIND
    }


def client_tool_call_fields(call: Content) -> dict[str, Any]:
    """Return the fields of a `ClientToolCallItem` that describe a call."""
    return {
        "call_id": mend_surrogates(call.call_id or ""),
        "name": mend_surrogates(call.name or ""),
        "arguments": _for_page(call.parse_arguments() or {}),
    }


def _for_page(value: Any) -> Any:
    """Return a value as JSON data in which numbers that JavaScript cannot represent are strings."""
    return json.loads(json.dumps(mend_json(value)), parse_constant=str, parse_int=_exact)


def _exact(digits: str) -> int | str:
    number = int(digits)
    return number if abs(number) <= _MAX_EXACT else digits


def client_tool_result(call: Content, output: Any) -> Content:
    """Return the result of a client tool call, given the page's return value."""
    if isinstance(output, dict) and set(output) == {"error"}:
        error = output["error"]
        return error_result(call, error if isinstance(error, str) else json.dumps(error))
    result = "" if output is None else json.dumps(output, ensure_ascii=False)
    return Content.from_function_result(call_id=str(call.call_id), id=call.id, result=result)


def result_in_item(call: Content, item: ThreadItem | None) -> Content:
    """Return the result of a client tool call, whose output is stored only in its item."""
    if isinstance(item, ClientToolCallItem):
        return client_tool_result(call, item.output)
    return error_result(call, "The output of this call was deleted.")


def error_result(call: Content, message: str) -> Content:
    """Return the result of a failed call."""
    return Content.from_function_result(
        call_id=str(call.call_id), id=call.id, result=f"Error: {message}", exception=message
    )
