"""How a turn stands, and how it ended: kept with the thread, and shown."""

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
"""How a turn stands. `waiting` is for a person; `interrupted` is left by a worker that died."""

UNCLEAN = frozenset({"stopped", "failed", "interrupted", "timed_out"})
"""The states of turns whose run was cut short: a service may not know how it ended."""

SILENT = frozenset({"running", "completed", "waiting", ""})
"""The states that need no item in the thread."""

MESSAGES: dict[str, str] = {
    "stopped": "This answer was stopped.",
    "failed": "This answer failed.",
    "interrupted": "This answer was interrupted.",
    "timed_out": "This answer took too long and was stopped.",
    "length": "This answer is too long, and was cut.",
    "content_filter": "This answer was cut by a content filter.",
    "refused": "The model refused to answer.",
}
"""What a person may read of how a turn ended, unless the server has more to say."""

OF_FINISH_REASON: dict[str, TurnState] = {
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "refused",
}
"""The states that a model's reason to stop leads to."""


def turn_json(turn: TurnRow | None) -> dict[str, Any] | None:
    """Return what clients are told of a thread's last turn."""
    if turn is None or not turn.id:
        return None
    ended_at = None
    if turn.ended_at is not None:
        ended_at = datetime.fromtimestamp(turn.ended_at, timezone.utc).isoformat()
    return {"id": turn.id, "state": turn.state, "ended_at": ended_at}
