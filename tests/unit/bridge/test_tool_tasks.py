"""Tools as tasks."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import (
    CustomTask,
    GeneratedImageItem,
    ImageTask,
    SearchTask,
    URLSource,
    WorkflowItem,
)

from agent_framework_chatkit import AgentResponseConverter

from .shown import PNG, call, items, result, tasks


async def test_tool_is_shown_by_readable_name_only() -> None:
    (task,) = await tasks(call(), result("secret"))
    assert task == CustomTask(title="Get weather", status_indicator="complete")


async def test_details_are_shown_on_request() -> None:
    converter = AgentResponseConverter(show_tool_details=True)
    (task,) = await tasks(call(), result("sunny ```"), converter=converter)
    assert isinstance(task, CustomTask)
    assert task.content == '```json\n{\n  "city": "Paris"\n}\n```\n\n````\nsunny ```\n````'


async def test_long_details_are_cut() -> None:
    converter = AgentResponseConverter(show_tool_details=True)
    (task,) = await tasks(call(), result("x" * 1_000_000), converter=converter)
    assert isinstance(task, CustomTask)
    assert len(task.content or "") < 3_000
    assert "…" in (task.content or "")


async def test_failed_tool_shows_no_reason() -> None:
    (task,) = await tasks(call(), result("Error: password=1", exception="Traceback password=1"))
    assert isinstance(task, CustomTask)
    assert (task.title, task.content, task.status_indicator) == ("Get weather", "Failed", "none")
    assert "password" not in task.model_dump_json()


async def test_result_without_call_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    (task,) = await tasks(result())
    assert task == CustomTask(title="Tool", status_indicator="complete")
    assert "c1" in caplog.text


async def test_mcp_tool() -> None:
    converter = AgentResponseConverter(show_tool_details=True)
    (task,) = await tasks(
        Content.from_mcp_server_tool_call("c", "findDocs", arguments={"q": "x"}),
        Content.from_mcp_server_tool_result("c", output=[Content.from_text("three docs")]),
        converter=converter,
    )
    assert isinstance(task, CustomTask)
    assert (task.title, task.status_indicator) == ("Find docs", "complete")
    assert '"q": "x"' in (task.content or "")
    assert "three docs" in (task.content or "")


async def test_search() -> None:
    (task,) = await tasks(
        Content.from_search_tool_call(
            "c", tool_name="web_search", arguments={"type": "search", "query": "weather paris"}
        ),
        Content.from_search_tool_result(
            "c",
            tool_name="web_search",
            result={
                "action": {
                    "query": "weather paris",
                    "queries": ["weather paris", "paris forecast"],
                    "sources": [
                        {"type": "url", "url": "https://weather.test/paris", "title": "Paris"},
                        {"type": "url", "url": "javascript:alert(1)"},
                        {"type": "url", "url": "https://weather.test/paris"},
                    ],
                }
            },
        ),
    )
    assert isinstance(task, SearchTask)
    assert [source.url for source in task.sources] == ["https://weather.test/paris"]
    assert task.queries == ["weather paris", "paris forecast"]


async def test_search_result_as_contents() -> None:
    found = Content.from_uri("https://docs.test/a", media_type="text/html", name="A")
    (task,) = await tasks(
        Content.from_search_tool_result("c", tool_name="file_search", items=[found])
    )
    assert isinstance(task, SearchTask)
    assert task.sources == [URLSource(url="https://docs.test/a", title="A")]
    assert task.title == "File search"


async def test_code_and_output() -> None:
    def code(value: str, mode: Any) -> Content:
        return Content.from_code_interpreter_tool_call(
            call_id="c", inputs=[Content.from_text(value)], merge_mode=mode
        )

    shown = await items(
        code("print(", "append"),
        code("1)", "append"),
        Content.from_code_interpreter_tool_result(call_id="c", outputs=[], status="in_progress"),
        code("print(1)", "replace"),
        Content.from_code_interpreter_tool_result(
            call_id="c",
            outputs=[Content.from_text("1"), Content.from_uri(PNG)],
            status="completed",
        ),
    )
    workflow, image = shown
    assert isinstance(workflow, WorkflowItem)
    assert isinstance(image, GeneratedImageItem)
    (task,) = workflow.workflow.tasks
    assert isinstance(task, CustomTask)
    assert task.content == "```python\nprint(1)\n```\n\n```\n1\n```"
    assert task.status_indicator == "complete"


async def test_code_with_gradual_outputs() -> None:
    def output(value: str, status: str) -> Content:
        return Content.from_code_interpreter_tool_result(
            call_id="c", outputs=[Content.from_text(value)], status=status
        )

    (task,) = await tasks(output("1\n", "in_progress"), output("2\n", "completed"))
    assert isinstance(task, CustomTask)
    assert task.content == "```\n1\n2\n```"


async def test_command_and_output() -> None:
    (task,) = await tasks(
        Content.from_shell_tool_call(call_id="c", commands=["ls", "cat x"]),
        Content.from_shell_tool_result(
            call_id="c",
            outputs=[
                Content.from_shell_command_output(stdout="a.txt\n", exit_code=0),
                Content.from_shell_command_output(stderr="no x\n", exit_code=1),
                Content.from_shell_command_output(timed_out=True),
            ],
        ),
    )
    assert isinstance(task, CustomTask)
    assert task.content == (
        "```sh\nls\ncat x\n```\n\n```\na.txt\n```\n\n```\nno x\n(exit code 1)\n```\n\n"
        "```\n(timed out)\n```"
    )


async def test_command_output_belongs_to_previous_command() -> None:
    (task,) = await tasks(
        Content.from_shell_tool_call(commands=["ls"]),
        Content.from_shell_command_output(stdout="a.txt", exit_code=0),
    )
    assert isinstance(task, CustomTask)
    assert task.content == "```sh\nls\n```\n\n```\na.txt\n```"


async def test_computer_tool() -> None:
    first, second = await tasks(
        Content("computer_tool_call", id="1", call_id="c", actions=[{"type": "click"}]),
        Content("computer_tool_result", call_id="c", screenshot=Content.from_uri(PNG)),
    )
    assert first == CustomTask(
        title="Use the computer", icon="desktop", content="Click", status_indicator="complete"
    )
    assert isinstance(second, ImageTask)
