"""The memory of a workflow, or of an agent of another kind, whose turn was cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentResponseUpdate,
    AgentSession,
    Content,
    Executor,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    handler,
    tool,
)
from agent_framework_orchestrations import SequentialBuilder

from agent_framework_chatkit import AgentChatKitServer, ask_user
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, look_up, said, text
from ...integration.providers.rules import check_strictest
from ..live_client import LiveClient, bury, chat


class Shop:
    """A tool whose first order hangs."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.ordering = asyncio.Event()

        @tool(approval_mode="never_require")
        async def order(item: str) -> str:
            """Order something."""
            self.orders.append(item)
            self.ordering.set()
            await asyncio.Event().wait()
            return f"Ordered {item}."

        self.order = order


class Asking(Executor):
    """An executor that runs an agent itself."""

    def __init__(self, asked: Any) -> None:
        super().__init__("asking")
        self.asked = asked

    @handler
    async def start(self, messages: list[Message], ctx: WorkflowContext[Any, Any]) -> None:
        async for update in self.asked.run(messages, stream=True):
            await ctx.yield_output(update)


def workflow(asked: Any) -> Any:
    return SequentialBuilder(participants=[asked]).build()


def factory(asked: Any) -> Callable[..., Any]:
    return lambda thread, context: workflow(asked)


def own_executor(asked: Any) -> Any:
    return WorkflowBuilder(start_executor=Asking(asked))


class Remote:
    """An agent that is not the framework's `Agent`, and calls tools itself."""

    id = name = "remote"
    description = None

    def __init__(self, asked: Any) -> None:
        self.asked = asked

    def create_session(self, *, session_id: str | None = None) -> AgentSession:
        return AgentSession(session_id=session_id)

    def get_session(self, service_session_id: str, *, session_id: str | None = None) -> Any:
        raise AssertionError("No service stores its conversations.")

    async def run(self, messages: Any, **given: Any) -> AsyncIterator[AgentResponseUpdate]:
        async for update in self.asked.run(messages, stream=True):
            yield update


def requests(asked: Any) -> list[list[Message]]:
    """Return the requests that the model has received."""
    received: list[list[Message]] = asked.client.asked
    return received


STARTED = "This call was started; its effect is unknown."
UNSURE = "It is not known whether this call was started."


@pytest.mark.parametrize(
    ("build", "outcome"),
    [(workflow, STARTED), (factory, STARTED), (own_executor, UNSURE), (Remote, UNSURE)],
)
async def test_next_turn_knows_that_call_may_have_started(
    build: Callable[[Any], Any], outcome: str
) -> None:
    shop = Shop()
    asked = agent(
        [text("One moment."), call("order", item="tea")], [text("Yes.")], tools=[shop.order]
    )
    async with chat(build(asked)) as client:
        asking = await client.ask("Order tea")
        await asking.text("One moment.")
        await shop.ordering.wait()
        assert await client.stop() == "stopped"
        await (await client.ask("And now?")).rest()
    told = "\n".join(
        content.text or f"{content.name} {content.arguments} {content.result}"
        for message in requests(asked)[-1]
        for content in message.contents
    )
    assert "order" in told
    assert '{"item": "tea"}' in told
    assert outcome in told
    assert "not started" not in told
    assert shop.orders == ["tea"]


async def test_started_call_is_known_after_worker_died(tmp_path: Path) -> None:
    shop = Shop()
    asked = agent([call("order", item="tea")], [text("Yes.")], tools=[shop.order])
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        dying, other = (AgentChatKitServer(workflow(asked), store) for store in (one, two))
        client = LiveClient(dying)
        asking = await client.ask("Order tea")
        await asking.next()
        await shop.ordering.wait()
        client.server = other
        await bury(one, two)
        await (await client.ask("And now?")).rest()
        told = str(said(asked))
        assert 'order({"item": "tea"}): Error: This call was started' in told
        await dying.close(grace=0)
        await other.close(grace=0)


async def test_calls_before_unanswered_request_are_known() -> None:
    questions = [{"question": "Which?"}]
    calls = [call("look_up", "c1", key="k"), call("ask_user", "c2", questions=questions)]
    asked = agent([calls[0]], [calls[1]], [text("Yes.")], name="one", tools=[look_up, ask_user])
    async with chat(workflow(asked)) as client:
        await (await client.ask("First")).rest()
        await (await client.ask("Second")).rest()
    assert 'look_up({"key": "k"}): secret k' in str(said(asked))
    assert check_strictest(requests(asked)[-1]) == []


async def test_workflow_gets_each_message_once_after_failure() -> None:
    asked = agent([RuntimeError("gone")], [text("Yes.")], name="one")
    async with chat(workflow(asked)) as client:
        for question in ("First", "Second"):
            await (await client.ask(question)).rest()
    assert check_strictest(requests(asked)[-1]) == []
    received = str(said(asked))
    assert [received.count(each) for each in ("First", "Second")] == [1, 1]


async def test_factory_may_return_same_agents_for_every_turn() -> None:
    asked = agent([text("One.")], [text("Two.")], name="one", middleware=[])
    shared = workflow(asked)
    async with chat(lambda thread, context: shared) as client:
        await (await client.ask("First")).rest()
        await (await client.ask("Second")).rest()
    (executor,) = [each for each in shared.get_executors_list() if hasattr(each, "agent")]
    assert isinstance(executor.agent, Agent)
    added = list(executor.agent.middleware or ())
    assert [added.count(each) for each in added] == [1] * len(added)
    assert asked.middleware == []


@pytest.mark.parametrize("other", ["Pay the rent.", "Pay."])
async def test_card_describes_no_tool_that_may_be_another(other: str) -> None:
    def paying(description: str, name: str, *messages: list[Content]) -> Any:
        pay = tool(approval_mode="always_require", name="pay", description=description)
        return agent(*messages, tools=[pay(lambda amount: "paid")], name=name)

    first = paying("Pay.", "first", [text("Go on.")])
    second = paying(other, "second", [call("pay", amount=1)])
    async with chat(SequentialBuilder(participants=[first, second])) as client:
        await (await client.ask("Pay")).rest()
        (card,) = [item for item in await client.items() if item["type"] == "widget"]
    described = [line for line in card["copy_text"].splitlines() if line.startswith("> ")]
    assert described == (["> Pay."] if other == "Pay." else [])
