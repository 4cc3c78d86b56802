"""An agent for the server to serve: it counts what it was told, or talks until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    ResponseStream,
)


class CountingClient(BaseChatClient[Any]):
    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        async def updates() -> AsyncIterator[ChatResponseUpdate]:
            yield say(f"I know {len(messages)} messages. ")
            for _ in range(20 if messages[-1].text == "Slowly" else 0):
                yield say("Slowly. ")
                await asyncio.sleep(0.05)
            while messages[-1].text == "Talk":
                yield say("And so on. ")
                await asyncio.sleep(0.01)

        return ResponseStream(
            updates(), finalizer=lambda updates: ChatResponse.from_updates(updates)
        )


def say(text: str) -> ChatResponseUpdate:
    return ChatResponseUpdate(contents=[Content.from_text(text)], role="assistant")


helper = Agent(client=CountingClient())
