"""An agent whose model gives the answers that a test lists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

from agent_framework import (
    Agent,
    ChatResponseUpdate,
    Content,
    Message,
    tool,
)

from .models import FakeModel, update

Step = Content | Exception | Callable[[], Awaitable[None]]
"""A step of an answer: content to send, an error to raise or a function to call."""


class ScriptedClient(FakeModel):
    """A model that answers each request with the next of its messages."""

    def __init__(self, *messages: list[Step]) -> None:
        super().__init__()
        self.messages = list(messages)
        self.asked: list[list[Message]] = []
        """The messages of each request."""
        self.options: list[Any] = []
        """The options of each request."""

    def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterable[ChatResponseUpdate]:
        self.asked.append(messages)
        self.options.append(options)
        return self._say(self.messages.pop(0), f"m{len(self.asked)}")

    async def _say(self, steps: list[Step], message_id: str) -> AsyncIterator[ChatResponseUpdate]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Content):
                yield update(step, message_id)
            else:
                await step()


def agent(*messages: list[Any], tools: Any = (), **properties: Any) -> Agent[Any]:
    return Agent(client=ScriptedClient(*messages), tools=list(tools), **properties)


def said(agent: Agent[Any], call: int = -1) -> list[tuple[str, str]]:
    """Return the roles and texts of the messages in a request to an agent's model."""
    client = agent.client
    assert isinstance(client, ScriptedClient)
    return [(message.role, message.text) for message in client.asked[call]]


def call(name: str, call_id: str = "c1", **arguments: Any) -> Content:
    return Content.from_function_call(call_id, name, arguments=json.dumps(arguments))


def text(value: str) -> Content:
    return Content.from_text(value)


@tool(approval_mode="never_require")
def look_up(key: str) -> str:
    """Look something up."""
    return f"secret {key}"


async def forever() -> None:
    await asyncio.Event().wait()


def check_calls(messages: list[Message]) -> None:
    """Check, as services do, that exactly one result follows each call, and no other result."""
    waiting: set[str | None] = set()
    for message in messages:
        for content in message.contents:
            assert content.type in ("text", "function_call", "function_result"), content.type
            if content.type == "function_call":
                waiting.add(content.call_id)
            elif content.type == "function_result":
                assert content.call_id in waiting, f"{content.call_id} was not called"
                waiting.remove(content.call_id)
            else:
                assert message.role == "assistant" or not waiting, f"{waiting} have no results"
    assert not waiting, f"{waiting} have no results"
