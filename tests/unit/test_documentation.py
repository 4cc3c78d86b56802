"""The code in the documentation runs."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import Page, ThreadItem, ThreadMetadata

from agent_framework_chatkit import AgentResponseConverter, ThreadItemConverter

from .scripted_agent import agent, call
from .test_context import IdStore
from .thread_client import collect, items_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text()), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_runs(block: str) -> None:
    run(block)


def run(block: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block, "documentation", "exec", dont_inherit=True), names)  # noqa: S102 our own
    return names


def defined_in(page: str, name: str) -> Any:
    """Return what a block of a page defines under a name."""
    blocks = BLOCK.findall((ROOT / page).read_text())
    (block,) = (
        block for block in blocks if re.search(rf"^(class|async def) {name}\b", block, re.M)
    )
    return run(block)[name]


class EmptyStore(IdStore):
    async def load_thread_items(self, *args: Any, **kwargs: Any) -> Page[ThreadItem]:
        return Page(data=[])


async def events_of(tool: Any) -> list[Any]:
    """Return what the README's server streams when its agent calls a tool."""
    messages = [[call(tool.name, city="Oslo")], [Content.from_text("Done.")]]
    server_class = defined_in("README.md", "AgentServer")
    server = server_class(EmptyStore(), agent(*messages, tools=[tool]))
    thread = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1))
    return await collect(server.respond(thread, None, None))


async def test_the_server_of_the_readme_shows_what_its_tool_does() -> None:
    sent = await events_of(defined_in("README.md", "find_flights"))
    assert [item.type for item in items_of(sent)] == ["workflow", "assistant_message"]
    assert any(getattr(event, "text", "").endswith("Oslo") for event in sent)


async def test_the_tool_of_the_guide_shows_its_widget() -> None:
    sent = await events_of(defined_in("docs/bridge.md", "weather"))
    assert [item.type for item in items_of(sent)] == ["workflow", "widget", "assistant_message"]


def test_the_guide_names_every_method_of_the_converters() -> None:
    guide = (ROOT / "docs/bridge.md").read_text()
    for converter in (AgentResponseConverter, ThreadItemConverter):
        for name in vars(converter):
            if not name.startswith("_") and name != "to_agent_input":
                assert name in guide, name
