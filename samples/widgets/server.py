"""The gallery's server: predefined threads, and a handler for every action."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from agent_framework import Agent, Content
from chatkit.errors import CustomStreamError
from chatkit.types import NoticeEvent, ThreadMetadata, WidgetItem
from chatkit.widgets import DynamicWidgetRoot
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.routing import Mount

from agent_framework_chatkit import (
    AgentChatKitServer,
    RequestContext,
    ThreadContext,
    action,
    create_app,
)
from agent_framework_chatkit.stores import SQLStore
from samples.scripted import ScriptedClient, Turn

from .gallery import FAMILIES, MARKDOWN, button, card, component, counter, text
from .states import Json

VISITOR = "visitor"
"""The single owner: the gallery serves one user on their own machine."""

PAUSE = 0.05
"""Seconds between two states of a streaming widget."""

PAGE = {
    "header": {"title": {"text": "Widgets"}},
    "initialThread": "Layout",
    "history": {"enabled": True, "showDelete": False},
    # The page must not request the image from another host in "Bad input".
    "widgets": {"images": "self"},
}


def root(widget: Json) -> DynamicWidgetRoot:
    return DynamicWidgetRoot.model_validate(widget)


@action("gallery.tell")
async def tell(payload: Any, context: ThreadContext[Any]) -> None:
    """Show the payload."""
    message = json.dumps(payload, ensure_ascii=False)
    await context.stream(NoticeEvent(level="info", title="The server got", message=message))


class Booking(BaseModel):
    seats: Annotated[int, Field(ge=1, le=9)]


@action("gallery.book")
async def book(booking: Booking, context: ThreadContext[Any]) -> None:
    """Replace the form with a valid booking."""
    await context.replace_widget(root(card(f"Booked: {booking.seats}")))


@action("gallery.wait")
async def wait(payload: None, context: ThreadContext[Any]) -> None:
    """Take two seconds."""
    await context.stream_progress("Working")
    await asyncio.sleep(40 * PAUSE)


@action("gallery.change")
async def change(payload: None, context: ThreadContext[Any]) -> None:
    """Change the child of a transition."""
    time = f"{datetime.now():%H:%M:%S}"
    child = component("Transition", children=text(f"Changed at {time}", id="child", key=time))
    again = button("Change it", "gallery.change")
    await context.replace_widget(root(card("Transition", child, again)))


@action("gallery.count")
async def count(payload: dict[str, int], context: ThreadContext[Any]) -> None:
    """Count up, and respond with only the widget."""
    await context.replace_widget(root(counter(payload["count"])))


@action("gallery.ask")
async def ask(question: str, context: ThreadContext[Any]) -> str:
    """Let the agent answer."""
    return question


@action("gallery.fail")
async def fail(payload: None, context: ThreadContext[Any]) -> None:
    """Fail."""
    raise RuntimeError("The gallery shows what a person sees of this.")


@action("gallery.refuse")
async def refuse(payload: None, context: ThreadContext[Any]) -> None:
    """Fail with a message for the user."""
    raise CustomStreamError("The flight is full.")


@action("gallery.stream")
async def stream(which: str, context: ThreadContext[Any]) -> None:
    """Stream a widget."""
    states = {"text": growing_text, "components": coming_components, "failing": failing}[which]
    await context.stream_widget(states(), copy_text="A widget that was streamed")


@action("gallery.stream_here")
async def stream_here(payload: None, context: ThreadContext[Any]) -> None:
    """Stream states in place of a widget."""
    await context.replace_widget(growing_text())


async def growing_text() -> AsyncGenerator[DynamicWidgetRoot, None]:
    words = MARKDOWN.split(" ")
    for end in range(len(words) + 1):
        value = " ".join(words[:end])
        is_open = end < len(words)
        yield root(
            card(
                "Text that grows",
                component("Markdown", id="markdown", value=value, streaming=is_open),
                text(value, id="text", streaming=is_open),
            )
        )
        await asyncio.sleep(PAUSE)


async def coming_components() -> AsyncGenerator[DynamicWidgetRoot, None]:
    for end in (1, 2, 3, 2):
        items = [text(f"Component {number}", key=f"{number}") for number in range(1, end + 1)]
        yield root(card("Components that come and go", *items))
        await asyncio.sleep(5 * PAUSE)


async def failing() -> AsyncGenerator[DynamicWidgetRoot, None]:
    yield root(card("It fails", text("So far it went.")))
    await asyncio.sleep(5 * PAUSE)
    raise RuntimeError("The gallery shows what is left of a widget that fails.")


HANDLERS = [tell, book, wait, change, count, ask, fail, refuse, stream, stream_here]


def answer(turn: Turn) -> Iterator[Content]:
    # The thread's widgets precede the question.
    question = turn.text.rpartition("\n\n")[2]
    yield Content.from_text(f"A script answers. It was told: “{question}”")


async def fill(store: SQLStore[Any]) -> None:
    """Put the gallery's threads into a store; the first family is the newest."""
    context = {"user_id": VISITOR}
    for title, widgets in reversed(FAMILIES.items()):
        now = datetime.now()
        await store.save_thread(ThreadMetadata(id=title, title=title, created_at=now), context)
        for number, widget in enumerate(widgets()):
            item = WidgetItem(
                id=f"{title}-{number}", thread_id=title, created_at=now, widget=root(widget)
            )
            await store.add_thread_item(title, item, context)


def gallery_app() -> Starlette:
    """Return the app, which loses its data when it stops."""
    store = SQLStore[RequestContext]("sqlite://")
    agent = Agent(client=ScriptedClient(answer))
    server = AgentChatKitServer(agent, store, actions=HANDLERS)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await fill(store)
        yield
        await server.close()

    chat = create_app(server, authenticate=lambda request: VISITOR, page=PAGE)
    return Starlette(routes=[Mount("/", chat)], lifespan=lifespan)
