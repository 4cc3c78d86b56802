"""Notifies the clients that follow an owner's list of threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..stores.sql.log import ThreadLog
from ..stores.sql.turn_rows import ListedThread

CHECK_ALL_EVERY = 1.0
"""The minimum number of seconds between two checks of all threads."""

DELETED_KNOWN_FOR = 10.0
"""Seconds to remember the ID of a deleted thread, for followers that are notified late."""


class ThreadLists:
    """Notifies clients of changes in an owner's threads.

    Args:
        log: Reads the threads.
    """

    def __init__(self, log: ThreadLog) -> None:
        self._log = log
        self._followers: dict[str, set[Callable[[int], None]]] = {}
        """Callbacks by owner. They are called with the key of a changed thread."""
        self._compared: set[str] = set()
        """The owners whose lists are compared with what other workers write."""
        self._seen: dict[int, ListedThread] = {}
        """Their threads as they were last read, by key."""
        self._check_all_at = 0.0
        self.deleted_ids: dict[int, str] = {}
        """The IDs of threads that were just deleted here, by key."""

    @property
    def are_followed(self) -> bool:
        """Whether anybody follows a list here."""
        return bool(self._followers)

    async def begin(self, owner: str) -> None:
        """Start to compare an owner's threads with what other workers write."""
        if owner in self._compared:
            return
        threads = await self._log.listed([owner])
        if owner in self._followers:
            self._compared.add(owner)
            for thread in threads:
                self._seen.setdefault(thread.key, thread)

    async def check(self, keys: set[int] | None) -> None:
        """Notify the followers of threads that other workers changed.

        Args:
            keys: The keys of the threads that may have changed; `None` for all.
        """
        if keys is None:
            if time.monotonic() < self._check_all_at:
                return
            self._check_all_at = time.monotonic() + CHECK_ALL_EVERY
        missing = await self._compare(keys)
        if missing:
            # They may only be old, or belong to a list that was not followed yet.
            missing = await self._compare({thread.key for thread in missing})
        for thread in missing:
            self.thread_deleted(thread.owner, thread.key, thread.id)

    async def _compare(self, keys: set[int] | None) -> list[ListedThread]:
        """Notify the followers of threads that changed, and return those that are not found."""
        if not self._compared:
            return []
        found = set()
        for thread in await self._log.listed(list(self._compared), keys):
            found.add(thread.key)
            if thread.owner in self._compared and self._seen.get(thread.key) != thread:
                self._seen[thread.key] = thread
                self.thread_changed(thread.owner, thread.key)
        known = self._seen.keys() if keys is None else self._seen.keys() & keys
        return [self._seen[key] for key in known - found]

    def follow(self, owner: str, notify: Callable[[int], None]) -> None:
        """Notify a client of changes in an owner's threads."""
        self._followers.setdefault(owner, set()).add(notify)

    def unfollow(self, owner: str, notify: Callable[[int], None]) -> None:
        """Stop notifying a client."""
        followers = self._followers.get(owner, set())
        followers.discard(notify)
        if not followers:
            self._followers.pop(owner, None)
            self._compared.discard(owner)
            self._seen = {
                key: thread for key, thread in self._seen.items() if thread.owner != owner
            }

    def thread_changed(self, owner: str, key: int) -> None:
        """Notify the followers of an owner's list that a thread changed."""
        for notify in tuple(self._followers.get(owner, ())):
            notify(key)

    def thread_deleted(self, owner: str, key: int, thread_id: str) -> None:
        """Notify the followers of an owner's list that a thread was deleted."""
        self._seen.pop(key, None)
        if owner in self._followers:
            self.deleted_ids[key] = thread_id
            loop = asyncio.get_running_loop()
            loop.call_later(DELETED_KNOWN_FOR, self.deleted_ids.pop, key, None)
            self.thread_changed(owner, key)
