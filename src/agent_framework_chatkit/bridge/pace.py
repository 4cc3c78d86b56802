"""Limits how often a growing text is sent as a whole."""

from __future__ import annotations


class Pace:
    """Decides when a text has grown enough to be sent again.

    It is sent each time it has grown by a 32nd, so that the total is a fixed multiple of the
    text's length, and each step still looks like streaming.
    """

    def __init__(self) -> None:
        self._sent = 0

    def is_due(self, length: int) -> bool:
        """Return whether to send a text of this length; if so, it counts as sent."""
        if length <= self._sent + self._sent // 32:
            return False
        self._sent = length
        return True
