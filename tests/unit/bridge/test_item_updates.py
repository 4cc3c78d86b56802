"""Every type of update, applied to an unfinished item of an app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomTask,
    FileSource,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    TaskItem,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdate,
    ThreadItemUpdatedEvent,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from chatkit.widgets import DynamicWidgetComponent, DynamicWidgetRoot

from agent_framework_chatkit import ThreadContext

from ..thread_client import events_of

BASE: dict[str, Any] = {"id": "app_1", "thread_id": "thr_1", "created_at": datetime(2026, 1, 1)}
NOTE = Annotation(source=FileSource(filename="a", title="a"), index=0)


def message(*parts: AssistantMessageContent) -> AssistantMessageItem:
    return AssistantMessageItem(content=list(parts), **BASE)


def part(text: str, *annotations: Annotation) -> AssistantMessageContent:
    return AssistantMessageContent(text=text, annotations=list(annotations))


def widget(*children: dict[str, Any]) -> WidgetItem:
    root = {"type": "Card", "children": list(children)}
    return WidgetItem(widget=DynamicWidgetRoot.model_validate(root), **BASE)


def workflow(*titles: str) -> WorkflowItem:
    tasks: list[Any] = [CustomTask(title=title) for title in titles]
    return WorkflowItem(workflow=Workflow(type="custom", tasks=tasks), **BASE)


def image(url: str | None) -> GeneratedImageItem:
    return GeneratedImageItem(image=GeneratedImage(id="i", url=url) if url else None, **BASE)


def box(**child: Any) -> dict[str, Any]:
    """A component with a single child that is not in a list."""
    return {"type": "Box", "children": child}


TEXT = {"type": "Text", "id": "t"}
NEW = DynamicWidgetComponent.model_validate({"type": "Badge", "id": "t", "label": "new"})
BADGE = {"type": "Badge", "id": "t", "label": "new"}
# The replacement of a component may contain a component with the same ID.
NESTED = {"type": "Box", "id": "t", "children": [TEXT]}


@pytest.mark.parametrize(
    ("before", "update", "after"),
    [
        (
            message(),
            AssistantMessageContentPartTextDelta(content_index=1, delta="Hi"),
            message(part(""), part("Hi")),
        ),
        (
            message(part("A")),
            AssistantMessageContentPartTextDelta(content_index=0, delta="B"),
            message(part("AB")),
        ),
        (
            message(),
            AssistantMessageContentPartAdded(content_index=0, content=part("A")),
            message(part("A")),
        ),
        (
            message(part("A")),
            AssistantMessageContentPartDone(content_index=0, content=part("B")),
            message(part("B")),
        ),
        (
            message(part("A")),
            AssistantMessageContentPartAnnotationAdded(
                content_index=0, annotation_index=0, annotation=NOTE
            ),
            message(part("A", NOTE)),
        ),
        (
            workflow("A"),
            WorkflowTaskAdded(task=CustomTask(title="B"), task_index=1),
            workflow("A", "B"),
        ),
        (
            workflow("A"),
            WorkflowTaskUpdated(task=CustomTask(title="B"), task_index=0),
            workflow("B"),
        ),
        (
            workflow("A"),
            WorkflowTaskUpdated(task=CustomTask(title="B"), task_index=7),
            workflow("A"),
        ),
        (
            image(None),
            GeneratedImageUpdated(image=GeneratedImage(id="i", url="https://a.test")),
            image("https://a.test"),
        ),
        (
            widget(TEXT),
            WidgetRootUpdated(widget=widget(BADGE).widget),
            widget(BADGE),
        ),
        (
            widget(box(**TEXT, value="2")),
            WidgetStreamingTextValueDelta(component_id="t", delta="1", done=False),
            widget(box(**TEXT, value="21", streaming=True)),
        ),
        (
            widget({**TEXT, "value": "2"}),
            WidgetComponentUpdated(component_id="t", component=NEW),
            widget(BADGE),
        ),
        (
            widget(box(**TEXT)),
            WidgetComponentUpdated(component_id="t", component=NEW),
            widget(box(**BADGE)),
        ),
        (
            widget(TEXT),
            WidgetComponentUpdated(
                component_id="t", component=DynamicWidgetComponent.model_validate(NESTED)
            ),
            widget(NESTED),
        ),
        (
            widget(TEXT),
            WidgetComponentUpdated(component_id="other", component=NEW),
            widget(TEXT),
        ),
        # Updates that do not fit change nothing.
        (message(part("A")), WidgetRootUpdated(widget=widget().widget), message(part("A"))),
        (workflow("A"), WidgetRootUpdated(widget=widget().widget), workflow("A")),
        (
            image("https://a.test"),
            WidgetRootUpdated(widget=widget().widget),
            image("https://a.test"),
        ),
        (
            TaskItem(task=CustomTask(title="A"), **BASE),
            WidgetRootUpdated(widget=widget().widget),
            TaskItem(task=CustomTask(title="A"), **BASE),
        ),
    ],
)
async def test_update_is_kept_when_turn_closes_item(
    before: ThreadItem, update: ThreadItemUpdate, after: ThreadItem
) -> None:
    async def add_and_forget(context: ThreadContext[Any]) -> None:
        await context.stream(ThreadItemAddedEvent(item=before))
        await context.stream(ThreadItemUpdatedEvent(item_id="app_1", update=update))

    sent = await events_of(add_and_forget)
    done = sent[-1]
    assert isinstance(done, ThreadItemDoneEvent)
    assert done.item.model_dump(mode="json") == after.model_dump(mode="json")
