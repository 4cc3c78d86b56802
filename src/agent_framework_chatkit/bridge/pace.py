"""How often a growing text is sent if it can only be sent whole."""

from __future__ import annotations


class Pace:
    """Says when a text has grown enough to be sent again.

    It grows by a 32nd between two sendings, so that what is sent adds up to a multiple of the
    text's length, however long it gets, while each step still looks like streaming.
    """

    def __init__(self) -> None:
        self._sent = 0

    def is_due(self, length: int) -> bool:
        """Return whether a text that is now this long is to be sent; if so, it counts as sent."""
        if length <= self._sent + self._sent // 32:
            return False
        self._sent = length
        return True
