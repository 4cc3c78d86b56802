"""The states of a turn, which are stored with the thread and shown."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Literal

from ..stores.sql.turn_rows import TurnRow

TurnState = Literal[
    "running",
    "completed",
    "waiting",
    "stopped",
    "failed",
    "interrupted",
    "timed_out",
    "length",
    "content_filter",
    "refused",
]
"""A turn's state.

A `waiting` turn waits for a person. An `interrupted` turn's worker died or stopped.
"""

UNCLEAN = frozenset({"stopped", "failed", "interrupted", "timed_out"})
"""The states of turns that were cut short: a service may not know how they ended."""

SILENT = frozenset({"running", "completed", "waiting", ""})
"""The states that are not shown as an item in the thread."""

MESSAGES: dict[str, str] = {
    "stopped": "This answer was stopped.",
    "failed": "This answer failed.",
    "interrupted": "This answer was interrupted.",
    "timed_out": "This answer took too long and was stopped.",
    "length": "This answer was too long and was cut off.",
    "content_filter": "This answer was cut off by a content filter.",
    "refused": "The model refused to answer.",
}
"""The default message for each state in which a turn ends."""

NOTES = {
    "stopped": "The user cancelled the stream. Stop responding to the prior request.",
    "failed": "The previous answer failed before it was complete.",
    "interrupted": "The previous answer was interrupted before it was complete.",
    "timed_out": "The previous answer took too long and was stopped before it was complete.",
}
"""Tells the agent how the previous turn ended."""

OF_FINISH_REASON: dict[str, TurnState] = {
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "refused",
}
"""The states by the model's finish reason; any other reason means `completed`."""


def turn_json(turn: TurnRow | None) -> dict[str, Any] | None:
    """Return a thread's last turn for clients, or `None` if it has none."""
    if turn is None or not turn.id:
        return None
    last = None if turn.state == "running" else turn.ended_at
    ended_at = None if last is None else iso_time(last)
    return {"id": turn.id, "state": turn.state, "ended_at": ended_at}


def iso_time(seconds: float) -> str:
    """Return a time in seconds since 1970 as text, with its zone."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
