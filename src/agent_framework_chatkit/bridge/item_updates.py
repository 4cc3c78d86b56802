"""Applies updates to items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    GeneratedImageItem,
    GeneratedImageUpdated,
    ThreadItem,
    ThreadItemUpdate,
    WidgetComponentUpdated,
    WidgetItem,
    WidgetRootUpdated,
    WidgetStreamingTextValueDelta,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)


def apply_update(item: ThreadItem, update: ThreadItemUpdate) -> None:
    """Apply an update to an item in place, as a client does.

    An update changes nothing if it does not fit the item, or if its task or component is missing.
    """
    if isinstance(item, AssistantMessageItem):
        _update_message(item, update)
    elif isinstance(item, WorkflowItem):
        tasks = item.workflow.tasks
        if isinstance(update, WorkflowTaskAdded):
            tasks.insert(update.task_index, update.task.model_copy())
        elif isinstance(update, WorkflowTaskUpdated) and 0 <= update.task_index < len(tasks):
            tasks[update.task_index] = update.task.model_copy()
    elif isinstance(item, GeneratedImageItem):
        if isinstance(update, GeneratedImageUpdated):
            item.image = update.image.model_copy()
    elif isinstance(item, WidgetItem):
        _update_widget(item, update)


def _update_message(item: AssistantMessageItem, update: ThreadItemUpdate) -> None:
    if not isinstance(
        update,
        (
            AssistantMessageContentPartAdded,
            AssistantMessageContentPartTextDelta,
            AssistantMessageContentPartAnnotationAdded,
            AssistantMessageContentPartDone,
        ),
    ):
        return
    # The part may be new.
    while len(item.content) <= update.content_index:
        item.content.append(AssistantMessageContent(text="", annotations=[]))
    part = item.content[update.content_index]
    if isinstance(update, AssistantMessageContentPartTextDelta):
        part.text += update.delta
    elif isinstance(update, AssistantMessageContentPartAnnotationAdded):
        part.annotations.insert(update.annotation_index, update.annotation.model_copy())
    else:
        item.content[update.content_index] = update.content.model_copy(deep=True)


def _update_widget(item: WidgetItem, update: ThreadItemUpdate) -> None:
    if isinstance(update, WidgetRootUpdated):
        item.widget = update.widget.model_copy(deep=True)
    elif isinstance(update, WidgetStreamingTextValueDelta):
        for component in _components(item.widget):
            if component.id == update.component_id:
                component.value = (component.value or "") + update.delta
                component.streaming = not update.done
    elif isinstance(update, WidgetComponentUpdated):
        # Collected first, because a new component may contain another one with the same ID.
        for parent in list(_components(item.widget)):
            children = getattr(parent, "children", None)
            if isinstance(children, list):
                for index, child in enumerate(children):
                    if child.id == update.component_id:
                        children[index] = update.component.model_copy(deep=True)
            elif children is not None and children.id == update.component_id:
                parent.children = update.component.model_copy(deep=True)


def _components(root: Any) -> Iterator[Any]:
    """Yield a widget and all components within it."""
    yield root
    children = getattr(root, "children", None) or []
    for child in children if isinstance(children, list) else [children]:
        yield from _components(child)
