"""The clients that follow an owner's list of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DELETED_KNOWN_FOR = 10.0
"""Seconds that the id of a deleted thread is known, for those who hear of it late."""


class ThreadLists:
    """Tells clients which of an owner's threads have changed."""

    def __init__(self) -> None:
        self._followers: dict[str, set[Callable[[int], None]]] = {}
        """By owner: called with the key of a thread that has changed."""
        self.deleted_ids: dict[int, str] = {}
        """The ids of threads that were deleted here a moment ago, by their keys."""

    @property
    def owners(self) -> list[str]:
        """Whose lists are followed here."""
        return list(self._followers)

    def follow(self, owner: str, tell: Callable[[int], None]) -> None:
        """Have a client told of changes in an owner's threads."""
        self._followers.setdefault(owner, set()).add(tell)

    def unfollow(self, owner: str, tell: Callable[[int], None]) -> None:
        """Tell a client no more."""
        followers = self._followers.get(owner, set())
        followers.discard(tell)
        if not followers:
            self._followers.pop(owner, None)

    def thread_changed(self, owner: str, key: int) -> None:
        """Tell those who follow an owner's list that a thread has changed."""
        for tell in tuple(self._followers.get(owner, ())):
            tell(key)

    def thread_deleted(self, owner: str, key: int, thread_id: str) -> None:
        """Tell those who follow an owner's list that a thread was deleted."""
        if owner in self._followers:
            self.deleted_ids[key] = thread_id
            loop = asyncio.get_running_loop()
            loop.call_later(DELETED_KNOWN_FOR, self.deleted_ids.pop, key, None)
            self.thread_changed(owner, key)
