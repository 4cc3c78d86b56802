"""The item that says in a thread how a turn ended."""

from __future__ import annotations

from chatkit.types import EndOfTurnItem


class TurnEndItem(EndOfTurnItem):
    """Marks in the thread where and how a turn ended that did not simply complete.

    ChatKit's own clients show nothing for it.

    Attributes:
        turn_id: The turn.
        state: How it ended; empty for an item that is only ChatKit's.
        message: What a person may read of it.
        allow_retry: Whether to offer another try.
    """

    turn_id: str = ""
    state: str = ""
    message: str | None = None
    allow_retry: bool = False
