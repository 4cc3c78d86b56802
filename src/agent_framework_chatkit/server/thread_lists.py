"""Notifies the clients that follow an owner's list of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DELETED_KNOWN_FOR = 10.0
"""Seconds to remember the ID of a deleted thread, for followers that are notified late."""


class ThreadLists:
    """Notifies clients of changes in an owner's threads."""

    def __init__(self) -> None:
        self._followers: dict[str, set[Callable[[int], None]]] = {}
        """Callbacks by owner. They are called with the key of a changed thread."""
        self.deleted_ids: dict[int, str] = {}
        """The IDs of threads that were just deleted here, by key."""

    @property
    def owners(self) -> list[str]:
        """The owners whose lists are followed here."""
        return list(self._followers)

    def follow(self, owner: str, tell: Callable[[int], None]) -> None:
        """Notify a client of changes in an owner's threads."""
        self._followers.setdefault(owner, set()).add(tell)

    def unfollow(self, owner: str, tell: Callable[[int], None]) -> None:
        """Stop notifying a client."""
        followers = self._followers.get(owner, set())
        followers.discard(tell)
        if not followers:
            self._followers.pop(owner, None)

    def thread_changed(self, owner: str, key: int) -> None:
        """Notify the followers of an owner's list that a thread changed."""
        for tell in tuple(self._followers.get(owner, ())):
            tell(key)

    def thread_deleted(self, owner: str, key: int, thread_id: str) -> None:
        """Notify the followers of an owner's list that a thread was deleted."""
        if owner in self._followers:
            self.deleted_ids[key] = thread_id
            loop = asyncio.get_running_loop()
            loop.call_later(DELETED_KNOWN_FOR, self.deleted_ids.pop, key, None)
            self.thread_changed(owner, key)
