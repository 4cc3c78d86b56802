"""A client that speaks the ChatKit protocol like a browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from chatkit.types import ThreadStreamEvent
from pydantic import TypeAdapter
from starlette.applications import Starlette

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.http.app import create_app
from agent_framework_chatkit.stores import SQLStore

EVENT: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)


def message(text: str, **properties: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}, **properties}


class Browser:
    """Sends ChatKit requests to an app in this process."""

    def __init__(
        self, app: Starlette, *, client: tuple[str, int] = ("127.0.0.1", 1), **properties: Any
    ) -> None:
        self.app = app
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=client)
        properties = {"base_url": "http://chat", **properties}
        self.http = httpx.AsyncClient(transport=transport, **properties)
        self.thread_id = ""

    async def post(self, kind: str, /, **params: Any) -> httpx.Response:
        return await self.http.post("/chatkit", json={"type": kind, "params": params})

    async def get(self, kind: str, /, **params: Any) -> Any:
        """Return the response to a non-streaming request."""
        response = await self.post(kind, **params)
        assert response.status_code == 200, response.text
        return response.json()

    async def stream(self, kind: str, /, **params: Any) -> list[Any]:
        """Return the events of the response to a streaming request."""
        response = await self.post(kind, **params)
        assert response.status_code == 200, response.text
        lines = [line for line in response.text.splitlines() if line.startswith("data: ")]
        return [EVENT.validate_json(line.removeprefix("data: ")) for line in lines]

    async def ask(self, text: str, **properties: Any) -> list[Any]:
        """Send a message, in a new thread the first time."""
        if self.thread_id:
            params = {"thread_id": self.thread_id, "input": message(text, **properties)}
            return await self.stream("threads.add_user_message", **params)
        events = await self.stream("threads.create", input=message(text, **properties))
        self.thread_id = events[0].thread.id
        return events

    async def stream_status(self, text: str, **properties: Any) -> int:
        """Send a message in a new thread, and return the status of the response."""
        response = await self.post("threads.create", input=message(text, **properties))
        return response.status_code

    async def items(self) -> list[dict[str, Any]]:
        """Return the thread's items as clients receive them, oldest first."""
        page = await self.get("items.list", thread_id=self.thread_id, order="asc", limit=100)
        items: list[dict[str, Any]] = page["data"]
        return items

    async def transcript(self) -> list[tuple[str, str]]:
        """Return the types and texts of the thread's items."""
        return [
            (item["type"], "".join(part["text"] for part in item.get("content", ())))
            for item in await self.items()
        ]


def of_type(events: list[Any], kind: str) -> list[Any]:
    return [event for event in events if event.type == kind]


def encode(kind: str, /, **params: Any) -> bytes:
    return json.dumps({"type": kind, "params": params}).encode()


@asynccontextmanager
async def chat(
    answering: Any,
    url: str = "sqlite://",
    server_class: Any = AgentChatKitServer,
    **properties: Any,
) -> AsyncIterator[Browser]:
    """Yield a browser that is connected to an app with this agent."""
    async with SQLStore[Any](url) as store:
        server = server_class(answering, store, **properties)
        browser = Browser(create_app(server))
        async with browser.http:
            yield browser
        await server.close()
