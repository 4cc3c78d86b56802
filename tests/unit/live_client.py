"""A client that follows threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import delete

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.tables import workers

from .chat_client import message

ME = {"user_id": "me"}

PATIENCE = 60
"""The seconds to wait for an event before the test fails."""


class Stream:
    """Reads server-sent events one by one."""

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        self._events = events
        self.seen: list[dict[str, Any]] = []
        self.ids: list[str] = []
        """The IDs of the events that have one."""
        self.retry: int | None = None

    async def next(self) -> dict[str, Any] | None:
        """Return the next event, or `None` if there are no more."""
        while True:
            try:
                frame = await asyncio.wait_for(anext(self._events, None), PATIENCE)
            except asyncio.TimeoutError:
                raise AssertionError(f"Nothing comes after {self.kinds}") from None
            if frame is None:
                return None
            fields = dict(
                line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line
            )
            if "retry" in fields:
                self.retry = int(fields["retry"])
            if "id" in fields:
                self.ids.append(fields["id"])
            if "data" in fields:
                event: dict[str, Any] = json.loads(fields["data"])
                self.seen.append(event)
                return event

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next event of a type that has these fields."""
        while (event := await self.next()) is not None:
            if event["type"] == kind and fields.items() <= event.items():
                return event
        raise AssertionError(f"No {kind} came: {[each['type'] for each in self.seen]}")

    async def text(self, wanted: str) -> None:
        """Read until the answer contains a text."""
        while wanted not in self.answer:
            assert await self.next() is not None, self.answer

    async def rest(self) -> list[dict[str, Any]]:
        """Return the remaining events."""
        rest = []
        while (event := await self.next()) is not None:
            rest.append(event)
        return rest

    async def close(self) -> None:
        await self._events.aclose()

    @property
    def answer(self) -> str:
        """The text of the open items in the thread's state and of all deltas since."""
        texts = []
        for event in self.seen:
            if event["type"] == "thread.state":
                texts = [
                    part["text"]
                    for item in event["open_items"]
                    if item["type"] == "assistant_message"
                    for part in item["content"]
                ]
            elif event["type"] == "thread.item.updated":
                texts.append(event["update"].get("delta", ""))
        return "".join(texts)

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.seen]


class LiveClient:
    """A page that is connected to a server in this process."""

    def __init__(
        self, server: AgentChatKitServer[Any], context: Any = None, page: str = "page"
    ) -> None:
        self.server = server
        self.context = context or ME
        self.page = page
        self.thread_id = ""

    async def send(self, kind: str, metadata: dict[str, Any] | None = None, **params: Any) -> Any:
        """Return the response to a request: a stream, or JSON."""
        body = {"type": kind, "params": params, "metadata": metadata or {}}
        result: Any = await self.server.process(json.dumps(body), self.context)
        if hasattr(result, "json"):
            return json.loads(result.json)
        return Stream(result.json_events)

    async def ask(self, text: str, *, detached: bool = True, **metadata: Any) -> Stream:
        """Send a message, in a new thread the first time."""
        metadata |= {"page_id": self.page}
        if detached:
            metadata["detached"] = True
        if self.thread_id:
            sent = {"thread_id": self.thread_id, "input": message(text)}
            stream: Stream = await self.send("threads.add_user_message", metadata, **sent)
            return stream
        stream = await self.send("threads.create", metadata, input=message(text))
        created = await stream.next()
        assert created is not None
        self.thread_id = created["thread"]["id"]
        return stream

    async def follow(self, after: str | None = None, **params: Any) -> Stream:
        """Follow the thread."""
        metadata = {"page_id": self.page}
        sent = {"thread_id": self.thread_id, "after": after, **params}
        stream: Stream = await self.send("threads.follow", metadata, **sent)
        return stream

    async def stop(self, **params: Any) -> str:
        """Stop the thread's turn, and return the status of the response."""
        answer = await self.send("threads.stop", thread_id=self.thread_id, **params)
        return str(answer["status"])

    async def items(self) -> list[dict[str, Any]]:
        """Return the thread's items, oldest first."""
        page = await self.send(
            "items.list",
            {"turn_ends": True},
            thread_id=self.thread_id,
            order="asc",
            limit=100,
        )
        return list(page["data"])

    async def turn(self) -> Any:
        """Return the thread's last turn."""
        return (await self.send("threads.get_by_id", thread_id=self.thread_id))["turn"]

    async def transcript(self) -> list[tuple[str, str]]:
        """Return the types and texts of the thread's items."""
        return [
            (item["type"], "".join(part["text"] for part in item.get("content", ())))
            for item in await self.items()
        ]


class Gate:
    """A point at which a model waits until the test lets it continue."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def __call__(self) -> None:
        self.is_reached.set()
        await self.may_go_on.wait()


@asynccontextmanager
async def chat(answering: Any, **properties: Any) -> AsyncIterator[LiveClient]:
    server_class = properties.pop("server_class", AgentChatKitServer)
    async with SQLStore[Any]("sqlite://") as store:
        server = server_class(answering, store, **properties)
        yield LiveClient(server)
        await server.close(grace=0)


async def settled(client: LiveClient) -> str:
    """Wait until the thread's turn ends, and return its state."""
    following = await client.follow()
    state = await following.until("thread.state")
    turn = state["turn"]
    while turn["state"] == "running":
        turn = (await following.until("turn.updated"))["turn"]
    await following.close()
    return str(turn["state"])


def hold_commits(client: LiveClient, may_write: asyncio.Event) -> None:
    """Make the commits of runs wait for an event."""
    turns: Any = client.server.store.turns

    def held(write: Any) -> Any:
        async def when_it_may(*given: Any, **options: Any) -> Any:
            await may_write.wait()
            return await write(*given, **options)

        return when_it_may

    turns.append, turns.commit = held(turns.append), held(turns.commit)


async def bury(dead: SQLStore[Any], living: SQLStore[Any]) -> None:
    """Make a worker appear dead, as after seconds without a heartbeat."""
    dead.database.heartbeat = None
    name = dead.leases.worker
    statement = delete(workers).where(workers.c.id == name)
    await living.database.write(lambda connection: connection.execute(statement))
