"""A scripted model: rules instead of a language model, for samples that need no API key."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import uuid4

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)

CONTENT = {"text", "data", "uri"}


def has_content(message: Message) -> bool:
    """Return whether a message contains what the user wrote or attached, not only an approval."""
    return message.role == "user" and any(each.type in CONTENT for each in message.contents)


class Turn:
    """The user's last message, and the tool results since then."""

    def __init__(self, messages: Sequence[Message]) -> None:
        last = max((i for i, each in enumerate(messages) if has_content(each)), default=0)
        names = {
            content.call_id: content.name
            for message in messages
            for content in message.contents
            if content.type == "function_call"
        }
        contents = messages[last].contents if messages else []
        text = " ".join(each.text or "" for each in contents if each.type == "text")
        # Hidden context, about an interrupted answer, precedes the user's text.
        self.text = text.rpartition("</HIDDEN_CONTEXT>")[2].strip()
        self.earlier = "\n".join(message.text for message in messages[:last])
        """The earlier messages of the user and the agent."""
        self.images = [
            each.uri or ""
            for each in contents
            if each.type == "data" and (each.media_type or "").startswith("image/")
        ]
        self.results = [
            (names.get(content.call_id) or "", str(content.result))
            for message in messages[last + 1 :]
            for content in message.contents
            if content.type == "function_result"
        ]
        """The names and results of the tools called for this message, in order."""

    def says(self, *words: str) -> bool:
        """Return whether the user said any of these words."""
        return any(re.search(rf"\b{word}\b", self.text, re.IGNORECASE) for word in words)

    def result(self, tool: str) -> str | None:
        """Return a tool's last result, or `None` if it was not called."""
        return next((result for name, result in reversed(self.results) if name == tool), None)


Answer: TypeAlias = Callable[[Turn], Iterator[Content]]
"""Yields the texts and calls that the script produces next."""


class ScriptedClient(FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], BaseChatClient[Any]):
    """A chat client like any other: it streams, and calls tools through the framework's own loop.

    Args:
        answer: The script.
        pace: Seconds between words.
    """

    def __init__(self, answer: Answer, *, pace: float = 0.02) -> None:
        super().__init__()
        self._answer = answer
        self._pace = pace

    def _inner_get_response(
        self,
        *,
        messages: Sequence[Message],
        stream: bool,
        options: Mapping[str, Any],
        **kwargs: Any,
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        updates = self._updates(Turn(messages), f"script-{len(messages)}")
        if stream:
            return ResponseStream(updates, finalizer=ChatResponse.from_updates)
        return self._whole(updates)

    async def _whole(self, updates: AsyncIterator[ChatResponseUpdate]) -> ChatResponse[Any]:
        return ChatResponse.from_updates([update async for update in updates])

    async def _updates(self, turn: Turn, message_id: str) -> AsyncIterator[ChatResponseUpdate]:
        for content in self._answer(turn):
            for piece in in_words(content):
                yield ChatResponseUpdate(contents=[piece], role="assistant", message_id=message_id)
                await asyncio.sleep(self._pace)


def call(tool: str, **arguments: Any) -> Content:
    """Return a tool call."""
    return Content.from_function_call(uuid4().hex, tool, arguments=json.dumps(arguments))


def in_words(content: Content) -> Iterator[Content]:
    """Yield a content, split into words if it is text."""
    if content.type == "text" and content.text:
        yield from (Content.from_text(word) for word in re.findall(r"\s*\S+\s*", content.text))
    elif content.type == "text_reasoning" and content.text:
        words = re.findall(r"\s*\S+\s*", content.text)
        yield from (Content.from_text_reasoning(text=word) for word in words)
    else:
        yield content
