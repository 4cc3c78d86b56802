"""An agent for the server to serve: it asks before it pays, and writes down each payment."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    ResponseStream,
    tool,
)


class AskingClient(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """A model that pays when it is told to, and reports what has come of it."""

    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        results = [
            str(content.result)
            for message in messages
            for content in message.contents
            if content.type == "function_result"
        ]

        async def updates() -> AsyncIterator[ChatResponseUpdate]:
            content = Content.from_text(f"Results: {results}")
            if messages[-1].text.startswith("Pay"):
                arguments = json.dumps({"slowly": "slowly" in messages[-1].text})
                content = Content.from_function_call(
                    f"c{len(messages)}", "pay", arguments=arguments
                )
            yield ChatResponseUpdate(contents=[content], role="assistant")

        return ResponseStream(
            updates(), finalizer=lambda updates: ChatResponse.from_updates(updates)
        )


def write_down(payment: str) -> None:
    with Path(os.environ["PAYMENTS"]).open("a") as payments:
        payments.write(payment)


@tool(approval_mode="always_require")
async def pay(slowly: bool) -> str:
    """Pay."""
    await asyncio.to_thread(write_down, "paid\n")
    if slowly:
        await asyncio.Event().wait()
    return "paid"


helper = Agent(client=AskingClient(), tools=[pay])
