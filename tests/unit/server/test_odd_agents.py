"""Agents that send, report and change things that nobody expects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from agent_framework import (
    AgentContext,
    AgentResponseUpdate,
    BaseAgent,
    Content,
    agent_middleware,
)
from chatkit.errors import CustomStreamError
from chatkit.types import ErrorEvent

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, text
from ..live_client import ME, LiveClient, chat, settled

Script = Callable[["OddAgent"], AsyncIterator[AgentResponseUpdate]]


class OddAgent(BaseAgent):
    """An agent that follows a script in its first turn, and then answers.

    Args:
        script: Yields the updates of the first turn.
    """

    def __init__(self, script: Script) -> None:
        super().__init__(name="odd")
        self.scripts = [script]
        self.session: Any = None
        self.context: Any = None
        self.asked: list[str] = []

    async def run(
        self, messages: Any, *, session: Any, function_invocation_kwargs: Any, **_: Any
    ) -> AsyncIterator[AgentResponseUpdate]:
        self.asked.append("\n".join(message.text for message in messages))
        self.session = session
        self.context = function_invocation_kwargs["agent_context"]
        async for update in self.scripts.pop()(self) if self.scripts else said("Yes."):
            yield update


def update(*contents: Any) -> AgentResponseUpdate:
    return AgentResponseUpdate(contents=list(contents), role="assistant")


async def said(answer: str) -> AsyncIterator[AgentResponseUpdate]:
    yield update(text(answer))


async def report_error(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    yield update(text("Half"))
    yield update(Content.from_error(message="boom"))


async def show_error(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    yield update(text("Half"))
    await agent.context.stream(ErrorEvent(message="Out of credit.", allow_retry=False))


async def call_missing_tool(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    yield update(text("Half"))
    yield update(Content.from_function_call("c1", "pay", arguments="{}"))


@pytest.mark.parametrize("script", [report_error, show_error, call_missing_tool])
async def test_error_of_an_agent_is_kept(script: Script) -> None:
    odd = OddAgent(script)
    async with chat(odd) as client:
        asking = await client.ask("Hello")
        shown = await asking.until("error")
        await asking.rest()
        assert await settled(client) == "failed"
        assert (await client.transcript())[1] == ("assistant_message", "Half")
        end = (await client.items())[-1]
        assert (end["state"], end["message"]) == ("failed", shown["message"])
        assert end["allow_retry"] == shown["allow_retry"]
        await (await client.ask("And?")).rest()
        assert await settled(client) == "completed"
    assert "The previous answer failed before it was complete." in odd.asked[-1]


async def run_out(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    yield update(text("Half"))
    raise CustomStreamError("Out of credit.", allow_retry=False)


@agent_middleware
async def check_credit(context: AgentContext, call_next: Callable[[], Awaitable[None]]) -> None:
    raise CustomStreamError("Out of credit.", allow_retry=False)


@pytest.mark.parametrize(
    "answering", [OddAgent(run_out), agent(middleware=[check_credit])], ids=["agent", "middleware"]
)
async def test_error_for_the_user_is_shown_as_it_is(answering: Any) -> None:
    async with chat(answering) as client:
        asking = await client.ask("Hello")
        shown = await asking.until("error")
        await asking.rest()
        assert (shown["message"], shown["allow_retry"]) == ("Out of credit.", False)
        assert await settled(client) == "failed"
        assert (await client.items())[-1]["message"] == "Out of credit."


async def send_nothing(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    odd = update()
    odd.contents = None  # type: ignore[assignment]
    yield odd
    yield update(None)
    yield update(None, text("Some"), "text")
    yield update(text("thing"))


async def test_contents_that_are_none_are_left_out() -> None:
    async with chat(OddAgent(send_nothing)) as client:
        await (await client.ask("Hello")).rest()
        assert await settled(client) == "completed"
        assert (await client.transcript())[-1] == ("assistant_message", "Something")


async def tie_state(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    state: dict[str, Any] = {}
    state["again"] = state
    agent.session.state |= {"circle": state, "count": 1}
    yield update(text("Done."))


async def test_state_that_refers_to_itself_is_not_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd = OddAgent(tie_state)
    async with chat(odd) as client:
        await (await client.ask("Hello")).rest()
        assert await settled(client) == "completed"
        assert (await client.transcript())[-1] == ("assistant_message", "Done.")
        await (await client.ask("And?")).rest()
        assert "Done." in odd.asked[-1]
    assert (odd.session.state["count"], "circle" in odd.session.state) == (1, False)
    assert "The state 'circle' of the session" in caplog.text


async def break_session(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
    agent.session.state = None
    yield update(text("Done."))


async def test_answer_is_kept_although_the_turn_cannot_be_remembered() -> None:
    async with chat(OddAgent(break_session)) as client:
        await (await client.ask("Hello")).rest()
        assert await settled(client) == "failed"
        assert ("assistant_message", "Done.") in await client.transcript()
        await (await client.ask("And?")).rest()
        assert await settled(client) == "completed"


async def test_turn_of_a_thread_that_another_process_deletes_ends_quietly(
    tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    is_deleted = asyncio.Event()

    async def delete(agent: OddAgent) -> AsyncIterator[AgentResponseUpdate]:
        yield update(text("Half"))
        async with SQLStore[Any](url) as other:
            await other.delete_thread(agent.context.thread.id, ME)
        agent.context.thread.title = "New"
        is_deleted.set()

    async with SQLStore[Any](url) as store:
        odd: Any = OddAgent(delete)
        server = AgentChatKitServer(odd, store)
        asking = await LiveClient(server).ask("Hello")
        await asking.rest()
        assert is_deleted.is_set()
        assert "error" not in asking.kinds
        await server.close(grace=0)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
