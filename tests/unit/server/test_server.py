"""An agent behind the ChatKit protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from agent_framework import (
    Content,
    Executor,
    FunctionTool,
    Message,
    WorkflowBuilder,
    WorkflowContext,
    handler,
)
from chatkit.types import (
    ClientToolCallItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
)

from agent_framework_chatkit import AgentChatKitServer, AgentResponseConverter
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, look_up, text
from ..chat_client import Browser, chat, of_type


async def test_agent_answers_in_thread() -> None:
    async with chat(agent([text("Hi "), text("there")])) as browser:
        events = await browser.ask("Hello")
        assert [event.type for event in events] == [
            "thread.created",
            "thread.item.done",
            "stream_options",
            "thread.item.added",
            "thread.updated",
            "thread.item.updated",
            "thread.item.done",
        ]
        assert await browser.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Hi there"),
        ]


async def test_generated_image_is_stored() -> None:
    image = Content.from_uri("https://files.test/a.png", media_type="image/png")
    drawn = Content.from_image_generation_tool_result(outputs=[image])
    async with chat(agent([image], [drawn])) as browser:
        await browser.ask("Show me")
        await browser.ask("Draw me")
        items = [item for item in await browser.items() if item["type"] == "generated_image"]
    assert [item["image"]["url"] for item in items] == ["https://files.test/a.png"] * 2
    assert len({item["image"]["id"] for item in items}) == 2


def _times(value: Any) -> list[str]:
    if isinstance(value, list):
        return [each for one in value for each in _times(one)]
    if not isinstance(value, dict):
        return []
    own = [value["created_at"]] if "created_at" in value else []
    return own + _times(list(value.values()))


@pytest.fixture
def auckland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose local time is not UTC."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("auckland")
async def test_thread_and_item_times_have_zones() -> None:
    before = datetime.now(timezone.utc)
    answering = agent([call("look_up", key="a")], [text("Hi")], tools=[look_up])
    async with chat(answering) as browser:
        events = await browser.ask("Hello")
        thread_id = browser.thread_id
        answers = [
            *(event.model_dump(mode="json") for event in events),
            await browser.get("threads.list"),
            await browser.get("threads.get_by_id", thread_id=thread_id),
            await browser.get("threads.update", thread_id=thread_id, title="New"),
            await browser.get("items.list", thread_id=thread_id),
        ]
        assert len(_times(answers)) > 10
        for at in _times(answers):
            assert at.endswith("Z")
            assert (
                before <= datetime.fromisoformat(at[:-1] + "+00:00") <= datetime.now(timezone.utc)
            )


@pytest.mark.parametrize("ticks", range(6))
async def test_server_closes_right_after_start(ticks: int) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        server = AgentChatKitServer(agent(), store)
        starting = asyncio.create_task(server.worker.start())
        while not starting.done():
            await asyncio.sleep(0)
        for _ in range(ticks):
            await asyncio.sleep(0)
        closing = asyncio.create_task(server.close())
        await asyncio.wait([closing], timeout=30)
        assert closing.done()


async def test_factory_is_called_for_each_turn() -> None:
    asked: list[tuple[str, str]] = []

    async def choose(thread: ThreadMetadata, context: Any) -> Any:
        asked.append((thread.id, context.user_id))
        return agent([text("Hi")])

    async with chat(choose) as browser:
        await browser.ask("1")
        await browser.ask("2")
        assert [thread_id for thread_id, _ in asked] == [browser.thread_id] * 2
        assert asked[0][1].startswith("visitor_")


class Shout(Executor):
    @handler
    async def shout(self, messages: list[Message], ctx: WorkflowContext[str, str]) -> None:
        await ctx.yield_output(messages[-1].text.upper())


@pytest.mark.parametrize("is_built", [False, True], ids=["builder", "workflow"])
async def test_workflow_answers(is_built: bool) -> None:
    builder = WorkflowBuilder(start_executor=Shout(id="shout"))
    async with chat(builder.build() if is_built else builder) as browser:
        await browser.ask("hello")
        await browser.ask("again")
        assert await browser.transcript() == [
            ("user_message", "hello"),
            ("workflow", ""),
            ("assistant_message", "HELLO"),
            ("user_message", "again"),
            ("workflow", ""),
            ("assistant_message", "AGAIN"),
        ]


async def test_user_can_choose_model_and_tool() -> None:
    answering = agent([text("Hi")], tools=[look_up])
    async with chat(answering, models=["big"], tools=["look_up"]) as browser:
        chosen = {"model": "big", "tool_choice": {"id": "look_up"}}
        await browser.ask("Hello", inference_options=chosen)
    client: Any = answering.client
    assert client.options[0]["model"] == "big"
    assert client.options[0]["tool_choice"] == {
        "mode": "required",
        "required_function_name": "look_up",
    }


@pytest.mark.parametrize("chosen", [{"model": "huge"}, {"tool_choice": {"id": "rm"}}])
async def test_unavailable_choices_are_rejected(chosen: Any) -> None:
    answering = agent([text("Hi")])
    async with chat(answering) as browser:
        (error,) = of_type(await browser.ask("Hello", inference_options=chosen), "error")
        assert "not available" in error.message
    client: Any = answering.client
    assert client.asked == []


LOCATE = FunctionTool(name="locate", description="Where the person is.", func=None)


async def test_client_tool_output_continues_run() -> None:
    answering = agent([call("locate", call_id="c7")], [text("Paris, then.")], tools=[LOCATE])
    converter = AgentResponseConverter(client_tools=["locate"])
    async with chat(answering, response_converter=converter) as browser:
        asked = of_type(await browser.ask("Where am I?"), "thread.item.done")[-1]
        assert isinstance(asked, ThreadItemDoneEvent)
        assert isinstance(asked.item, ClientToolCallItem)
        await browser.stream(
            "threads.add_client_tool_output", thread_id=browser.thread_id, result={"city": "Paris"}
        )
        assert (await browser.transcript())[-1] == ("assistant_message", "Paris, then.")
    client: Any = answering.client
    last = client.asked[-1]
    assert [each.role for each in last] == ["user", "assistant", "tool"]
    result: Content = last[-1].contents[0]
    assert (result.call_id, result.result) == ("c7", '{"city": "Paris"}')


async def test_feedback_is_stored() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        app = create_app(
            AgentChatKitServer(agent([text("Hi")]), store), authenticate=lambda _: "me"
        )
        browser = Browser(app)
        await browser.ask("Hello")
        answer = (await browser.items())[-1]
        params = {"thread_id": browser.thread_id, "item_ids": [answer["id"]]}
        await browser.get("items.feedback", **params, kind="positive")
        kept = await store.load_feedback(browser.thread_id, {"user_id": "me"})
        assert kept == {answer["id"]: "positive"}
        await browser.http.aclose()


async def test_long_answer_is_joined_in_transit_and_complete() -> None:
    words = [text(f"{number} ") for number in range(5_000)]
    async with chat(agent(words)) as browser:
        events = await browser.ask("Count")
        deltas = of_type(events, "thread.item.updated")
        assert len(deltas) < 2_500
        whole = "".join(f"{number} " for number in range(5_000))
        assert "".join(event.update.delta for event in deltas) == whole
        assert (await browser.transcript())[-1] == ("assistant_message", whole)


async def test_joining_can_be_disabled() -> None:
    async with chat(agent([text("x")] * 100), text_interval=0) as browser:
        events = await browser.ask("Count")
        assert len(of_type(events, "thread.item.updated")) == 100


@pytest.mark.parametrize("store", ["sqlite:///chat.db", None, SQLStore])
def test_wrong_store_is_an_error(store: Any) -> None:
    with pytest.raises(TypeError, match=r"Not a store\. Pass one: SQLStore\("):
        AgentChatKitServer(agent(), store)
