"""Two agents for `af-chatkit serve` to serve as one chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agent_framework import Agent, ChatResponseUpdate, Message

from .models import FakeModel, update


class FixedModel(FakeModel):
    """A model that always gives the same answer, with the number of messages it received."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        yield update(f"{self.text} ({len(messages)})", "m")


weather = Agent(client=FixedModel("It rains."), name="Weather", description="Knows the sky.")
trips = Agent(client=FixedModel("Go by train."), name="Trips", description="Plans journeys.")
