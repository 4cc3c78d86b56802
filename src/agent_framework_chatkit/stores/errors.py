"""Errors of stores, besides ChatKit's own `NotFoundError`."""

from __future__ import annotations


class ThreadBusyError(Exception):
    """Another turn of the thread is running.

    Attributes:
        thread_id: The thread's ID.
    """

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"Another turn of thread {thread_id!r} is running.")
        self.thread_id = thread_id


class NewerDatabaseError(RuntimeError):
    """A newer version of this package changed the database's tables."""
