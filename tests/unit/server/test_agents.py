"""A server with several agents. A thread's first message selects one."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Agent, WorkflowBuilder, tool

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.page import page_options
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, text
from ..chat_client import EVENT, Browser, chat, encode, message


def two(**properties: Any) -> dict[str, Any]:
    return {
        "weather": agent(
            *[[text(f"Rain {number}")] for number in range(9)],
            name="Weather man",
            description="Knows the sky.",
        ),
        "agents:trip_planner": agent(*[[text(f"Oslo {number}")] for number in range(9)]),
        **properties,
    }


def choosing(name: str) -> dict[str, Any]:
    return {"inference_options": {"model": name}}


async def answers(browser: Browser) -> list[str]:
    return [said for kind, said in await browser.transcript() if kind == "assistant_message"]


def notices(events: list[Any]) -> list[str]:
    return [event.message for event in events if event.type == "notice"]


def errors(events: list[Any]) -> list[str]:
    return [event.message for event in events if event.type == "error"]


async def test_first_message_selects_agent() -> None:
    async with chat(two()) as browser:
        await browser.ask("Where to?", **choosing("agents:trip_planner"))
        shown = notices(await browser.ask("And then?", **choosing("weather")))
        await browser.ask("And then?", **choosing("agents:trip_planner"))
        await browser.ask("And then?")
        assert await answers(browser) == ["Oslo 0", "Oslo 1", "Oslo 2", "Oslo 3"]
    assert shown == ["Trip planner answers in this chat. Start a new chat to ask Weather man."]


async def test_first_agent_is_default() -> None:
    async with chat(two()) as browser:
        assert notices(await browser.ask("Sun?")) == []
        await browser.ask("Oslo?", **choosing("agents:trip_planner"))
        assert await answers(browser) == ["Rain 0", "Rain 1"]


async def test_unknown_agent_error_lists_known_agents() -> None:
    async with chat(two()) as browser:
        shown = errors(await browser.ask("Hello", **choosing("gpt-5")))
        assert shown == [
            "There is no agent 'gpt-5' here. Choose one of: weather, agents:trip_planner."
        ]
        await browser.ask("Hello", **choosing("agents:trip_planner"))
        assert errors(await browser.ask("Hello", **choosing("gpt-5"))) == shown
        assert await answers(browser) == ["Oslo 0"]


async def test_removed_agent_is_named(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(two(), url) as browser:
        await browser.ask("Where to?", **choosing("agents:trip_planner"))
    async with chat({"weather": agent([text("Rain")])}, url) as later:
        later.thread_id, later.http.cookies = browser.thread_id, browser.http.cookies
        shown = errors(await later.ask("And then?"))
    assert shown == [
        "The agent 'agents:trip_planner' of this chat is no longer available. Start a new chat."
    ]


async def test_factory_as_agent_also_runs_turns_from_code(
    tmp_path: Any,
) -> None:
    async def make(thread: Any, context: Any) -> Any:
        return agent([text(f"Made for {thread.metadata['af_agent']}")])

    url, context = f"sqlite:///{tmp_path}/chat.db", {"user_id": "al"}
    agents: dict[str, Any] = {"other": agent([text("Other")]), "made": make}
    server = AgentChatKitServer(agents, SQLStore[Any](url))
    thread_id = (await answer_of(server, {"model": "made"}))[0].thread.id
    await server.start_turn(thread_id, "Go on", context)
    await server.close()
    async with SQLStore[Any](url) as store:
        page = await store.load_thread_items(thread_id, None, 9, "asc", context)
        shown: list[Any] = [item for item in page.data if item.type == "assistant_message"]
        assert [item.content[0].text for item in shown] == ["Made for made"] * 2


async def answer_of(server: AgentChatKitServer[Any], options: Any) -> list[Any]:
    request = encode("threads.create", input=message("Hi", inference_options=options))
    result: Any = await server.process(request, {"user_id": "al"})
    lines = [line async for line in result]
    return [EVENT.validate_json(line.removeprefix(b"data: ")) for line in lines]


async def test_page_lists_agents_in_model_menu() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        workflow = WorkflowBuilder(start_executor=agent(name="Inner"))
        server = AgentChatKitServer(two(flow=workflow), store)
        assert page_options(server, {})["composer"]["models"] == [
            {
                "id": "weather",
                "label": "Weather man",
                "description": "Knows the sky.",
                "default": True,
            },
            {"id": "agents:trip_planner", "label": "Trip planner"},
            {"id": "flow", "label": "Flow"},
        ]


@pytest.mark.parametrize("given", [{}, {"": agent()}, {" ": agent()}, {7: agent()}])
async def test_agents_without_names_are_rejected(given: Any) -> None:
    async with SQLStore[Any]("sqlite://") as store:
        with pytest.raises(ValueError, match="at least one agent, and give each a name"):
            AgentChatKitServer(given, store)


async def test_agents_and_models_are_exclusive() -> None:
    async with SQLStore[Any]("sqlite://") as store:
        with pytest.raises(ValueError, match="not both"):
            AgentChatKitServer(two(), store, models=["gpt-5"])


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return word


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (look_up, "a FunctionTool"),
        (Agent, "the class Agent"),
        ("helper", "a str"),
        (1, "an int"),
        (None, "a NoneType"),
        ({"helper": look_up}, "a FunctionTool"),
    ],
)
def test_invalid_agent_is_rejected_at_once(given: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"Expected an agent, not {kind}. Pass an agent"):
        AgentChatKitServer(given, SQLStore[Any]("sqlite://"))
