"""Clients of simulated workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from chatkit.types import ThreadItem, ThreadItemUpdate
from pydantic import TypeAdapter

from agent_framework_chatkit.bridge.item_updates import apply_update

from .simulation import SimulatedWorker

ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
UPDATE: TypeAdapter[ThreadItemUpdate] = TypeAdapter(ThreadItemUpdate)

Event = tuple[str | None, dict[str, Any]]
"""An event, and its ID if it has one."""


class View:
    """The thread as a client shows it after the events that it read."""

    def __init__(self) -> None:
        self.thread: dict[str, Any] = {}
        self.items: dict[str, Any] = {}
        self.turn: dict[str, Any] | None = None
        self.is_deleted = False
        self.has_state = False

    def apply(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "thread.state":
            self.has_state = True
            self.thread = event["thread"]
            self.turn = event["turn"]
            self.items = {item["id"]: item for item in event["items"]["data"][::-1]}
            for item in event["open_items"]:
                self.items[item["id"]] = item
        elif kind in ("thread.created", "thread.updated"):
            self.thread = event["thread"]
        elif kind in ("thread.item.added", "thread.item.done", "thread.item.replaced"):
            self.items[event["item"]["id"]] = event["item"]
        elif kind == "thread.item.removed":
            self.items.pop(event["item_id"], None)
        elif kind == "thread.item.updated":
            found = self.items.get(event["item_id"])
            if found is not None:
                item = ITEM.validate_python(found)
                apply_update(item, UPDATE.validate_python(event["update"]))
                self.items[item.id] = json.loads(item.model_dump_json(exclude_none=True))
        elif kind == "turn.updated":
            self.turn = event["turn"]
        elif kind == "thread.deleted":
            self.is_deleted = True


class Client:
    """A connection that reads events.

    Args:
        worker: The worker to connect to.
        context: The owner's context.
        kind: The request.
        params: Its parameters.
        metadata: Its metadata.
        waits: The seconds between two reads.
        on_event: Called with each event, its ID and its JSON.
    """

    def __init__(
        self,
        worker: SimulatedWorker,
        context: Any,
        kind: str,
        params: dict[str, Any],
        metadata: dict[str, Any],
        waits: float,
        on_event: Callable[[Client, Event, str], None],
    ) -> None:
        self.worker = worker
        self.kind = kind
        self.params = params
        self.metadata = metadata
        self.waits = waits
        self.view = View()
        self.past: list[Event] = []
        """The events of the previous connections."""
        self.events: list[Event] = []
        self.is_whole = kind == "threads.create"
        """Whether it read all events so far, or received the thread's state."""
        self.is_repeat = False
        """Whether the request was sent before."""
        self.error: BaseException | None = None
        self.has_left = False
        self.is_done = False
        self.thread_id: str = params.get("thread_id", "")
        self._context = context
        self._on_event = on_event
        self._task = worker.start(self._read())

    @property
    def is_following(self) -> bool:
        return self.kind == "threads.follow"

    @property
    def is_detached(self) -> bool:
        return bool(self.metadata.get("detached"))

    @property
    def is_open(self) -> bool:
        return not (self.is_done or self.has_left or self.worker.is_dead)

    @property
    def ids(self) -> list[str]:
        return [event_id for event_id, _ in self.events if event_id is not None]

    def types(self) -> list[str]:
        return [event["type"] for _, event in self.events]

    def log(self) -> str:
        """Return a readable list of the events."""
        return "\n".join(
            f"{event_id}: {json.dumps(event)[:400]}"
            for event_id, event in [*self.past, *self.events]
        )

    def go_on(self, other: Client, index: int) -> None:
        """Show the thread as another client did after one of its events."""
        self.is_whole = other.is_whole
        self.past = [*other.past, *other.events[: index + 1]]
        for _, event in self.past:
            self.view.apply(event)

    def leave(self) -> None:
        """Close the connection."""
        self.has_left = True
        self._task.cancel()

    async def _read(self) -> None:
        body = {"type": self.kind, "params": self.params, "metadata": self.metadata}
        try:
            result: Any = await self.worker.server.process(json.dumps(body), self._context)
            try:
                async for frames in result.batches:
                    for frame in b"".join(frames).split(b"\n\n"):
                        self._take(frame)
                    if self.waits:
                        await asyncio.sleep(self.waits)
            finally:
                await result.batches.aclose()
        except Exception as error:
            self.error = error
        finally:
            self.is_done = True

    def _take(self, frame: bytes) -> None:
        if self.worker.is_dead or self.has_left:
            return
        lines = frame.decode().split("\n")
        event_id = next((each[4:] for each in lines if each.startswith("id: ")), None)
        data = next((each[6:] for each in lines if each.startswith("data: ")), None)
        if data is None:
            return
        event = json.loads(data)
        self.events.append((event_id, event))
        self.view.apply(event)
        if event["type"] == "thread.created":
            self.thread_id = event["thread"]["id"]
        self._on_event(self, (event_id, event), data)
