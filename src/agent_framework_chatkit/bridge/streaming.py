"""What an agent streams becomes what a ChatKit thread streams."""

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
from .response_converter import AgentResponseConverter
from .response_writer import ResponseWriter

logger = logging.getLogger(__name__)

_CLOSE_TAKES_ERROR = len(inspect.signature(ResponseStream.close).parameters) > 1
"""Since version 1.23 the framework can be told why a stream ended."""

MAX_WAITING = 64
"""How many events may wait for a slow reader before the run waits too."""


def stream_agent_response(
    response_stream: AsyncIterable[AgentResponseUpdate],
    thread_id: str,
    generate_id: Callable[[str], str] | None = None,
    *,
    context: ThreadContext[Any] | None = None,
    converter: AgentResponseConverter | None = None,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Convert a run of an agent, as it streams, to ChatKit events.

    Whatever the agent sends, each item is added once, or done once without being added; it is
    updated only between the two; and every item that was added is done or removed, even if the
    run fails. The stream that is passed in is closed when the reader goes away.

    Args:
        response_stream: What `agent.run(..., stream=True)` returns.
        thread_id: The thread that the answer belongs to.
        generate_id: Names new items: called with `"msg"` for an assistant message and with a
            ChatKit `StoreItemType` for any other. By default ids of 128 random bits, or those
            of the context's store.
        context: What the run's tools stream to the thread; see `ThreadContext`.
        converter: What each kind of content becomes; an `AgentResponseConverter` as it comes
            by default.

    Returns:
        The events. A stream without updates gives none; one whose updates show nothing gives
        one empty assistant message. Iterating raises whatever the run raises, once what it has
        shown is closed; `ChatKitServer` turns that into an error event.

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
    """Stream a run whose tools stream nothing of their own."""
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
    """Stream a run together with what its tools stream while they run.

    The run has a task of its own, which writes to the queue that the tools write to, so that a
    tool's events need not wait for the agent's next update.
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

    running = asyncio.create_task(run())
    try:
        while (event := await events.get()) is not None:
            yield event
            if events.empty():
                has_room.set()
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        while not events.empty():
            events.get_nowait()


def _is_reader_cancelled() -> bool:
    """Return whether the task that reads is being cancelled, rather than the run itself.

    A reader that is being cancelled must not be handed anything more. Python 3.10 does not
    tell, so there every cancellation counts as the reader's.
    """
    task = asyncio.current_task()
    return task is None or not hasattr(task, "cancelling") or task.cancelling() > 0


async def close_stream(
    response_stream: AsyncIterable[AgentResponseUpdate], error: BaseException | None = None
) -> None:
    """Close the stream, which stops the model where it still answers.

    Args:
        response_stream: The stream.
        error: What has ended it early. The framework would otherwise take it for complete, and
            have an agent's own history keep half a turn.
    """
    if isinstance(response_stream, ResponseStream):
        try:
            await (response_stream.close(error) if _CLOSE_TAKES_ERROR else response_stream.close())
        except Exception:
            logger.warning("The agent's stream could not be closed.", exc_info=True)
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
