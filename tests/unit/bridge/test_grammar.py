"""Property tests: whatever an agent and its tools send, the stream follows its grammar."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from agent_framework import AgentResponseUpdate
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomSummary,
    CustomTask,
    EndOfTurnItem,
    HiddenContextItem,
    ProgressUpdateEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    WidgetItem,
    Workflow,
)
from chatkit.widgets import DynamicWidgetRoot
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_framework_chatkit import (
    AgentResponseConverter,
    ThreadContext,
    stream_agent_response,
)
from agent_framework_chatkit.bridge.item_updates import apply_update
from agent_framework_chatkit.bridge.widget_updates import widget_updates

from ..thread_client import IdStore, ThreadClient, shown
from .strategies import card, converters, endings, runs, updates

THOROUGH = settings(max_examples=200)

NOW = datetime(2026, 1, 1)


@pytest.fixture(autouse=True)
def _quiet_logs() -> Any:
    """Silence the log, which would contain thousands of warnings."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


async def run_of(
    updates: list[AgentResponseUpdate], ending: Exception | None
) -> AsyncIterator[AgentResponseUpdate]:
    for update in updates:
        yield update
    if ending is not None:
        raise ending


async def read(events: AsyncIterator[Any], ending: Exception | None) -> ThreadClient:
    client = ThreadClient()
    try:
        async for event in events:
            client.apply(event)
    except RuntimeError as error:
        assert error is ending  # noqa: PT017 that a run may fail is the point
    client.assert_complete()
    return client


@THOROUGH
@given(runs, converters, endings)
def test_any_run_follows_the_grammar(
    updates: list[AgentResponseUpdate],
    converter: AgentResponseConverter,
    ending: Exception | None,
) -> None:
    events = stream_agent_response(run_of(updates, ending), "thr_1", converter=converter)
    client = asyncio.run(read(events, ending))
    if updates and ending is None:
        assert client.items or client.others or any(update.contents for update in updates)


@THOROUGH
@given(runs, st.integers(0, 20))
def test_reader_can_leave_at_any_point(updates: list[AgentResponseUpdate], after: int) -> None:
    async def leave() -> None:
        is_closed = False

        async def run() -> AsyncIterator[AgentResponseUpdate]:
            nonlocal is_closed
            try:
                for update in updates:
                    yield update
            finally:
                is_closed = True

        events = stream_agent_response(run(), "thr_1")
        client = ThreadClient()
        count = 0
        async for event in events:
            client.apply(event)
            count += 1
            if count > after:
                break
        await events.aclose()
        assert is_closed

    asyncio.run(leave())


# Tools that stream while the agent sends updates

Step = Callable[[ThreadContext[Any]], Any]


def message_item(item_id: str) -> AssistantMessageItem:
    return AssistantMessageItem(
        id=item_id,
        thread_id="thr_1",
        created_at=NOW,
        content=[AssistantMessageContent(text="app")],
    )


def added(item_id: str) -> Step:
    return lambda context: context.stream(ThreadItemAddedEvent(item=message_item(item_id)))


def done(item_id: str) -> Step:
    return lambda context: context.stream(ThreadItemDoneEvent(item=message_item(item_id)))


def delta(item_id: str) -> Step:
    update = AssistantMessageContentPartTextDelta(content_index=0, delta="!")
    return lambda context: context.stream(ThreadItemUpdatedEvent(item_id=item_id, update=update))


async def stream(widgets: Sequence[DynamicWidgetRoot]) -> Any:
    for widget in widgets:
        yield widget


texts = st.builds(
    lambda type, properties: {"type": type, **properties},
    st.sampled_from(["Text", "Markdown"]),
    st.fixed_dictionaries(
        {"value": st.sampled_from(["", "a", "ab", "abc", "b"])},
        optional={
            "id": st.sampled_from(["t", "u"]),
            "key": st.just("k"),
            "streaming": st.booleans(),
            "color": st.sampled_from(["red", "blue"]),
        },
    ),
)
components = st.recursive(
    texts,
    lambda inner: st.one_of(
        st.builds(lambda children: {"type": "Row", "children": children}, st.lists(inner)),
        st.builds(lambda child: {"type": "Transition", "children": child}, inner),
    ),
    max_leaves=4,
)
trees = st.lists(components, max_size=3).map(
    lambda children: DynamicWidgetRoot.model_validate({"type": "Card", "children": children})
)


@THOROUGH
@given(trees, trees)
def test_updates_turn_one_widget_into_another(
    before: DynamicWidgetRoot, after: DynamicWidgetRoot
) -> None:
    held = WidgetItem(id="w", thread_id="thr_1", created_at=NOW, widget=before)
    updates = widget_updates(before, after)
    assert not updates or before != after
    for each in updates:
        apply_update(held, each)
    assert shown(held.widget.model_dump()) == shown(after.model_dump())


def tolerant(step: Step) -> Step:
    """The tool continues after the error that it has no workflow."""

    async def run(context: ThreadContext[Any]) -> None:
        try:
            await step(context)
        except (ValueError, IndexError):
            return

    return run


app_items = st.sampled_from(["app_1", "app_2"])
steps: st.SearchStrategy[Step] = st.one_of(
    app_items.map(added),
    app_items.map(done),
    app_items.map(delta),
    st.lists(trees).map(lambda widgets: lambda context: context.stream_widget(stream(widgets))),
    st.lists(trees).map(lambda widgets: lambda context: context.replace_widget(stream(widgets))),
    st.sampled_from(
        [
            lambda context: context.stream_widget(card("21")),
            lambda context: context.start_workflow(Workflow(type="custom", tasks=[])),
            lambda context: context.start_workflow(Workflow(type="reasoning", tasks=[])),
            lambda context: context.add_workflow_task(
                CustomTask(title="Look", status_indicator="loading")
            ),
            lambda context: context.update_workflow_task(CustomTask(title="Seen"), 0),
            lambda context: context.end_workflow(),
            lambda context: context.end_workflow(CustomSummary(title="Seen"), expanded=True),
            lambda context: context.stream_progress("Looking"),
            lambda context: context.stream_client_effect("confetti"),
            lambda context: context.stream(
                ThreadItemDoneEvent(
                    item=HiddenContextItem(
                        id=context.generate_id("message"),
                        thread_id="thr_1",
                        created_at=NOW,
                        content="x",
                    )
                )
            ),
            lambda context: context.stream(
                ThreadItemDoneEvent(
                    item=EndOfTurnItem(
                        id=context.generate_id("message"), thread_id="thr_1", created_at=NOW
                    )
                )
            ),
        ]
    ),
).map(tolerant)


class TolerantClient(ThreadClient):
    """An app may replace finished items, and update items of earlier turns."""

    def apply(self, event: Any) -> None:
        if isinstance(event, ThreadItemUpdatedEvent) and event.item_id not in self.ids:
            assert event.item_id.startswith("app_")
            return
        super().apply(event)

    @staticmethod
    def compare(held: ThreadItem, done: ThreadItem) -> None:
        # An app may finish an item with any content.
        if not held.id.startswith("app_"):
            ThreadClient.compare(held, done)


@THOROUGH
@given(st.lists(updates | st.lists(steps, min_size=1, max_size=3), max_size=10), endings)
def test_any_run_with_tools_follows_the_grammar(
    script: list[AgentResponseUpdate | list[Step]], ending: Exception | None
) -> None:
    async def check() -> None:
        sender = WidgetItem(id="app_w", thread_id="thr_1", created_at=NOW, widget=card("?"))
        context: ThreadContext[Any] = ThreadContext(
            thread=ThreadMetadata(id="thr_1", created_at=NOW),
            store=IdStore(),
            request_context=None,
            sender=sender,
        )

        async def run() -> AsyncIterator[AgentResponseUpdate]:
            for step in script:
                if isinstance(step, list):
                    # Parallel tool calls run concurrently, each in its own task.
                    await asyncio.gather(*(each(context) for each in step))
                else:
                    yield step
            if ending is not None:
                raise ending

        client = TolerantClient()
        client.items["app_w"] = sender
        try:
            async for event in stream_agent_response(run(), "thr_1", context=context):
                client.apply(event)
        except RuntimeError as error:
            assert error is ending  # noqa: PT017 that a run may fail is the point
        client.assert_complete()

    asyncio.run(check())


def test_progress_is_not_an_item() -> None:
    client = ThreadClient()
    client.apply(ProgressUpdateEvent(text="Looking"))
    client.assert_complete()
    assert client.items == {}
