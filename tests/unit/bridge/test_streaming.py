"""The end of a run, and its readers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agent_framework import (
    AgentResponseUpdate,
    Content,
    ResponseStream,
)
from chatkit.types import (
    AssistantMessageItem,
    ErrorEvent,
    GeneratedImageItem,
    ProgressUpdateEvent,
    ThreadItemAddedEvent,
)

from agent_framework_chatkit import ThreadContext, stream_agent_response

from ..thread_client import (
    collect,
    items_of,
    make_context,
    stream_of,
    text,
    update,
)
from .shown import CALL, CALLED, RETURNED, events, items, message_item, text_of


async def test_failed_run_leaves_nothing_open() -> None:
    image = Content.from_image_generation_tool_call(image_id="i")

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield update(image, CALL)
        yield text("Half an ans")
        raise RuntimeError("the model is gone")

    sent: list[Any] = []
    with pytest.raises(RuntimeError, match="the model is gone"):
        async for event in stream_agent_response(run(), "thr_1"):
            sent.append(event)
    workflow, message = items_of(sent)
    assert workflow.type == "workflow"
    assert text_of(message) == "Half an ans"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot tell whose it is")
async def test_cancelled_run_leaves_nothing_open() -> None:
    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield text("Half an ans")
        raise asyncio.CancelledError

    sent: list[Any] = []
    with pytest.raises(asyncio.CancelledError):
        async for event in stream_agent_response(run(), "thr_1"):
            sent.append(event)
    assert [text_of(item) for item in items_of(sent)] == ["Half an ans"]


class Run:
    """A run that never ends by itself, and records whether it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    async def updates(self) -> AsyncIterator[AgentResponseUpdate]:
        try:
            yield text("Half an ans")
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


async def test_reader_that_leaves_closes_run() -> None:
    run = Run()
    events = stream_agent_response(run.updates(), "thr_1")
    await anext(events)
    await events.aclose()
    assert run.is_closed


async def test_cancelled_reader_closes_run() -> None:
    run = Run()
    sent: list[Any] = []

    async def read() -> None:
        async for event in stream_agent_response(run.updates(), "thr_1"):
            sent.append(event)

    reader = asyncio.create_task(read())
    while len(sent) < 2:
        await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert run.is_closed
    assert [event.type for event in sent] == ["thread.item.added", "thread.item.updated"]


async def test_framework_stream_is_closed() -> None:
    run = Run()
    events = stream_agent_response(ResponseStream(run.updates()), "thr_1")
    await anext(events)
    await events.aclose()
    assert run.is_closed


async def test_error_while_closing_stream_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stubborn:
        def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
            return stream_of([text("Hi")]).__aiter__()

        async def close(self) -> None:
            raise RuntimeError("stuck")

    sent = await collect(stream_agent_response(Stubborn(), "thr_1"))
    assert [text_of(item) for item in items_of(sent)] == ["Hi"]
    assert "stuck" in caplog.text


async def test_stream_without_close() -> None:
    class Plain:
        def __aiter__(self) -> AsyncIterator[AgentResponseUpdate]:
            return stream_of([text("Hi")]).__aiter__()

    assert len(await collect(stream_agent_response(Plain(), "thr_1"))) == 3


async def test_error_content_does_not_end_the_stream() -> None:
    sent = await events(text("A"), update(Content.from_error(message="x")), text("B"))
    assert any(isinstance(event, ErrorEvent) for event in sent)
    assert [text_of(item) for item in items_of(sent)] == ["AB"]


async def test_image_follows_the_text_before_it() -> None:
    image = Content.from_uri("https://files.test/a.png", media_type="image/png")
    shown = await items(text("Look:"), update(image), text("Nice?"))
    assert [type(item) for item in shown] == [
        AssistantMessageItem,
        GeneratedImageItem,
        AssistantMessageItem,
    ]


async def test_tool_output_is_sent_while_tool_runs() -> None:
    is_seen = asyncio.Event()

    async def slow(context: ThreadContext[Any]) -> None:
        await context.stream_progress("Looking")
        await is_seen.wait()  # The tool returns only when the reader has its event.

    context = make_context()

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield CALLED
        await slow(context)
        yield RETURNED

    async for event in stream_agent_response(run(), "thr_1", context=context):
        if isinstance(event, ProgressUpdateEvent):
            is_seen.set()
    assert is_seen.is_set()


async def test_run_waits_for_a_slow_reader() -> None:
    sent = 0

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        nonlocal sent
        for _ in range(10_000):
            sent += 1
            yield text("x")

    events = stream_agent_response(run(), "thr_1", context=make_context())
    await anext(events)
    await asyncio.sleep(0.01)
    assert sent < 1_000
    assert len(await collect(events)) == 10_001


async def test_failed_run_keeps_tool_output() -> None:
    context = make_context()

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield text("Half an ans")
        await context.stream(ThreadItemAddedEvent(item=message_item()))
        raise RuntimeError("the model is gone")

    sent: list[Any] = []
    with pytest.raises(RuntimeError, match="the model is gone"):
        async for event in stream_agent_response(run(), "thr_1", context=context):
            sent.append(event)
    assert len(items_of(sent)) == 2


async def test_cancelled_run_with_tools_leaves_nothing_open() -> None:
    async def run() -> AsyncIterator[AgentResponseUpdate]:
        yield text("Half an ans")
        raise asyncio.CancelledError

    sent: list[Any] = []
    with pytest.raises(asyncio.CancelledError):
        async for event in stream_agent_response(run(), "thr_1", context=make_context()):
            sent.append(event)
    assert len(items_of(sent)) == 1


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_reader_that_leaves_stops_run_and_tools(how: str) -> None:
    context = make_context()
    is_stopped = False

    async def run() -> AsyncIterator[AgentResponseUpdate]:
        nonlocal is_stopped
        try:
            yield text("Half an ans")
            await context.stream_progress("Looking")
            await asyncio.Event().wait()
        finally:
            is_stopped = True

    events = stream_agent_response(run(), "thr_1", context=context)
    if how == "close":
        await anext(events)
        await events.aclose()
    else:
        reader = asyncio.create_task(collect(events))
        for _ in range(10):
            await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
    assert is_stopped
    assert context.events.empty()
