"""One of several workers that share a database, with a model whose answers are predictable."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from agent_framework import Agent, ChatResponseUpdate, Content, Message, tool
from tests.fakes.models import FakeModel, results_of, update, user_text

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import SQLStore

PACE = 0.02
"""Seconds between two words."""


class WorkingModel(FakeModel):
    """Writes words and calls tools if the user says "work", or "work slowly"."""

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        asked = max(index for index, each in enumerate(messages) if each.role == "user")
        said = user_text(messages[asked])
        step = len(results_of(messages[asked:]))
        message_id = f"m{len(messages)}"
        if not said.startswith("work"):
            yield update(f"You said {said}.", message_id)
            return
        for number in range(24):
            yield update(f"{said} {step}-{number}. ", message_id)
            await asyncio.sleep(PACE * 6 if "slowly" in said else PACE)
        if step == 0:
            yield update(Content.from_function_call("look", "look_up", arguments="{}"), message_id)
        elif step == 1:
            call = Content.from_function_call("pay", "pay", arguments='{"amount": 12}')
            yield update(call, message_id)


@tool
async def look_up() -> str:
    """Look something up."""
    await asyncio.sleep(0.3)
    return "found"


@tool(approval_mode="always_require")
def pay(amount: int) -> str:
    """Pay."""
    return f"{amount} paid"


port, database = int(sys.argv[1]), sys.argv[2]
agent = Agent(client=WorkingModel(), tools=[look_up, pay])
store = SQLStore[Any](database, lease=3)
server = AgentChatKitServer[Any](agent, store, detached=sys.argv[3:] != ["plain"])
uvicorn.run(create_app(server), port=port, log_level="warning")
