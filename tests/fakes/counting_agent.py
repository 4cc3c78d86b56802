"""An agent that says how many messages it received, or talks until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from agent_framework import Agent, ChatResponseUpdate, Message

from .models import FakeModel, update


class CountingModel(FakeModel):
    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        yield update(f"I know {len(messages)} messages. ")
        for _ in range(20 if messages[-1].text == "Slowly" else 0):
            yield update("Slowly. ")
            await asyncio.sleep(0.05)
        while messages[-1].text == "Talk":
            yield update("And so on. ")
            await asyncio.sleep(0.01)


helper = Agent(client=CountingModel())
