"""A worker of several that share a database, and a model whose answers can be told to the byte."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
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

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import SQLStore

PACE = 0.02
"""Seconds between two words."""


class Model(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        asked = max(index for index, each in enumerate(messages) if each.role == "user")
        said = messages[asked].text.rpartition("</HIDDEN_CONTEXT>\n\n")[2].strip()
        step = sum(
            content.type == "function_result"
            for each in messages[asked:]
            for content in each.contents
        )

        async def contents() -> AsyncIterator[Content]:
            if not said.startswith("work"):
                yield Content.from_text(f"You said {said}.")
                return
            for number in range(40):
                yield Content.from_text(f"{said} {step}-{number}. ")
                await asyncio.sleep(PACE)
            if step == 0:
                yield Content.from_function_call("look", "look_up", arguments="{}")
            elif step == 1:
                yield Content.from_function_call("pay", "pay", arguments='{"amount": 12}')

        async def updates() -> AsyncIterator[ChatResponseUpdate]:
            async for content in contents():
                yield ChatResponseUpdate(
                    contents=[content], role="assistant", message_id=f"m{len(messages)}"
                )

        return ResponseStream(
            updates(), finalizer=lambda updates: ChatResponse.from_updates(updates)
        )


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
agent = Agent(client=Model(), tools=[look_up, pay])
store = SQLStore[Any](database, lease=1)
server = AgentChatKitServer[Any](agent, store, detached=sys.argv[3:] != ["plain"])
uvicorn.run(create_app(server), port=port, log_level="warning")
