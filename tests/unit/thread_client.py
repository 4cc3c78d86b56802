"""A client that applies events, and fails at the first one that breaks the grammar."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from agent_framework import (
    AgentResponseUpdate,
    Content,
)
from chatkit.store import Store, StoreItemType
from chatkit.types import (
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    GeneratedImageItem,
    GeneratedImageUpdated,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from pydantic import TypeAdapter

from agent_framework_chatkit import ThreadContext, stream_agent_response
from agent_framework_chatkit.bridge.item_updates import apply_update

EVENT: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)


class ThreadClient:
    """Holds the visible items, and checks each event against the previous ones."""

    def __init__(self) -> None:
        self.open: dict[str, ThreadItem] = {}
        self.items: dict[str, ThreadItem] = {}
        """The finished items, as a store contains them, in the order of finishing."""
        self.ids: set[str] = set()
        self.others: list[ThreadStreamEvent] = []

    def apply(self, event: ThreadStreamEvent) -> None:
        # Serialize and parse it, as the transfer does.
        event = EVENT.validate_json(EVENT.dump_json(event, exclude_none=True, by_alias=True))
        if isinstance(event, ThreadItemAddedEvent):
            assert event.item.id not in self.ids, "an id is never reused"
            self.ids.add(event.item.id)
            self.open[event.item.id] = event.item
        elif isinstance(event, ThreadItemUpdatedEvent):
            assert event.item_id in self.open, "an item is updated between added and done"
            self.update(self.open[event.item_id], event)
        elif isinstance(event, ThreadItemDoneEvent):
            item = event.item
            held = self.open.pop(item.id, None)
            if held is None:
                assert item.id not in self.ids, "an item is done once"
                self.ids.add(item.id)
            else:
                self.compare(held, item)
            self.items[item.id] = item
        elif isinstance(event, ThreadItemRemovedEvent):
            assert event.item_id in self.open, "only what was added is removed"
            del self.open[event.item_id]
        elif isinstance(event, ThreadItemReplacedEvent):
            assert event.item.id in self.items
            self.items[event.item.id] = event.item
        else:
            self.others.append(event)

    def update(self, item: ThreadItem, event: ThreadItemUpdatedEvent) -> None:
        update = event.update
        if isinstance(item, AssistantMessageItem):
            if isinstance(update, AssistantMessageContentPartTextDelta):
                assert update.delta, "a delta says something"
                self.part(item, update.content_index).text += update.delta
            elif isinstance(update, AssistantMessageContentPartAnnotationAdded):
                part = self.part(item, update.content_index)
                assert update.annotation_index == len(part.annotations)
                assert update.annotation.index is not None
                assert 0 <= update.annotation.index <= len(part.text)
                part.annotations.append(update.annotation)
            else:
                assert isinstance(update, AssistantMessageContentPartDone)
                self.part(item, update.content_index)
                item.content[update.content_index] = update.content
        elif isinstance(item, WorkflowItem):
            tasks = item.workflow.tasks
            if isinstance(update, WorkflowTaskAdded):
                assert update.task_index == len(tasks), "tasks are added at the end"
                tasks.append(update.task)
            else:
                assert isinstance(update, WorkflowTaskUpdated)
                assert tasks[update.task_index] != update.task, "an update changes something"
                tasks[update.task_index] = update.task
        elif isinstance(item, GeneratedImageItem):
            assert isinstance(update, GeneratedImageUpdated)
            assert update.progress is None or 0 <= update.progress <= 1
            item.image = update.image
        elif isinstance(item, WidgetItem):
            apply_update(item, update)

    @staticmethod
    def part(item: AssistantMessageItem, index: int):  # type: ignore[no-untyped-def]
        from chatkit.types import AssistantMessageContent

        assert 0 <= index <= len(item.content), "parts follow one another"
        if index == len(item.content):
            item.content.append(AssistantMessageContent(text="", annotations=[]))
        return item.content[index]

    @staticmethod
    def compare(held: ThreadItem, done: ThreadItem) -> None:
        """Check that the updates add up to the final item."""
        assert (held.type, held.id, held.thread_id) == (done.type, done.id, done.thread_id)
        if isinstance(held, AssistantMessageItem):
            assert isinstance(done, AssistantMessageItem)
            # A message that was cleared may have fewer parts than were shown.
            assert [part for part in held.content if part.text or part.annotations] == [
                part for part in done.content if part.text or part.annotations
            ]
        elif isinstance(held, WorkflowItem):
            assert isinstance(done, WorkflowItem)
            assert done.workflow.tasks
            assert done.workflow.summary is not None
            for before, after in zip(held.workflow.tasks, done.workflow.tasks, strict=True):
                if before.status_indicator == "loading":
                    before.status_indicator = "none"
                assert before == after
        elif isinstance(held, GeneratedImageItem):
            assert isinstance(done, GeneratedImageItem)
            assert done.image is not None
        elif isinstance(held, WidgetItem):
            assert isinstance(done, WidgetItem)
            assert shown(held.widget.model_dump()) == shown(done.widget.model_dump())

    def assert_complete(self) -> None:
        assert not self.open, "every added item is done or removed"


def shown(widget: Any) -> Any:
    """Return the visible properties of a widget's component, without `streaming`."""
    if isinstance(widget, list):
        return [shown(each) for each in widget]
    if isinstance(widget, dict):
        return {name: shown(each) for name, each in widget.items() if name != "streaming"}
    return widget


def update(*contents: Content, **properties: object) -> AgentResponseUpdate:
    return AgentResponseUpdate(contents=list(contents), **properties)  # type: ignore[arg-type]


def text(value: str, **properties: object) -> AgentResponseUpdate:
    return update(Content.from_text(value), **properties)


async def stream_of(updates: Iterable[AgentResponseUpdate]) -> AsyncIterable[AgentResponseUpdate]:
    for each in updates:
        yield each


async def collect(events: AsyncIterable[ThreadStreamEvent]) -> list[ThreadStreamEvent]:
    return [event async for event in events]


def items_of(events: Sequence[ThreadStreamEvent]) -> list[ThreadItem]:
    """Apply events as a client does, and return the items that a store would contain."""
    client = ThreadClient()
    for event in events:
        client.apply(event)
    client.assert_complete()
    return list(client.items.values())


NOW = datetime(2026, 1, 1)


class IdStore(Store[Any]):
    """A store that only generates IDs, which are numbered."""

    def __init__(self) -> None:
        self.count = 0

    def generate_item_id(self, item_type: StoreItemType, thread: Any, context: Any) -> str:
        self.count += 1
        return f"{item_type}_{self.count}"

    async def never(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the bridge reads and writes nothing")

    load_thread = save_thread = load_thread_items = delete_thread = delete_thread_item = never
    save_attachment = load_attachment = delete_attachment = load_threads = never
    add_thread_item = save_item = load_item = never


def make_context() -> ThreadContext[Any]:
    return ThreadContext(
        thread=ThreadMetadata(id="thr_1", created_at=NOW), store=IdStore(), request_context="me"
    )


async def events_of(
    *steps: AgentResponseUpdate | Callable[[ThreadContext[Any]], Awaitable[Any]],
    context: ThreadContext[Any] | None = None,
) -> list[Any]:
    """Return the events of a run that sends updates and calls functions in between, as tools do."""
    context = context or make_context()

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        for step in steps:
            if isinstance(step, AgentResponseUpdate):
                yield step
            else:
                await step(context)

    return await collect(stream_agent_response(run(), "thr_1", context=context))
