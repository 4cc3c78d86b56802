"""Tracks changes to a thread's metadata while a turn runs."""

from __future__ import annotations

import logging

from chatkit.types import ThreadMetadata

from ..error_log import log_error
from ..stores.sql.turn_rows import ThreadChange

logger = logging.getLogger(__name__)


class RunThread:
    """Detects the run's own changes to a thread's metadata, and applies those of others.

    Args:
        thread: The metadata, which the run's code changes in place.
    """

    def __init__(self, thread: ThreadMetadata) -> None:
        self._thread = thread
        self._known = thread.model_copy(deep=True)

    def take_change(self) -> ThreadChange | None:
        """Return the change since the last call, or `None` if there is none.

        Metadata that cannot be stored is reset to its last valid state.
        """
        if self._thread == self._known:
            return None
        try:
            changed = self._thread.model_copy(deep=True)
            ThreadMetadata.model_validate(changed.model_dump(mode="json", warnings="error"))
        except (TypeError, ValueError):
            log_error(
                logger,
                "The new metadata of thread %r cannot be stored; keeping the old metadata.",
                self._thread.id,
            )
            for name, value in self._known.model_copy(deep=True):
                setattr(self._thread, name, value)
            return None
        before, self._known = self._known, changed
        return ThreadChange(before, changed)

    def apply(self, thread: ThreadMetadata, unwritten: ThreadChange | None) -> None:
        """Apply the changes that others made.

        Args:
            thread: The stored thread.
            unwritten: The run's own change that is not stored yet.
        """
        for name in type(thread).model_fields:
            known = getattr(self._known, name)
            is_unwritten = unwritten is not None and getattr(unwritten.before, name) != known
            if getattr(self._thread, name) == known and not is_unwritten:
                setattr(self._thread, name, getattr(thread, name))
                setattr(self._known, name, getattr(thread, name))


def with_change(thread: ThreadMetadata, change: ThreadChange | None) -> ThreadMetadata:
    """Return a thread with a run's change applied."""
    if change is None:
        return thread
    changed = {
        name: getattr(change.after, name)
        for name in type(thread).model_fields
        if getattr(change.after, name) != getattr(change.before, name)
    }
    return thread.model_copy(update=changed)
