"""The memory of an answer is freed when its turn ends, without a garbage collection."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import pytest
from agent_framework import Agent, ChatResponseUpdate, Content, Message
from chatkit.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem

from agent_framework_chatkit import AgentChatKitServer, ThreadContext, stream_agent_response

from ...fakes.models import FakeModel
from ...fakes.scripted_agent import call, look_up, text
from ..live_client import Gate, LiveClient, chat

End: TypeAlias = Callable[[], Awaitable[None]]


class Chunk:
    """A service's part of an answer, which stays in memory as long as its update."""


class ChunkModel(FakeModel):
    """A model whose answer looks something up, then does what the test gives it to do."""

    def __init__(self, end: End) -> None:
        super().__init__()
        self.chunks: weakref.WeakSet[Chunk] = weakref.WeakSet()
        self.count = 0
        self._end = end

    def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        return self._answer(is_first=messages[-1].role == "user")

    async def _answer(self, *, is_first: bool) -> AsyncIterator[ChatResponseUpdate]:
        yield self._update(text("I will "))
        yield self._update(call("look_up", key="x") if is_first else text("see."))
        if not is_first:
            await self._end()

    def _update(self, content: Content) -> ChatResponseUpdate:
        chunk = Chunk()
        self.chunks.add(chunk)
        self.count += 1
        return ChatResponseUpdate(
            contents=[content], role="assistant", message_id="m", raw_representation=chunk
        )


class OwnServer(AgentChatKitServer[Any]):
    """An app that runs its agent itself."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        given = ThreadContext(thread=thread, store=self.store, request_context=context)
        agent: Any = await self.agent_of(thread, context)
        run = agent.run(
            "Hello", stream=True, function_invocation_kwargs=given.function_invocation_kwargs
        )
        async for event in stream_agent_response(run, thread.id, context=given):
            yield event


@pytest.fixture(autouse=True)
def no_collections() -> Iterator[None]:
    # pytest would keep the errors in the log, and with them the memory of the failed turns.
    logging.disable()
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    logging.disable(logging.NOTSET)


async def succeed() -> None:
    pass


async def fail() -> None:
    raise RuntimeError("a secret")


async def ask_and_end(client: LiveClient, *, detached: bool = True) -> None:
    stream = await client.ask("Hello", detached=detached)
    await stream.rest()
    await client.server.settle()


@pytest.mark.parametrize("server_class", [AgentChatKitServer, OwnServer])
@pytest.mark.parametrize("end", [succeed, fail])
@pytest.mark.parametrize("detached", [True, False])
async def test_ended_turn(server_class: type[Any], end: End, detached: bool) -> None:
    model = ChunkModel(end)
    async with chat(Agent(client=model, tools=[look_up]), server_class=server_class) as client:
        for _ in range(2):
            await ask_and_end(client, detached=detached)
        assert model.count == 8
        assert not list(model.chunks)


async def test_stopped_turn() -> None:
    gate = Gate()
    model = ChunkModel(gate)
    async with chat(Agent(client=model, tools=[look_up])) as client:
        stream = await client.ask("Hello")
        await gate.is_reached.wait()
        assert len(model.chunks) == 4
        assert await client.stop() == "stopped"
        await stream.rest()
        await client.server.settle()
        assert not list(model.chunks)


async def test_turn_leaves_few_cycles() -> None:
    model = ChunkModel(succeed)
    async with chat(Agent(client=model, tools=[look_up])) as client:
        await ask_and_end(client)
        gc.collect()
        for _ in range(10):
            await ask_and_end(client)
        # The framework leaves a few, one of which keeps the context of a tool.
        assert gc.collect() < 10 * 70
