"""The grammar of the stream, and items that an app writes."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import (
    Content,
)
from chatkit.types import (
    CustomSummary,
    CustomTask,
    HiddenContextItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
)

from agent_framework_chatkit import ThreadContext

from ..thread_client import (
    NOW,
    ThreadClient,
    events_of,
    items_of,
    make_context,
    text,
    update,
)
from .shown import CALL, CALLED, RESULT, RETURNED, events, items, message_item


async def test_ids_name_their_item_type() -> None:
    asked: list[str] = []

    def generate_id(kind: str) -> str:
        asked.append(kind)
        return f"{kind}-{len(asked)}"

    await events(update(CALL), update(RESULT), text("Sunny."), generate_id=generate_id)
    assert asked == ["workflow", "msg"]


async def test_repeated_id_is_replaced() -> None:
    sent = await events(
        text("A", message_id="1"), text("B", message_id="2"), generate_id=lambda _: "msg_1"
    )
    assert [item.id for item in items_of(sent)] == ["msg_1", "msg_1_2"]


async def test_default_ids_are_unique() -> None:
    shown = [item for _ in range(3) for item in await items(text("A"))]
    assert len({item.id for item in shown}) == 3


async def test_unfinished_item_is_closed_with_its_content() -> None:
    async def forget(context: ThreadContext[Any]) -> None:
        item = WorkflowItem(
            id="app_1",
            thread_id="thr_1",
            created_at=NOW,
            workflow=Workflow(type="custom", tasks=[], summary=CustomSummary(title="Working")),
        )
        await context.stream(ThreadItemAddedEvent(item=item))
        added = WorkflowTaskAdded(task=CustomTask(title="A"), task_index=0)
        await context.stream(ThreadItemUpdatedEvent(item_id="app_1", update=added))

    (workflow,) = items_of(await events_of(forget))
    assert isinstance(workflow, WorkflowItem)
    assert [task.model_dump()["title"] for task in workflow.workflow.tasks] == ["A"]


async def test_item_is_added_once(caplog: pytest.LogCaptureFixture) -> None:
    async def twice(context: ThreadContext[Any]) -> None:
        await context.stream(ThreadItemAddedEvent(item=message_item()))
        await context.stream(ThreadItemAddedEvent(item=message_item()))
        await context.stream(ThreadItemDoneEvent(item=message_item()))

    assert len(items_of(await events_of(twice))) == 1
    assert "app_1" in caplog.text


async def test_finished_item_is_replaced() -> None:
    async def twice(context: ThreadContext[Any]) -> None:
        await context.stream(ThreadItemDoneEvent(item=message_item()))
        await context.stream(ThreadItemDoneEvent(item=message_item()))

    sent = await events_of(twice)
    assert [type(event) for event in sent] == [ThreadItemDoneEvent, ThreadItemReplacedEvent]


async def test_item_of_earlier_turn_can_be_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task = WorkflowTaskAdded(task=CustomTask(title="A"), task_index=0)
    changes: list[ThreadStreamEvent] = [
        ThreadItemUpdatedEvent(item_id="earlier", update=task),
        ThreadItemReplacedEvent(item=message_item("earlier")),
        ThreadItemRemovedEvent(item_id="earlier"),
    ]

    async def change(context: ThreadContext[Any]) -> None:
        for event in changes:
            await context.stream(event)
        await context.stream(changes[0])

    assert await events_of(change) == changes
    assert "earlier" in caplog.text


async def test_tool_cannot_change_items_of_agent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = make_context()

    async def meddle(context: ThreadContext[Any]) -> None:
        task = WorkflowTaskAdded(task=CustomTask(title="A"), task_index=0)
        await context.stream(ThreadItemUpdatedEvent(item_id="message_1", update=task))

    sent = await events_of(text("Hi"), meddle, text("!"), context=context)
    assert len(sent) == 4
    assert "message_1" in caplog.text


async def test_workflow_finished_by_tool_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    async def finish(context: ThreadContext[Any]) -> None:
        item = context.workflow_item
        assert item is not None
        item.workflow.summary = CustomSummary(title="That was it")
        await context.stream(ThreadItemDoneEvent(item=item))

    async def remove(context: ThreadContext[Any]) -> None:
        await context.stream(ThreadItemRemovedEvent(item_id="message_3"))

    other = update(Content.from_function_call("c2", "get_time", arguments="{}"))
    sent = await events_of(CALLED, RETURNED, finish, other, text("A"), remove, text("B"))
    client = ThreadClient()
    for event in sent:
        client.apply(event)
    client.assert_complete()
    assert [item.type for item in client.items.values()][1:] == ["workflow", "assistant_message"]


async def test_removed_item_stays_removed(caplog: pytest.LogCaptureFixture) -> None:
    async def remove(context: ThreadContext[Any]) -> None:
        await context.stream(ThreadItemRemovedEvent(item_id="message_1"))

    png = Content.from_uri("data:image/png;base64,iVBORw0KGgo=")
    partial = Content.from_uri(png.uri or "", additional_properties={"is_partial_image": True})
    sent = await events_of(
        update(Content.from_image_generation_tool_call(image_id="i")),
        remove,
        update(Content.from_image_generation_tool_result(image_id="i", outputs=partial)),
        update(Content.from_image_generation_tool_result(image_id="i", outputs=png)),
    )
    assert [type(event) for event in sent] == [ThreadItemAddedEvent, ThreadItemRemovedEvent]
    assert "message_1" in caplog.text


async def test_hidden_context_does_not_close_open_items() -> None:
    async def note(context: ThreadContext[Any]) -> None:
        item = HiddenContextItem(id="h", thread_id="thr_1", created_at=NOW, content="x")
        await context.stream(ThreadItemDoneEvent(item=item))

    shown = items_of(await events_of(text("A"), note, text("B")))
    assert [item.type for item in shown] == ["hidden_context_item", "assistant_message"]
