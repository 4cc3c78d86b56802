from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agent_framework import AgentResponseUpdate, Content
from chatkit.types import (
    WorkflowItem,
)

from agent_framework_chatkit import AgentResponseConverter, stream_agent_response

from ..thread_client import items_of, text, update
from .shown import CALL, RESULT, events, items, text_of


async def test_tool_is_shown_from_start_of_call() -> None:
    sent: list[Any] = []

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield update(Content.from_function_call("c1", "get_weather", arguments='{"ci'))
        assert [event.type for event in sent] == ["thread.item.added"]
        assert sent[0].item.workflow.tasks[0].status_indicator == "loading"
        yield update(Content.from_function_call("c1", "", arguments='ty": "Paris"}'))
        yield update(Content.from_function_call("", "", arguments=" "))
        yield update(RESULT)

    async for event in stream_agent_response(run(), "thr_1"):
        sent.append(event)
    (item,) = items_of(sent)
    assert isinstance(item, WorkflowItem)
    assert [task.status_indicator for task in item.workflow.tasks] == ["complete"]


async def test_parallel_tools_stay_separate() -> None:
    def call(call_id: str, name: str) -> Content:
        return Content.from_function_call(call_id, name, arguments="{}")

    (item,) = await items(
        update(call("c1", "get_weather"), call("c2", "get_time")),
        update(Content.from_function_result("c2", result="noon", exception="no clock")),
        update(RESULT),
    )
    assert isinstance(item, WorkflowItem)
    assert [
        (task.model_dump()["title"], task.status_indicator) for task in item.workflow.tasks
    ] == [("Get weather", "complete"), ("Get time", "none")]


async def test_call_id_can_be_reused() -> None:
    (item,) = await items(update(CALL), update(RESULT), update(CALL), update(RESULT))
    assert isinstance(item, WorkflowItem)
    assert [task.status_indicator for task in item.workflow.tasks] == ["complete", "complete"]


async def test_two_tools_can_share_call_id() -> None:
    other = Content.from_function_call("c1", "get_time", arguments="{}")
    (item,) = await items(update(CALL), update(other), update(RESULT), update(RESULT))
    assert isinstance(item, WorkflowItem)
    assert [task.status_indicator for task in item.workflow.tasks] == ["complete", "complete"]


async def test_failure_after_workflow_closed_is_shown() -> None:
    failed = Content.from_function_result("c1", result="", exception="boom")
    first, answer, second = await items(update(CALL), text("Meanwhile."), update(failed))
    assert isinstance(first, WorkflowItem)
    assert isinstance(second, WorkflowItem)
    assert first.workflow.tasks[0].status_indicator == "none"
    assert text_of(answer) == "Meanwhile."
    assert second.workflow.tasks[0].model_dump()["content"] == "Failed"


async def test_gradual_arguments_are_shown_whole() -> None:
    fragments = [
        update(Content.from_function_call("c1", "note", arguments=part))
        for part in ['{"text": "', None, "", *(["word "] * 1_000), '"}']
    ]
    sent = await events(
        *fragments, update(RESULT), converter=AgentResponseConverter(show_tool_details=True)
    )
    (item,) = items_of(sent)
    assert isinstance(item, WorkflowItem)
    assert '"text": "word word' in item.workflow.tasks[0].model_dump()["content"]
    assert len(sent) < 400
