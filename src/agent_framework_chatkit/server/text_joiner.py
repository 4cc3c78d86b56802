"""Joins rapid text deltas into fewer events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from chatkit.types import AssistantMessageContentPartTextDelta
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
        self._part: tuple[str, int, bytes] | None = None
        """The current item and content part, and the event's JSON before the text."""
        self._deltas: list[str] = []
        self.size = 0
        """The number of waiting characters."""
        self._may_send = True

    def add(self, item_id: str, update: AssistantMessageContentPartTextDelta) -> None:
        """Add an item's delta."""
        part = self._part
        if part is not None and part[0] == item_id and part[1] == update.content_index:
            self._deltas.append(update.delta)
            self.size += len(update.delta)
            return
        self.flush()
        head = (
            b'{"type":"thread.item.updated","item_id":%b,"update":{"type":'
            b'"assistant_message.content_part.text_delta","content_index":%d,"delta":'
            % (_json(item_id), update.content_index)
        )
        self._part = (item_id, update.content_index, head)
        self._deltas.append(update.delta)
        if not self._interval:
            self.flush()
        elif self._may_send:
            self._may_send = False
            # Include the other deltas that arrive in this iteration of the event loop.
            asyncio.get_running_loop().call_soon(self.flush)

    def tick(self) -> None:
        """Send the waiting text. Called every interval."""
        if self._part is None:
            self._may_send = True
        else:
            self.flush()

    def flush(self) -> None:
        """Send the waiting text as one delta."""
        if self._part is None:
            return
        item_id, index, head = self._part
        delta = "".join(self._deltas)
        self._part = None
        self._deltas.clear()
        self.size = 0
        self._send(b"%b%b}}" % (head, _json(delta)), TextDelta(item_id, index, delta))


def _json(text: str) -> bytes:
    try:
        return to_json(text)
    except ValueError:
        return json.dumps(text).encode()
