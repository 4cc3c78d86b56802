from __future__ import annotations

import json
from typing import Any

import pytest
from agent_framework import Content

from agent_framework_chatkit import client_tool
from agent_framework_chatkit.interrupts.client_tools import (
    client_tool_call_fields,
    client_tool_names,
    client_tool_result,
)

from ...fakes.scripted_agent import agent, call, look_up


@client_tool
def select(sheet: str, rows: int = 1) -> list[str]:
    """Return what is selected."""
    raise AssertionError("The browser runs it.")


def test_signature_describes_the_tool() -> None:
    assert (select.name, select.description) == ("select", "Return what is selected.")
    assert list(select.parameters()["properties"]) == ["sheet", "rows"]
    assert select.parameters()["required"] == ["sheet"]
    assert select.declaration_only


def test_client_tools_of_agent_are_found() -> None:
    assert client_tool_names(agent(tools=[select, look_up])) == {"select"}
    assert client_tool_names(object()) == set()


@pytest.mark.parametrize(
    ("returned", "result", "has_failed"),
    [
        ({"city": "Malmö"}, '{"city": "Malmö"}', False),
        (None, "", False),
        ({"error": "Denied"}, "Error: Denied", True),
        ({"error": {"code": 1}}, 'Error: {"code": 1}', True),
        ({"error": "Denied", "more": 1}, '{"error": "Denied", "more": 1}', False),
    ],
    ids=str,
)
def test_pages_return_value_is_result(returned: Any, result: str, has_failed: bool) -> None:
    content = client_tool_result(call("select"), returned)
    assert (content.call_id, content.result) == ("c1", result)
    assert (content.exception is not None) == has_failed


@pytest.mark.parametrize(
    ("number", "given"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e400", "Infinity"),
        ("9007199254740991", 9007199254740991),
        ("-9007199254740993", "-9007199254740993"),
        ("1" * 400, "1" * 400),
        ("1e22", 1e22),
        ("-0.0", -0.0),
        ('"1e400"', "1e400"),
    ],
)
def test_page_gets_no_other_number_than_the_model_wrote(number: str, given: Any) -> None:
    arguments = f'{{"n": {number}, "more": [{{"n": {number}}}]}}'
    called = Content.from_function_call("c1", "select", arguments=arguments)
    shown = client_tool_call_fields(called)["arguments"]
    assert json.dumps(shown) == json.dumps({"n": given, "more": [{"n": given}]})
