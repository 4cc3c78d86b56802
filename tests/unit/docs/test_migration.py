"""The guide's table of renamed APIs is correct."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ...fakes.scripted_agent import ScriptedClient, call, text
from ..chat_client import chat

PAGE = Path(__file__).parents[3] / "docs/migration/names.md"
PACKAGES = ("agent_framework", "chatkit", "logging")
NAME = re.compile(rf"`((?:{'|'.join(PACKAGES)})\.[\w.]+)(?:\((\w+)=\))?`")
ROWS = [
    line.strip("| \n").split(" | ")
    for line in PAGE.read_text().splitlines()
    if line.startswith("|")
]
GONE = [name for row in ROWS for name in NAME.findall(row[0])]
INSTEAD = [name for row in ROWS if len(row) > 1 for name in NAME.findall(row[1])]
NOT_HERE = {"agent_framework.foundry"}
"""Names in packages that are not installed."""


def find(path: str) -> Any:
    """Return the object with a dotted name, in the installed versions.

    Raises:
        AttributeError: If there is none.
    """
    parts = path.split(".")
    found: Any = import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        if isinstance(found, type) and issubclass(found, BaseModel) and part in found.model_fields:
            return found.model_fields[part]
        try:
            found = getattr(found, part)
        except AttributeError:
            if not inspect.ismodule(found):
                raise
            try:
                found = import_module(".".join(parts[:number]))
            except ImportError:
                raise AttributeError(path) from None
    return found


def is_there(path: str, parameter: str) -> bool:
    try:
        found = find(path)
    except AttributeError:
        return False
    return not parameter or parameter in inspect.signature(found).parameters


@pytest.mark.parametrize(("path", "parameter"), GONE)
def test_removed_names_are_gone(path: str, parameter: str) -> None:
    assert not is_there(path, parameter)


@pytest.mark.parametrize(
    ("path", "parameter"), [each for each in INSTEAD if each[0] not in NOT_HERE]
)
def test_replacements_exist(path: str, parameter: str) -> None:
    assert is_there(path, parameter)


def test_every_row_is_checked() -> None:
    rows = [row for row in ROWS if row[0] not in ("removed", "---") and set(row[0]) != {"-"}]
    assert [row for row in rows if not NAME.search(row[0])] == []
    assert len(GONE) >= len(rows) > 70


async def test_exported_agent_answers(caplog: pytest.LogCaptureFixture) -> None:
    page = (PAGE.parent / "agent-builder.md").read_text()
    (block,) = re.findall(r"^```python\b[^\n]*\n(.*?)^```", page, re.M | re.S)
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 our own
    names["OpenAIChatClient"] = lambda: ScriptedClient(
        [call("handoff_to_orders")],
        [call("order_status", "c2", order="7")],
        [text("It is on its way.")],
    )
    async with chat(names["helper"]) as browser:
        await browser.ask("Where is order 7?")
        assert ("assistant_message", "It is on its way.") in await browser.transcript()
    assert "agent_framework_orchestrations" not in caplog.text
