from __future__ import annotations

from typing import Any

import pytest

from agent_framework_chatkit import client_tool
from agent_framework_chatkit.interrupts.client_tools import client_tool_names, client_tool_result

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
