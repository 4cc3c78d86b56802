from __future__ import annotations

from typing import Any

from agent_framework import AgentResponseUpdate, Content
from chatkit.types import (
    WorkflowItem,
)

from ..thread_client import items_of, text, update
from .shown import CALL, RESULT, events, items, text_of


async def test_reasoning_and_tools_share_a_workflow() -> None:
    sent = await events(
        update(Content.from_text_reasoning(id="r1", text="I need ")),
        update(Content.from_text_reasoning(id="r1", text="the weather.")),
        update(CALL),
        update(RESULT),
        update(Content.from_text_reasoning(id="r2", text="Sunny, then.")),
        text("It is sunny."),
    )
    workflow, message = items_of(sent)
    assert isinstance(workflow, WorkflowItem)
    assert workflow.workflow.type == "reasoning"
    assert [(task.type, task.status_indicator) for task in workflow.workflow.tasks] == [
        ("thought", "none"),
        ("custom", "complete"),
        ("thought", "none"),
    ]
    summary: Any = workflow.workflow.summary
    assert summary.duration >= 1
    assert text_of(message) == "It is sunny."


async def test_cost_of_long_thought_grows_linearly() -> None:
    fragments = [update(Content.from_text_reasoning(text="word ")) for _ in range(5_000)]
    sent = await events(*fragments)
    (item,) = items_of(sent)
    assert isinstance(item, WorkflowItem)
    assert item.workflow.tasks[0].model_dump()["content"] == "word " * 5_000
    bytes_sent = sum(len(event.model_dump_json()) for event in sent)
    assert len(sent) > 100
    assert bytes_sent < 50 * 5 * 5_000


async def test_thought_can_be_replaced() -> None:
    (item,) = await items(
        update(Content.from_text_reasoning(id="r", text="Hm")),
        update(Content.from_text_reasoning(id="r", text="Aha", merge_mode="replace")),
    )
    assert isinstance(item, WorkflowItem)
    assert [task.model_dump()["content"] for task in item.workflow.tasks] == ["Aha"]


async def test_separate_thoughts_are_separate_tasks() -> None:
    def summary(value: str, index: int) -> AgentResponseUpdate:
        raw = type("Event", (), {"item_id": "r", "summary_index": index})()
        return update(Content.from_text_reasoning(id="r", text=value, raw_representation=raw))

    (item,) = await items(summary("A", 0), summary("B", 1))
    assert isinstance(item, WorkflowItem)
    assert len(item.workflow.tasks) == 2
