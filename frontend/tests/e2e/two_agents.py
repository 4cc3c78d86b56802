"""Two agents, for `af-chatkit serve` to serve as one chat."""

from collections.abc import AsyncIterator
from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, ChatResponseUpdate, Content
from agent_framework import ResponseStream as Stream


class Answer(BaseChatClient[Any]):
    """A model that always says the same."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer

    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        async def updates() -> AsyncIterator[ChatResponseUpdate]:
            contents = [Content.from_text(f"{self.answer} ({len(messages)})")]
            yield ChatResponseUpdate(contents=contents, role="assistant", message_id="m")

        return Stream(updates(), finalizer=lambda updates: ChatResponse.from_updates(updates))


weather = Agent(client=Answer("It rains."), name="Weather", description="Knows the sky.")
trips = Agent(client=Answer("Go by train."), name="Trips", description="Plans journeys.")
