"""A user who chats with an agent that takes orders and uses an endpoint's model."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from agent_framework import (
    ChatContext,
    ChatMiddleware,
    ChatResponseUpdate,
    FunctionTool,
    tool,
)

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import SQLStore

from ...unit.chat_client import message
from ..processes import PATIENCE
from .endpoint import Call, Endpoint, ModelInput, serve
from .services import TLS, Service

OWNER = {"user_id": "me"}

TEA = Call(['{"item": ', '"tea"}'])

Event = dict[str, Any]


class Desk:
    """Takes orders, and counts them."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.ordering = asyncio.Event()
        """Set when an order that hangs started."""
        self.may_finish = threading.Event()
        """Lets a blocking order finish."""
        self.hangs_at = ""
        """The item whose order hangs."""
        self.blocks = False
        """Whether the tool is a plain function, which blocks its thread until it may finish."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Called while an order is placed."""

    @property
    def tool(self) -> FunctionTool:
        async def place_order(item: str) -> str:
            """Order something."""
            self.orders.append(item)
            self.meanwhile()
            if item == self.hangs_at:
                self.ordering.set()
                await asyncio.Event().wait()
            return f"Ordered {item}."

        def place_order_in_thread(item: str) -> str:
            """Order something."""
            self.orders.append(item)
            loop.call_soon_threadsafe(self.ordering.set)
            self.may_finish.wait(PATIENCE)
            return f"Ordered {item}."

        loop = asyncio.get_running_loop()
        function: Callable[..., Any] = place_order_in_thread if self.blocks else place_order
        placing: FunctionTool = tool(function, name="place_order", approval_mode="never_require")
        return placing


class Watch(ChatMiddleware):
    """Records the updates that the client creates from the model's answers."""

    def __init__(self) -> None:
        self.received = ""
        """All texts, thoughts and arguments so far."""
        self._has_heard = asyncio.Event()

    async def process(self, context: ChatContext, call_next: Callable[[], Awaitable[None]]) -> None:
        context.stream_transform_hooks.append(self._record)
        await call_next()

    def _record(self, update: ChatResponseUpdate) -> ChatResponseUpdate:
        for content in update.contents:
            if content.merge_mode != "replace" and content.text:
                self.received += content.text
            if content.type == "function_call" and content.arguments:
                arguments = content.arguments
                self.received += arguments if isinstance(arguments, str) else json.dumps(arguments)
        self._has_heard.set()
        return update

    async def until(self, text: str) -> None:
        """Wait until the updates contain a text."""
        while text not in self.received:
            self._has_heard.clear()
            await self._has_heard.wait()


class Person:
    """A user with a browser, over HTTP."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, verify=TLS, timeout=PATIENCE)
        self.thread_id = ""

    async def get(self, kind: str, /, **params: Any) -> Any:
        """Return the response to a non-streaming request."""
        body = {"type": kind, "params": {"thread_id": self.thread_id, **params}}
        response = await self.http.post("/chatkit", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    @asynccontextmanager
    async def stream(self, kind: str, /, **body: Any) -> AsyncIterator[AsyncIterator[Event]]:
        """Send a request, and yield its events. The connection is closed at the end."""
        request = self.http.stream("POST", "/chatkit", json={"type": kind, **body})
        async with request as response:
            assert response.status_code == 200, await response.aread()

            async def events() -> AsyncIterator[Event]:
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))

            yield events()

    @asynccontextmanager
    async def saying(self, text: str, **more: Any) -> AsyncIterator[AsyncIterator[Event]]:
        """Send a message, in a new thread the first time."""
        metadata = more.pop("metadata", {})
        params: dict[str, Any] = {"input": message(text, **more)}
        kind = "threads.create"
        if self.thread_id:
            kind, params["thread_id"] = "threads.add_user_message", self.thread_id
        async with self.stream(kind, params=params, metadata=metadata) as events:
            if not self.thread_id:
                self.thread_id = (await anext(events))["thread"]["id"]
            yield events

    async def ask(self, text: str, **more: Any) -> list[Event]:
        """Send a message, and return the events of the answer."""
        async with self.saying(text, **more) as events:
            return [event async for event in events]

    async def items(self) -> list[dict[str, Any]]:
        """Return the thread's items, oldest first."""
        params = {"thread_id": self.thread_id, "order": "asc", "limit": 100}
        body = {"type": "items.list", "params": params, "metadata": {"turn_ends": True}}
        response = await self.http.post("/chatkit", json=body)
        return list(response.json()["data"])

    async def retry(self) -> list[Event]:
        """Retry the last message."""
        asked = [item for item in await self.items() if item["type"] == "user_message"]
        params = {"thread_id": self.thread_id, "item_id": asked[-1]["id"]}
        async with self.stream("threads.retry_after_item", params=params) as events:
            return [event async for event in events]

    async def turn_state(self) -> str:
        """Return the last turn's state."""
        thread = await self.get("threads.get_by_id")
        return str(thread["turn"]["state"])


@dataclass
class Chat:
    """A user, and the parts behind the agent."""

    person: Person
    endpoint: Endpoint
    desk: Desk
    watch: Watch
    store: SQLStore[Any]

    async def goes_on(self, text: str = "And now?", **more: Any) -> None:
        """Check that another message is answered normally."""
        self.endpoint.script.clear()
        before = len(self.endpoint.refusals)
        events = await self.person.ask(text, **more)
        assert self.endpoint.refusals[before:] == []
        assert answer_of(events) == "All right."
        who, last = self.endpoint.last_input[-1]
        assert who == "user"
        assert last.endswith(text)

    def check_asked(self, *texts: str) -> None:
        """Check that the model's input contains these messages once each and in this order."""
        asked = "\n".join(of("user", self.endpoint.last_input))
        assert [asked.count(text) for text in texts] == [1] * len(texts)
        assert sorted(texts, key=asked.index) == list(texts)


def of(who: str, given: ModelInput) -> list[str]:
    """Return the texts of a role in a model's input."""
    return [text for each, text in given if each == who]


def answer_of(events: list[Event]) -> str:
    """Return the answer's text, and check that there is no error."""
    assert [event for event in events if event["type"] == "error"] == []
    answers = [
        "".join(part["text"] for part in event["item"]["content"])
        for event in events
        if event["type"] == "thread.item.done" and event["item"]["type"] == "assistant_message"
    ]
    return answers[-1] if answers else ""


@asynccontextmanager
async def chat(
    service: Service,
    url: str = "sqlite://",
    *,
    desk: Desk | None = None,
    endpoint: Endpoint | None = None,
    **properties: Any,
) -> AsyncIterator[Chat]:
    """Run a chat with an agent that takes orders.

    Args:
        service: The service of the agent's model.
        url: The database.
        desk: The desk that takes the orders.
        endpoint: The service's endpoint, if it exists already.
        properties: Further arguments of the server.
    """
    endpoint = endpoint or service.endpoint()
    desk, watch = desk or Desk(), Watch()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serve(endpoint.app))
        agent = await stack.enter_async_context(
            service.agent(
                endpoint,
                api,
                name="Order desk",
                instructions="Take orders.",
                tools=[desk.tool],
                middleware=[watch],
            )
        )
        store = await stack.enter_async_context(SQLStore[Any](url))
        server = AgentChatKitServer[Any](agent, store, **properties)
        stack.push_async_callback(server.settle)
        app = create_app(server, authenticate=lambda request: OWNER["user_id"])
        person = Person(await stack.enter_async_context(serve(app)))
        await stack.enter_async_context(person.http)
        stack.callback(endpoint.released.set)
        stack.callback(desk.may_finish.set)
        with anyio.fail_after(PATIENCE):
            yield Chat(person, endpoint, desk, watch, store)
