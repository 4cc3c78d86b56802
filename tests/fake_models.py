"""Language models that do as tests say."""

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
    """A model whose answers a subclass writes, within the framework's own loop of tools."""

    def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterable[ChatResponseUpdate]:
        """Return the updates of the answer to messages."""
        raise NotImplementedError

    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        answering = ResponseStream(
            self.answer(list(messages), dict(options)),
            finalizer=lambda updates: ChatResponse.from_updates(updates),
        )
        return answering if stream else answering.get_final_response()


def update(content: Content | str, message_id: str | None = None) -> ChatResponseUpdate:
    """Return an update of a model's answer."""
    if isinstance(content, str):
        content = Content.from_text(content)
    return ChatResponseUpdate(contents=[content], role="assistant", message_id=message_id)
