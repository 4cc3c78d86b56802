"""Tools whose results are shown as widgets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from agent_framework import WorkflowBuilder, tool
from chatkit.types import ThreadMetadata, WidgetItem
from pydantic import BaseModel

from agent_framework_chatkit import (
    AgentResponseConverter,
    ThreadContext,
    WidgetForm,
    WidgetTemplate,
    client_tool,
    simple_to_agent_input,
    stream_agent_response,
    widget_tool,
)

from ...fakes.scripted_agent import agent, call, text
from ..answering import asked, cards, click
from ..chat_client import chat
from ..thread_client import IdStore, collect, items_of

TEMPLATE = WidgetTemplate(
    {
        "version": "1.0",
        "name": "Weather",
        "template": '{"type": "Card", "children": ['
        '{"type": "Title", "value": {{ city | tojson }}},'
        '{"type": "Text", "value": {{ (degrees ~ " °C") | tojson }}}]}',
    }
)


class Weather(BaseModel):
    city: str
    degrees: int


@widget_tool(TEMPLATE)
async def weather(city: str, wait: float = 0) -> Weather:
    """Get the weather in a city."""
    await asyncio.sleep(wait)
    return Weather(city=city, degrees=len(city))


def asking(*calls: Any, tools: Any = (weather,)) -> Any:
    return agent(list(calls), [text("There.")], tools=tools)


async def streamed(answering: Any, **properties: Any) -> list[Any]:
    run = answering.run("Weather?", stream=True)
    return items_of(await collect(stream_agent_response(run, "thr_1", **properties)))


def seen(items: list[Any]) -> list[Any]:
    return [item.copy_text if isinstance(item, WidgetItem) else item.type for item in items]


def result(answering: Any) -> Any:
    return json.loads(asked(answering)[-1][1])


async def test_user_sees_widget_and_model_reads_data() -> None:
    answering = asking(call("weather", city="Oslo"))
    items = await streamed(answering)
    assert seen(items) == ["workflow", "Oslo\n4 °C", "assistant_message"]
    assert result(answering) == {"city": "Oslo", "degrees": 4}
    # A later turn that reads the thread also reads the widget.
    (message,) = await simple_to_agent_input(items[1])
    assert "4 °C" in message.text


async def test_result_is_the_same_with_context() -> None:
    context: ThreadContext[Any] = ThreadContext(
        thread=ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1)),
        store=IdStore(),
        request_context=None,
    )
    items = await streamed(asking(call("weather", city="Oslo")), context=context)
    assert seen(items) == ["workflow", "Oslo\n4 °C", "assistant_message"]


async def test_widgets_of_parallel_calls_follow_call_order() -> None:
    calls = [
        call("weather", "c1", city="Oslo", wait=0.05),
        call("weather", "c2", city="Rome"),
        call("weather", "c3", city="Bergen", wait=0.02),
    ]
    items = await streamed(asking(*calls))
    assert seen(items) == [
        "workflow",
        "Oslo\n4 °C",
        "Rome\n4 °C",
        "Bergen\n6 °C",
        "assistant_message",
    ]
    # All calls are shown as complete: no widget interrupted them.
    statuses = [task.status_indicator for task in items[0].workflow.tasks]
    assert statuses == ["complete"] * 3


async def test_server_stores_widget_and_retries() -> None:
    answering = agent(
        [call("weather", city="Oslo")],
        [text("There.")],
        [call("weather", city="Rome")],
        [text("Here.")],
        [text("Mild.")],
        tools=[weather],
    )
    async with chat(answering) as browser:
        await browser.ask("Weather?")
        (first,) = await cards(browser)
        assert first["copy_text"] == "Oslo\n4 °C"
        message = (await browser.items())[0]
        await browser.stream(
            "threads.retry_after_item", thread_id=browser.thread_id, item_id=message["id"]
        )
        (second,) = await cards(browser)
        assert second["copy_text"] == "Rome\n4 °C"
        await browser.ask("And now?")
        assert (await browser.transcript())[-1] == ("assistant_message", "Mild.")
    # The session contains the data, but not the widget again.
    client: Any = answering.client
    known = str([message.to_dict() for message in client.asked[-1]])
    assert known.count("Rome") == 3
    # Of the deleted answer, the agent knows only the call.
    assert known.count("Oslo") == 2
    assert "An earlier answer to this was deleted" in known
    assert "Card" not in known


async def test_tool_shows_widget_after_approval() -> None:
    @widget_tool(TEMPLATE)
    @tool(approval_mode="always_require")
    def book(city: str) -> dict[str, Any]:
        """Book a flight."""
        return {"city": city, "degrees": 21}

    calls = [call("weather", "c1", city="Oslo"), call("book", "c2", city="Rome")]
    async with chat(asking(*calls, tools=[weather, book])) as browser:
        await browser.ask("Book")
        (card,) = await cards(browser)
        await click(browser, card)
        texts = [card["copy_text"] for card in await cards(browser)]
        assert "Approved" in texts[0]
        assert texts[1:] == ["Oslo\n4 °C", "Rome\n21 °C"]


async def test_client_tool_call_does_not_hide_widget() -> None:
    @client_tool
    def locate() -> str:
        """Return where the user is."""
        return ""

    shown = await streamed(
        asking(call("weather", "c1", city="Oslo"), call("locate", "c2"), tools=[weather, locate]),
        converter=AgentResponseConverter(client_tools=["locate"]),
    )
    assert "client_tool_call" in seen(shown)


async def test_workflow_step_shows_widget() -> None:
    answering = asking(call("weather", city="Oslo"))
    workflow = WorkflowBuilder(start_executor=answering, name="weather").build()
    async with chat(workflow) as browser:
        await browser.ask("Weather?")
        assert [card["copy_text"] for card in await cards(browser)] == ["Oslo\n4 °C"]


async def test_data_can_be_dataclass_or_mapping() -> None:
    @dataclass
    class Measured:
        city: str
        degrees: int

    @widget_tool(TEMPLATE)
    def measured(city: str) -> Measured:
        """Measure."""
        return Measured(city, 1)

    assert seen(await streamed(asking(call("measured", city="Oslo"), tools=[measured])))[1] == (
        "Oslo\n1 °C"
    )


async def test_text_result_is_only_for_model() -> None:
    @widget_tool(TEMPLATE)
    def nowhere(city: str) -> str:
        """Look for a city."""
        return f"There is no {city}."

    answering = asking(call("nowhere", city="Atlantis"), tools=[nowhere])
    assert seen(await streamed(answering)) == ["workflow", "assistant_message"]
    assert asked(answering)[-1] == ("tool", "There is no Atlantis.")


async def test_data_without_widget_reach_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @widget_tool(TEMPLATE)
    def half(city: str) -> Any:
        """Return half of it."""
        return {"city": city} if city else [city]

    answering = asking(call("half", "c1", city="Oslo"), call("half", "c2", city=""), tools=[half])
    items = await streamed(answering)
    assert seen(items) == ["workflow", "assistant_message"]
    assert [task.status_indicator for task in items[0].workflow.tasks] == ["complete"] * 2
    assert "'degrees' is undefined" in caplog.text
    assert ("tool", '{"city": "Oslo"}') in asked(answering)


async def test_failed_tool_shows_no_widget() -> None:
    @widget_tool(TEMPLATE)
    def broken(city: str) -> Weather:
        """Fail."""
        raise RuntimeError("no thermometer")

    items = await streamed(asking(call("broken", city="Oslo"), tools=[broken]))
    assert seen(items) == ["workflow", "assistant_message"]


async def test_failed_run_keeps_widgets() -> None:
    answering = agent([call("weather", city="Oslo")], [RuntimeError("gone")], tools=[weather])
    async with chat(answering) as browser:
        await browser.ask("Weather?")
        assert len(await cards(browser)) == 1


async def test_converter_can_make_widget_from_any_result() -> None:
    class Converter(AgentResponseConverter):
        async def function_to_widget(self, call: Any, result: Any) -> Any:
            form = await _resolved(super().function_to_widget(call, result))
            return form and form._replace(text=f"{call.name}: {form.text}")

    async def _resolved(value: Any) -> Any:
        return value

    items = await streamed(asking(call("weather", city="Oslo")), converter=Converter())
    assert seen(items)[1] == "weather: Oslo\n4 °C"


def test_tool_has_description_of_function() -> None:
    assert (weather.name, weather.description) == ("weather", "Get the weather in a city.")
    assert list(weather.parameters()["properties"]) == ["city", "wait"]


class Sky(str):
    """A text for the model, with data for a widget."""

    degrees: int


@tool(approval_mode="never_require")
def look_up() -> str:
    """Look at the sky."""
    sky = Sky("It is mild.")
    sky.degrees = 21
    return sky


class FromObjects(AgentResponseConverter):
    def function_to_widget(self, call: Any, result: Any) -> Any:
        said = result.items[0].text
        if not isinstance(said, Sky):
            return super().function_to_widget(call, result)
        built = TEMPLATE.build({"city": str(said), "degrees": said.degrees})
        return WidgetForm(built, str(said))


async def test_returned_object_reaches_widget() -> None:
    answering = asking(call("look_up"), tools=[look_up])
    async with chat(answering, response_converter=FromObjects()) as browser:
        await browser.ask("Weather?")
        (card,) = await cards(browser)
        assert "21 °C" in json.dumps(card, ensure_ascii=False)
        results = [
            content.result
            for message in answering.client.asked[-1]
            for content in message.contents
            if content.type == "function_result"
        ]
        assert results == ["It is mild."]


async def test_returned_object_reaches_app_through_stream() -> None:
    found: list[Any] = []

    async def looking(run: Any) -> Any:
        async for update in run:
            found.extend(
                item.text
                for content in update.contents
                if content.type == "function_result"
                for item in content.items
            )
            yield update

    run = asking(call("look_up"), tools=[look_up]).run("Weather?", stream=True)
    await collect(stream_agent_response(looking(run), "thr_1"))
    assert [each.degrees for each in found] == [21]
