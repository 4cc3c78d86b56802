"""Joins rapid text deltas into fewer events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from pydantic_core import to_json

from .event_log import TextDelta


class TextJoiner:
    """Joins the text deltas of a content part, and sends them at intervals.

    Args:
        send: Called with a delta's JSON and the delta.
        interval: Seconds between two calls of `tick`; 0 sends each delta separately.
    """

    def __init__(self, send: Callable[[bytes, TextDelta], object], interval: float) -> None:
        self._send = send
        self._interval = interval
        self._part = ("", 0)
        """The item and the content part that the text belongs to."""
        self._head = b""
        """The event's JSON before the text."""
        self._deltas: list[str] = []
        self.size = 0
        """The number of waiting characters."""
        self._may_send = True

    def add(self, item_id: str, content_index: int, delta: str) -> None:
        """Add a delta to the text of an item's content part."""
        part = (item_id, content_index)
        if part != self._part:
            self.flush()
            self._part = part
            self._head = (
                b'{"type":"thread.item.updated","item_id":%b,"update":{"type":'
                b'"assistant_message.content_part.text_delta","content_index":%d,"delta":'
                % (_json(item_id), content_index)
            )
        self._deltas.append(delta)
        self.size += len(delta)
        if not self._interval:
            self.flush()
        elif self._may_send:
            self._may_send = False
            # Include the other deltas that arrive in this iteration of the event loop.
            asyncio.get_running_loop().call_soon(self.flush)

    def tick(self) -> None:
        """Send the waiting text. Called every interval."""
        if self._deltas:
            self.flush()
        else:
            self._may_send = True

    def drop(self) -> None:
        """Drop the waiting text."""
        self._deltas.clear()
        self.size = 0

    def flush(self) -> None:
        """Send the waiting text as one delta."""
        if not self._deltas:
            return
        delta = "".join(self._deltas)
        self._deltas.clear()
        self.size = 0
        self._send(b"%b%b}}" % (self._head, _json(delta)), TextDelta(*self._part, delta))


def _json(text: str) -> bytes:
    try:
        return to_json(text)
    except ValueError:
        return json.dumps(text).encode()
