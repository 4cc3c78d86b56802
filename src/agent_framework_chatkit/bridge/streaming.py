"""Converts an agent's stream to a ChatKit thread's stream."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from typing import Any

from agent_framework import AgentResponseUpdate, ResponseStream
from chatkit.types import ThreadStreamEvent

from .context import ThreadContext
from .item_stream import ItemStream
from .item_writer import default_generate_id
from .overrides import contained
from .response_converter import AgentResponseConverter
from .response_writer import ResponseWriter

logger = logging.getLogger(__name__)

_CLOSE_TAKES_ERROR = len(inspect.signature(ResponseStream.close).parameters) > 1
"""Since version 1.23, the framework accepts the error that ended a stream."""

MAX_WAITING = 64
"""The number of events that may wait for a slow reader before the run waits too."""


def stream_agent_response(
    response_stream: AsyncIterable[AgentResponseUpdate],
    thread_id: str,
    generate_id: Callable[[str], str] | None = None,
    *,
    context: ThreadContext[Any] | None = None,
    converter: AgentResponseConverter | None = None,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Convert a streaming run of an agent to ChatKit events.

    Whatever the agent sends, each item is added once and then done once, or it is done at once;
    it is updated only in between; and every added item is done or removed, even if the run fails.
    The response stream is closed when the reader leaves.

    Args:
        response_stream: The result of `agent.run(..., stream=True)`.
        thread_id: The ID of the thread.
        generate_id: Returns the ID of a new item, given `"msg"` for an assistant message and a
            ChatKit `StoreItemType` for any other item. By default, the context's store generates
            the IDs; without a context, they are 128 random bits.
        context: The context that the run's tools use to stream to the thread.
        converter: Converts each kind of content; by default, an `AgentResponseConverter`.

    Returns:
        The events. A stream without updates has none; one whose updates show nothing has one
        empty assistant message. If the run raises, iterating closes the open items and then
        raises the same exception, which `ChatKitServer` turns into an error event.

    Raises:
        ValueError: If the context belongs to another thread.
    """
    converter = converter or AgentResponseConverter()
    if context is None:
        generate_id = generate_id or default_generate_id
        return _stream_alone(response_stream, thread_id, generate_id, converter)
    if context.thread.id != thread_id:
        raise ValueError(
            f"The context belongs to thread {context.thread.id!r}, not to {thread_id!r}."
        )
    if generate_id is not None:
        context.items.generate_id = generate_id
    return _stream_with_tools(response_stream, context, converter)


async def _stream_alone(
    response_stream: AsyncIterable[AgentResponseUpdate],
    thread_id: str,
    generate_id: Callable[[str], str],
    converter: AgentResponseConverter,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Stream a run without a context, whose tools cannot stream."""
    events: list[ThreadStreamEvent] = []
    response = ResponseWriter(ItemStream(thread_id, generate_id, events.append), converter)
    try:
        async for update in response_stream:
            if (rest := response.write(update)) is not None:
                await rest
            for event in events:
                yield event
            events.clear()
        await response.finish()
        for event in events:
            yield event
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and _is_reader_cancelled():
            raise
        response.abort()
        for event in events:
            yield event
        raise
    finally:
        await close_stream(response_stream)


async def _stream_with_tools(
    response_stream: AsyncIterable[AgentResponseUpdate],
    context: ThreadContext[Any],
    converter: AgentResponseConverter,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Stream a run together with the events that its tools stream while they run.

    The run is a separate task that writes to the same queue as the tools, so that a tool's events
    need not wait for the agent's next update.
    """
    events = context.events
    has_room = asyncio.Event()

    async def run() -> None:
        response = ResponseWriter(
            context.items, converter, context.pause, client_tools=context.client_tools
        )
        try:
            if context.resumed is not None:
                await response.resume(context.resumed)
            async for update in response_stream:
                if (rest := response.write(update)) is not None:
                    await rest
                if events.qsize() >= MAX_WAITING:
                    has_room.clear()
                    await has_room.wait()
            await response.finish()
            context.call_client_tool()
        except BaseException:
            response.abort()
            raise
        finally:
            try:
                await close_stream(response_stream)
            finally:
                events.put_nowait(None)

    running = asyncio.create_task(contained(run()))
    try:
        while (event := await events.get()) is not None:
            yield event
            if events.empty():
                has_room.set()
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        # The traceback of its error refers to this frame.
        del running
        while not events.empty():
            events.get_nowait()


def _is_reader_cancelled() -> bool:
    """Return whether the reading task is being cancelled, rather than the run.

    A reader that is being cancelled must not receive anything more. Python 3.10 cannot tell the
    difference, so every cancellation counts as the reader's there.
    """
    task = asyncio.current_task()
    return task is None or not hasattr(task, "cancelling") or task.cancelling() > 0


async def close_stream(
    response_stream: AsyncIterable[AgentResponseUpdate], error: BaseException | None = None
) -> None:
    """Close the stream, which stops a model that is still answering.

    Args:
        response_stream: The stream.
        error: The error that ended it early, if any. Without it, the framework treats the stream
            as complete, and an agent's own history stores half a turn.
    """
    if isinstance(response_stream, ResponseStream):
        try:
            await (response_stream.close(error) if _CLOSE_TAKES_ERROR else response_stream.close())
        except Exception:
            logger.warning("The agent's stream could not be closed.", exc_info=True)
        _free(response_stream)
        return
    close = getattr(response_stream, "aclose", None) or getattr(response_stream, "close", None)
    if close is None:
        return
    try:
        closing = close()
        if inspect.isawaitable(closing):
            await closing
    except Exception:
        logger.warning("The agent's stream could not be closed.", exc_info=True)


def _free(response_stream: ResponseStream[Any, Any]) -> None:
    """Let the memory of a closed stream be freed before the next garbage collection.

    The framework's hook for telemetry, which has run, and the stream refer to each other, so that
    all updates would stay in memory until then.
    """
    hooks = getattr(response_stream, "_cleanup_hooks", None)
    if isinstance(hooks, list):
        hooks.clear()
