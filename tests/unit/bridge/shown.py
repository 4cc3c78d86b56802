"""The visible parts of an agent's output."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agent_framework import AgentResponseUpdate, Content
from chatkit.types import AssistantMessageItem, ErrorEvent, Task, ThreadItem, WorkflowItem

from agent_framework_chatkit import stream_agent_response

from ..thread_client import collect, items_of, stream_of, update

PNG = "data:image/png;base64,iVBORw0KGgo="

CALL = Content.from_function_call("c1", "get_weather", arguments="{}")
RESULT = Content.from_function_result("c1", result="sunny")
CALLED = update(CALL)
RETURNED = update(RESULT, role="tool")


async def events(*sent: Content | AgentResponseUpdate, **options: Any) -> list[Any]:
    updates = [each if isinstance(each, AgentResponseUpdate) else update(each) for each in sent]
    return await collect(stream_agent_response(stream_of(updates), "thr_1", **options))


async def items(*sent: Content | AgentResponseUpdate, **options: Any) -> list[ThreadItem]:
    """Return the items that a store contains after a run with these updates."""
    return items_of(await events(*sent, **options))


async def tasks(*sent: Content, **options: Any) -> list[Task]:
    """Return the tasks of the single workflow that these contents become."""
    (item,) = await items(*sent, **options)
    assert isinstance(item, WorkflowItem)
    return item.workflow.tasks


async def errors(*sent: Content, **options: Any) -> Any:
    return [each for each in await events(*sent, **options) if isinstance(each, ErrorEvent)]


async def texts(*sent: Content | AgentResponseUpdate) -> list[str]:
    return [text_of(item) for item in await items(*sent)]


def message(item: ThreadItem) -> AssistantMessageItem:
    assert isinstance(item, AssistantMessageItem)
    return item


def text_of(item: ThreadItem) -> str:
    return "".join(part.text for part in message(item).content)


def nothing_shown(shown: Sequence[ThreadItem]) -> bool:
    return [message(item).content for item in shown] == [[]]


def call(name: str = "get_weather", call_id: str = "c1", **properties: Any) -> Content:
    arguments = properties.pop("arguments", '{"city": "Paris"}')
    return Content.from_function_call(call_id, name, arguments=arguments, **properties)


def result(value: Any = "sunny", call_id: str = "c1", **properties: Any) -> Content:
    return Content.from_function_result(call_id, result=value, **properties)


def cite(**citation: Any) -> Any:
    return {"type": "citation", **citation}


def message_item(item_id: str = "app_1") -> AssistantMessageItem:
    return AssistantMessageItem(
        id=item_id, thread_id="thr_1", created_at=datetime(2026, 1, 1), content=[]
    )
