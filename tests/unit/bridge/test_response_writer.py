"""Concurrent output is shown one item after another."""

from __future__ import annotations

from typing import Any, Literal

from agent_framework import AgentResponseUpdate, WorkflowEvent
from chatkit.types import AssistantMessageItem

from agent_framework_chatkit import stream_agent_response

from ..thread_client import collect, items_of, stream_of, text


def step(kind: Literal["invoked", "completed"], name: str) -> AgentResponseUpdate:
    event: WorkflowEvent[Any] = WorkflowEvent(
        "executor_invoked" if kind == "invoked" else "executor_completed", executor_id=name
    )
    return AgentResponseUpdate(contents=[], raw_representation=event)


async def spoken(*updates: AgentResponseUpdate) -> list[str]:
    """Return the texts of the messages that these updates become."""
    events = await collect(stream_agent_response(stream_of(updates), "thr_1"))
    return [
        item.content[0].text for item in items_of(events) if isinstance(item, AssistantMessageItem)
    ]


ALL_SPEAK = [
    *(step("invoked", name) for name in ("Ann", "Bob", "Cid")),
    text("Ann ", author_name="Ann"),
    text("Bob ", author_name="Bob"),
    text("Cid ", author_name="Cid"),
    text("speaks.", author_name="Ann"),
    text("too.", author_name="Cid"),
    text("too.", author_name="Bob"),
]
EACH_IN_TURN = ["Ann speaks.", "Bob too.", "Cid too."]


async def test_concurrent_steps_have_separate_messages() -> None:
    ends = [step("completed", name) for name in ("Ann", "Bob", "Cid")]

    assert await spoken(*ALL_SPEAK, *ends) == EACH_IN_TURN


async def test_steps_without_end_lose_nothing() -> None:
    assert await spoken(*ALL_SPEAK) == EACH_IN_TURN
