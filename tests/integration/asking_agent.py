"""An agent for the server to serve: it asks before it pays, and writes down each payment."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agent_framework import Agent, ChatResponseUpdate, Content, Message, tool

from ..fake_models import FakeModel, update


class AskingModel(FakeModel):
    """A model that pays when it is told to, and reports what has come of it."""

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        results = [
            str(content.result)
            for message in messages
            for content in message.contents
            if content.type == "function_result"
        ]
        if messages[-1].text.startswith("Pay"):
            arguments = json.dumps({"slowly": "slowly" in messages[-1].text})
            yield update(
                Content.from_function_call(f"c{len(messages)}", "pay", arguments=arguments)
            )
        else:
            yield update(f"Results: {results}")


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


helper = Agent(client=AskingModel(), tools=[pay])
