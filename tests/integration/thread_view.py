"""A client's view of a thread, built from events."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from chatkit.types import ThreadItem, ThreadItemUpdatedEvent
from pydantic import TypeAdapter

from agent_framework_chatkit.bridge.item_updates import apply_update

ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)


@dataclass(frozen=True)
class Frame:
    """A server-sent event.

    Attributes:
        id: The ID of the event to resume after.
        data: The event's data; `None` if it only concerns the connection.
        retry: The delay before reconnecting.
    """

    id: str | None
    data: dict[str, Any] | None
    retry: str | None = None

    @property
    def type(self) -> str:
        return "" if self.data is None else str(self.data["type"])


def parse_frame(text: str) -> Frame:
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.strip()
    data = json.loads(fields["data"]) if "data" in fields else None
    return Frame(fields.get("id"), data, fields.get("retry"))


@dataclass
class View:
    """A client's view of a thread. Each event must fit the previous ones."""

    thread: dict[str, Any] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: dict[str, ThreadItem] = field(default_factory=dict)
    turn: dict[str, Any] | None = None
    is_deleted: bool = False
    seen: set[str] = field(default_factory=set)
    """The IDs of the events."""
    after: str | None = None
    """The ID of the newest event."""

    def apply(self, frame: Frame) -> None:
        if frame.id is not None:
            if frame.type == "thread.state":
                # A worker may be behind another, so events after this state may come again.
                self.seen.clear()
            else:
                assert frame.id not in self.seen, f"{frame.id} arrived twice"
                self.seen.add(frame.id)
            self.after = frame.id
        if frame.data is not None:
            self._apply(frame.data)

    def _apply(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "thread.state":
            assert event["can_follow"] is True
            self.thread = event["thread"]
            self.items = {item["id"]: item for item in event["items"]["data"][::-1]}
            self.open = {item["id"]: ITEM.validate_python(item) for item in event["open_items"]}
            assert not self.items.keys() & self.open.keys()
            self.turn = event["turn"]
        elif kind in ("thread.created", "thread.updated"):
            self.thread = event["thread"]
        elif kind == "thread.item.added":
            item = ITEM.validate_python(event["item"])
            assert item.id not in self.open, "an item is added once"
            assert item.id not in self.items, "a finished item is not added again"
            self.open[item.id] = item
        elif kind == "thread.item.updated":
            assert event["item_id"] in self.open, "only open items are updated"
            update = ThreadItemUpdatedEvent.model_validate(event).update
            apply_update(self.open[event["item_id"]], update)
        elif kind == "thread.item.done":
            item = event["item"]
            assert item["id"] not in self.items, "an item is finished once"
            self.open.pop(item["id"], None)
            self.items[item["id"]] = item
        elif kind == "thread.item.replaced":
            assert event["item"]["id"] in self.items, "only existing items are replaced"
            self.items[event["item"]["id"]] = event["item"]
        elif kind == "thread.item.removed":
            was = self.open.pop(event["item_id"], None), self.items.pop(event["item_id"], None)
            assert any(was), "only existing items are removed"
        elif kind == "turn.updated":
            self.turn = event["turn"]
            assert self.turn is not None
            if self.turn["state"] != "running":
                assert not self.open, "no item is open when a turn ends"
        elif kind == "thread.deleted":
            self.is_deleted = True
        else:
            assert kind in ("stream_options", "progress_update", "notice", "error"), event

    @property
    def state(self) -> str | None:
        return None if self.turn is None else str(self.turn["state"])

    @property
    def turn_id(self) -> str | None:
        return None if self.turn is None else str(self.turn["id"])

    @property
    def texts(self) -> list[str]:
        """The texts of the finished messages."""
        return [text_of(item) for item in self.items.values() if "content" in item]

    @property
    def open_text(self) -> str:
        """The text of the open message."""
        return "".join(
            text_of(item.model_dump()) for item in self.open.values() if hasattr(item, "content")
        )

    def copy(self) -> View:
        """Return a copy of the view for another stream."""
        return copy.deepcopy(self)

    @property
    def newest_question(self) -> str:
        asked = [item for item in self.items.values() if item["type"] == "user_message"]
        return text_of(asked[-1]) if asked else ""

    @property
    def newest_answer(self) -> str:
        """The finished part of the answer to the newest question."""
        answer = ""
        for item in self.items.values():
            if item["type"] == "user_message":
                answer = ""
            elif item["type"] == "assistant_message":
                answer += text_of(item)
        return answer

    @property
    def newest_text(self) -> str:
        return self.open_text or (self.texts[-1] if self.texts else "")


def text_of(item: dict[str, Any]) -> str:
    return "".join(part["text"] for part in item.get("content", ()))


def brief(items: list[dict[str, Any]]) -> list[str]:
    """Return short descriptions of items, to show differences."""
    return [f"{item['created_at']} {item['id']}: {text_of(item)[:80]!r}" for item in items]
