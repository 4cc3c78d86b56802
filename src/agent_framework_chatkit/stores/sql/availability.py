"""Detects that a database does not respond, and lets code wait until it does."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError

logger = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_EVERY = 0.5
"""Seconds between two attempts while the database does not respond."""

is_patient: ContextVar[bool] = ContextVar("is_patient", default=False)
"""Whether the current code waits, instead of failing, while the database does not respond."""


class OutcomeUnknownError(SQLAlchemyError):
    """The connection was lost during a commit, so the transaction may or may not be stored."""


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database is unavailable, locked or full, so that a retry may succeed."""
    kinds = (InterfaceError, NoConnectionError, OperationalError, OutcomeUnknownError)
    return is_disconnected(error) or isinstance(error, kinds)


def is_disconnected(error: BaseException) -> bool:
    """Return whether the connection is lost."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_conflict(error: BaseException) -> bool:
    """Return whether PostgreSQL aborted this transaction because of another one.

    It does so to resolve a deadlock. A thread that the transaction has just found may also be gone,
    in spite of the lock, if another one had changed and deleted it.
    """
    return _state(error) in ("40P01", "23503")


def is_stalled(error: BaseException | None) -> bool:
    """Return whether PostgreSQL aborted this transaction because it waited too long for us."""
    return _state(error) == "25P03"


def _state(error: BaseException | None) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


class Availability:
    """Tracks whether a database responds, and logs changes.

    Attributes:
        is_closing: Whether to stop waiting for the database.
    """

    def __init__(self) -> None:
        self.is_closing = False
        self._is_gone = False
        self._successes = 0
        self._lock = threading.Lock()

    @contextmanager
    def tracked(self, *, is_writing: bool = True) -> Iterator[None]:
        """Record whether the database responds within the block.

        Args:
            is_writing: Whether a success means that the database responds again. A read does not:
                a locked database can often still be read.
        """
        before = self._successes
        try:
            yield
        except BaseException as error:
            if is_unavailable(error) and not is_conflict(error):
                self._note_failure(error, before)
            raise
        if is_writing:
            self._note_success()

    def _note_failure(self, error: BaseException, successes_before: int) -> None:
        with self._lock:
            # A failure of an attempt that started before the last success is out of date.
            if self._is_gone or self._successes != successes_before:
                return
            self._is_gone = True
        logger.warning("The database does not respond; trying again: %s", brief(error))

    def _note_success(self) -> None:
        with self._lock:
            self._successes += 1
            if not self._is_gone:
                return
            self._is_gone = False
        logger.warning("The database responds again.")

    async def retry(self, attempt: Callable[[], Awaitable[T]], *, is_repeatable: bool = True) -> T:
        """Repeat an attempt while the database does not respond.

        Args:
            attempt: The attempt.
            is_repeatable: Whether to repeat it even if it may have succeeded.
        """
        while True:
            try:
                return await attempt()
            except SQLAlchemyError as error:
                is_done = isinstance(error, OutcomeUnknownError) and not is_repeatable
                if self.is_closing or is_done or not is_unavailable(error):
                    raise
            await asyncio.sleep(RETRY_EVERY)

    async def retry_if_patient(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make an attempt that must succeed only once; repeat it if the current code may wait."""
        if not is_patient.get():
            return await attempt()
        return await self.retry(attempt, is_repeatable=False)


def brief(error: BaseException) -> str:
    """Return the first line of the database's own error message."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
