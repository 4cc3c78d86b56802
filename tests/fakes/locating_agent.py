"""An agent that asks the page where the user is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agent_framework import Agent, ChatResponseUpdate, Content, Message

from agent_framework_chatkit import client_tool

from .models import FakeModel, update


@client_tool
def locate() -> str:
    """Return where the user is."""
    raise AssertionError("The page runs this tool.")


class LocatingModel(FakeModel):
    """A model that asks for the place, and then tells how long its name is."""

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        (*_, result) = messages[-1].contents
        if result.type == "function_result":
            yield update(f"A name of {len(str(result.result))} characters.")
        else:
            yield update(Content.from_function_call("c1", "locate", arguments="{}"))


helper = Agent(client=LocatingModel(), tools=[locate])
