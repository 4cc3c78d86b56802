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


class Answers:
    """What all of them share: a subclass writes the answers."""

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


class FakeModel(Answers, FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """A model within the framework's own loop of tools."""


class FakeModelWithMiddleware(
    Answers, FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], BaseChatClient[Any]
):
    """A model that middleware may stand before, as before those of services."""


def update(content: Content | str, message_id: str | None = None) -> ChatResponseUpdate:
    """Return an update of a model's answer."""
    if isinstance(content, str):
        content = Content.from_text(content)
    return ChatResponseUpdate(contents=[content], role="assistant", message_id=message_id)
