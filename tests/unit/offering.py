"""An agent that offers flights in a widget, and the actions of its users."""

from __future__ import annotations

from datetime import date
from typing import Any

from agent_framework import FunctionInvocationContext, tool
from chatkit.widgets import DynamicWidgetRoot, WidgetRoot
from pydantic import BaseModel, Field, field_validator

from agent_framework_chatkit import (
    ThreadContext,
    action,
)

from ..fakes.scripted_agent import agent, call, text
from .chat_client import Browser


def card(value: str, *actions: str, **properties: Any) -> WidgetRoot:
    buttons = [
        {"type": "Button", "label": each, "onClickAction": {"type": each}} for each in actions
    ]
    inputs = [{"type": "Input", "name": each} for each in ("to", "guests", "day")]
    children = [{"type": "Text", "id": "t", "value": value}, *buttons, *inputs]
    return DynamicWidgetRoot.model_validate(
        {"type": "Card", "asForm": True, "children": children, **properties}
    )


class Trip(BaseModel):
    to: str
    guests: int = Field(ge=1, default=1)
    day: date | None = None

    @field_validator("to")
    @classmethod
    def _is_known(cls, to: str) -> str:
        if to == "Atlantis":
            raise ValueError("Nobody flies there")
        return to


@action("book")
async def book(trip: Trip, context: ThreadContext[Any]) -> str:
    await context.stream_progress("Booking")
    await context.replace_widget(card(f"Booked: {trip.to}"), f"Booked: {trip.to}")
    return f"I have booked a flight to {trip.to} for {trip.guests}."


@tool(approval_mode="never_require")
async def offer(ctx: FunctionInvocationContext) -> str:
    """Show a flight to book."""
    await ThreadContext.of(ctx).stream_widget(card("Oslo?", "book", "look", "fail", "tell"))
    return "shown"


def offering(*messages: list[Any], **properties: Any) -> Any:
    """Return an agent that shows a widget first."""
    return agent([call("offer")], [text("Here.")], *messages, tools=[offer], **properties)


async def widget_of(browser: Browser) -> dict[str, Any]:
    return next(item for item in await browser.items() if item["type"] == "widget")


async def use(browser: Browser, kind: str, payload: Any = None) -> list[Any]:
    """Send an action of the thread's widget."""
    widget = await widget_of(browser)
    return await browser.stream(
        "threads.custom_action",
        thread_id=browser.thread_id,
        item_id=widget["id"],
        action={"type": kind, "payload": payload},
    )


async def use_at_once(browser: Browser, kind: str, payload: Any = None) -> Any:
    """Send a synchronous action of the thread's widget."""
    widget = await widget_of(browser)
    return await browser.post(
        "threads.sync_custom_action",
        thread_id=browser.thread_id,
        item_id=widget["id"],
        action={"type": kind, "payload": payload},
    )
