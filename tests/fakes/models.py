"""The base of all fake language models."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

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


class FakeModel(FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], BaseChatClient[Any]):
    """A chat client whose subclass writes the answers. The framework calls its tools."""

    def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterable[ChatResponseUpdate]:
        """Return the updates of the answer to messages."""
        raise NotImplementedError

    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        updates = ResponseStream(
            self.answer(list(messages), dict(options)),
            finalizer=lambda updates: ChatResponse.from_updates(updates),
        )
        return updates if stream else updates.get_final_response()


def update(content: Content | str, message_id: str | None = None) -> ChatResponseUpdate:
    """Return an update of a model's answer."""
    if isinstance(content, str):
        content = Content.from_text(content)
    return ChatResponseUpdate(contents=[content], role="assistant", message_id=message_id)


def user_text(message: Message) -> str:
    """Return what the user wrote, without the hidden context before it and the files after it."""
    written = message.text.rpartition("</HIDDEN_CONTEXT>")[2].partition("\n\n<ATTACHMENT ")[0]
    return written.strip()


def results_of(messages: list[Message]) -> list[str]:
    """Return the results of the tool calls in messages."""
    return [
        str(content.result)
        for message in messages
        for content in message.contents
        if content.type == "function_result"
    ]
