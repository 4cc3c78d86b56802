"""The thread item that marks how a turn ended."""

from __future__ import annotations

import secrets

from chatkit.types import EndOfTurnItem
from pydantic import Field


class TurnEndItem(EndOfTurnItem):
    """Marks the end of a turn that did not simply complete.

    ChatKit's own clients do not show it. Its ID does not come from the app, which may fail or need
    a context, because every turn must end.

    Attributes:
        turn_id: The turn's ID.
        state: The state in which the turn ended; empty for ChatKit's own items.
        message: A message for the user.
        allow_retry: Whether to offer a retry.
    """

    id: str = Field(default_factory=lambda: f"msg_{secrets.token_hex(16)}")
    turn_id: str = ""
    state: str = ""
    message: str | None = None
    allow_retry: bool = False
