"""Numbers events, and converts them to and from rows of the log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from chatkit.types import Page, ThreadStreamEvent
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError, to_json

from ..stores.sql.turn_rows import LogRow
from ..text import mend_json

PAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The format of a page's ID."""

EVENT: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)

_FIELDS: dict[str, Any] = {
    "by_alias": True,
    "exclude_none": True,
    "context": {"exclude_metadata": True},
}


class TextDelta(NamedTuple):
    """A text delta of a message, kept small because there are many."""

    item_id: str
    content_index: int
    delta: str


@dataclass(eq=False, slots=True)
class Entry:
    """An event of a thread.

    Attributes:
        run: The ID of its run.
        number: Its number within the run, starting at 1.
        data: Its JSON.
        event: The event object, if available. It updates the state of the unfinished items.
        is_passing: Whether only clients that are connected when it happens receive it.
        is_addition: Whether only clients that follow threads receive it.
        page: The ID of the only page that receives it, if any.
        needs_commit: Whether clients must not receive it before it is stored.
        is_internal: Whether no client receives it. It marks the commit of other data.
        is_last: Whether it is the last event of its run.
        has_id: Whether a client may resume after it.
        position: The position of the log row that it was read from; 0 if it was not.
    """

    run: str
    number: int
    data: bytes
    event: ThreadStreamEvent | TextDelta | None = None
    is_passing: bool = False
    is_addition: bool = False
    page: str | None = None
    needs_commit: bool = False
    is_internal: bool = False
    is_last: bool = False
    has_id: bool = True
    position: int = 0
    _frame: bytes = field(default=b"", init=False)
    _plain_frame: bytes = field(default=b"", init=False)

    @property
    def id(self) -> str:
        """The ID with which a client resumes after this event."""
        return f"{self.run}.{self.number}"

    @property
    def frame(self) -> bytes:
        """The frame for clients that can resume."""
        if not self._frame:
            name = f"id: {self.id}\n".encode() if self.has_id else b""
            self._frame = b"%bdata: %b\n\n" % (name, self.data)
        return self._frame

    @property
    def plain_frame(self) -> bytes:
        """The frame for all other clients."""
        if not self._plain_frame:
            self._plain_frame = b"data: %b\n\n" % self.data
        return self._plain_frame


def serialize(value: BaseModel) -> bytes:
    """Return the JSON of an event or a response for clients."""
    value = _in_utc(value)
    try:
        # Serialize subclasses in full: an item may have more fields than ChatKit's class.
        return value.model_dump_json(**_FIELDS, serialize_as_any=True).encode()
    except PydanticSerializationError:
        return to_json(mend_json(value.model_dump(**_FIELDS, serialize_as_any=True)))


def _in_utc(value: BaseModel) -> BaseModel:
    """Return a value with the times of its thread and items in UTC.

    ChatKit's times are in the server's time zone but do not name it; a browser would read them in
    its own time zone.
    """
    if isinstance(value, Page):
        return value.model_copy(update={"data": [_in_utc(each) for each in value.data]})
    changes: dict[str, Any] = {}
    created_at = getattr(value, "created_at", None)
    if isinstance(created_at, datetime):
        changes["created_at"] = created_at.astimezone(timezone.utc)
    for name in ("thread", "item", "items", "updated_item"):
        held = getattr(value, name, None)
        if isinstance(held, BaseModel):
            changes[name] = _in_utc(held)
    return value.model_copy(update=changes) if changes else value


def numbered(run: str, events: Sequence[ThreadStreamEvent]) -> list[Entry]:
    """Return the first entries of a run, numbered from 1."""
    return [Entry(run, number, serialize(event), event) for number, event in enumerate(events, 1)]


def log_row(entries: Sequence[Entry], updates: str | None) -> LogRow:
    """Return a log row that holds consecutive events."""
    return LogRow(
        entries[0].number,
        entries[-1].number,
        "\n".join(f"{_flags(entry)}{entry.data.decode()}" for entry in entries),
        updates,
    )


def read_row(row: LogRow) -> Iterator[Entry]:
    """Yield the events of a log row."""
    for index, line in enumerate(row.data.split("\n") if row.data else ()):
        flags, brace, rest = line.partition("{")
        kind, _, page = flags.partition(" ")
        yield Entry(
            row.run,
            row.first + index,
            (brace + rest).encode(),
            is_passing="p" in kind,
            is_addition="a" in kind,
            page=page.strip() or None,
            is_internal="i" in kind,
            is_last="l" in kind,
            position=row.position,
        )


def parse_id(event_id: str) -> tuple[str, int] | None:
    """Return the run and the number in an event's ID, or `None` if it is not one."""
    run, dot, number = event_id.rpartition(".")
    if not dot or not run or not number.isdecimal() or len(number) > 15:
        return None
    return run, int(number)


def _flags(entry: Entry) -> str:
    flags = (
        ("p" if entry.is_passing else "")
        + ("a" if entry.is_addition else "")
        + ("i" if entry.is_internal else "")
        + ("l" if entry.is_last else "")
    )
    return f"{flags} {entry.page} " if entry.page else flags
