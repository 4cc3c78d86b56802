"""An agent that asks for approval before it pays, and records each payment in a file."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agent_framework import Agent, ChatResponseUpdate, Content, Message, tool

from .models import FakeModel, results_of, update


class PayingModel(FakeModel):
    """A model that pays when it is told to, and reports the results of its payments."""

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        if messages[-1].text.startswith("Pay"):
            arguments = json.dumps({"slowly": "slowly" in messages[-1].text})
            yield update(
                Content.from_function_call(f"c{len(messages)}", "pay", arguments=arguments)
            )
        else:
            yield update(f"Results: {results_of(messages)}")


def record(payment: str) -> None:
    with Path(os.environ["PAYMENTS"]).open("a") as payments:
        payments.write(payment)


@tool(approval_mode="always_require")
async def pay(slowly: bool) -> str:
    """Pay."""
    await asyncio.to_thread(record, "paid\n")
    if slowly:
        await asyncio.Event().wait()
    return "paid"


helper = Agent(client=PayingModel(), tools=[pay])
