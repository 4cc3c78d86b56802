"""The thread item that marks how a turn ended."""

from __future__ import annotations

from chatkit.types import EndOfTurnItem


class TurnEndItem(EndOfTurnItem):
    """Marks the end of a turn that did not simply complete.

    ChatKit's own clients do not show it.

    Attributes:
        turn_id: The turn's ID.
        state: The state in which the turn ended; empty for ChatKit's own items.
        message: A message for the user.
        allow_retry: Whether to offer a retry.
    """

    turn_id: str = ""
    state: str = ""
    message: str | None = None
    allow_retry: bool = False
