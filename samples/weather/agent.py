"""The weather assistant: an agent and its tools."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.types import SearchTask, URLSource
from chatkit.widgets import DynamicWidgetRoot
from pydantic import BaseModel

from agent_framework_chatkit import ThreadContext, action, ask_user, client_tool
from samples.models import ChatModel

from .cards import ASK, cities_card, summary, waiting_card, weather_card
from .forecast import PLACES, Forecasts, UnknownPlaceError, Weather

INSTRUCTIONS = """\
You are a weather assistant. Get the weather with your tools, never from memory, and answer in one
or two sentences: the user sees a card with the details. When no place is named, use
get_location if they mean where they are, and choose_city otherwise. Before giving advice that
depends on the user's plans, ask with ask_user. You may describe pictures of the sky and read files
that list places. Do not repeat what a card shows.
"""

City = Annotated[str, "The name of a city, in English"]


def weather_agent(model: ChatModel, forecasts: Forecasts) -> Agent[Any]:
    """Return the assistant.

    Args:
        model: The language model. It gets tools only if it can call them.
        forecasts: The source of the weather.
    """

    @tool
    async def get_weather(city: City, ctx: FunctionInvocationContext) -> str:
        """Get the weather in a city, now and for five days. The user sees it as a card."""
        chat = ThreadContext.of(ctx)
        try:
            place = await forecasts.place(city)
        except UnknownPlaceError as error:
            return str(error)
        known: list[Weather] = []

        async def states() -> AsyncGenerator[DynamicWidgetRoot, None]:
            # The card appears immediately, and fills in when the weather arrives.
            yield waiting_card(place)
            known.append(await forecasts.weather(place))
            yield weather_card(known[0])

        await chat.stream_widget(states(), copy_text=f"The weather in {place.name}")
        weather = known[0]
        if weather.source_url is not None:
            source = URLSource(url=weather.source_url, title=weather.source)
            await chat.add_workflow_task(
                SearchTask(title="Source", sources=[source], status_indicator="complete")
            )
        return f"{summary(weather)} Source: {weather.source}. {weather.source_url or ''}".strip()

    @tool
    async def get_time(city: City) -> str:
        """Get the local date and time in a city."""
        try:
            return f"{(await forecasts.place(city)).now():%A, %d %B %Y, %H:%M}"
        except UnknownPlaceError as error:
            return str(error)

    tools = [
        get_weather,
        choose_city,
        get_time,
        subscribe_to_alerts,
        ask_user,
        get_location,
        set_color_scheme,
    ]
    return Agent(
        client=model.client,
        name="weather",
        instructions=INSTRUCTIONS,
        tools=tools if model.can_call_tools else [],
    )


@tool
async def choose_city(ctx: FunctionInvocationContext) -> str:
    """Let the user choose a city. Their choice arrives as a message."""
    await ThreadContext.of(ctx).stream_widget(cities_card(PLACES[::3]), copy_text="Which city?")
    return "The user sees buttons with cities. Wait for their choice."


@tool(approval_mode="always_require")
def subscribe_to_alerts(
    city: City, event: Annotated[str, "The event to report, such as rain or frost"]
) -> str:
    """Send the user a message whenever a weather event happens in a city."""
    return f"Subscribed to alerts of {event} in {city}. (This sample sends none.)"


class Question(BaseModel):
    """The question that a card's button asks."""

    text: str


@action(ASK)
def ask(question: Question, context: ThreadContext[Any]) -> str:
    """Send a button's question to the agent, as if the user had written it."""
    return question.text


@client_tool
def get_location() -> None:
    """Return the city nearest to the user, if their browser reveals it."""


@client_tool
def set_color_scheme(scheme: Annotated[str, "light or dark"]) -> None:
    """Show the page in light or dark colors."""


def location_of(result: str) -> str | None:
    """Return the city in the page's result of `get_location`."""
    try:
        answer = json.loads(result)
    except ValueError:
        return None
    return answer.get("city") if isinstance(answer, dict) else None
