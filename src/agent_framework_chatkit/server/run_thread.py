"""A thread's metadata while a turn runs: tools change it, and so do others."""

from __future__ import annotations

import logging

from chatkit.types import ThreadMetadata

from ..stores.sql.turn_rows import ThreadChange

logger = logging.getLogger(__name__)


class RunThread:
    """Tells what has changed of a thread's metadata.

    Args:
        thread: The metadata, which the run's code changes in place.
    """

    def __init__(self, thread: ThreadMetadata) -> None:
        self._thread = thread
        self._known = thread.model_copy(deep=True)

    def take_change(self) -> ThreadChange | None:
        """Return what was changed since this was called last, if something was.

        What cannot be stored is set back.
        """
        if self._thread == self._known:
            return None
        try:
            changed = self._thread.model_copy(deep=True)
            ThreadMetadata.model_validate(changed.model_dump(mode="json", warnings="error"))
        except (TypeError, ValueError):
            logger.exception(
                "Thread %r was given metadata that cannot be stored; it stays as it was.",
                self._thread.id,
            )
            for name, value in self._known.model_copy(deep=True):
                setattr(self._thread, name, value)
            return None
        before, self._known = self._known, changed
        return ThreadChange(before, changed)

    def learn(self, thread: ThreadMetadata, unwritten: ThreadChange | None) -> None:
        """Take over what others have changed.

        Args:
            thread: The thread as it is stored.
            unwritten: What the run has changed and is yet to be stored.
        """
        for name in type(thread).model_fields:
            known = getattr(self._known, name)
            is_unwritten = unwritten is not None and getattr(unwritten.before, name) != known
            if getattr(self._thread, name) == known and not is_unwritten:
                setattr(self._thread, name, getattr(thread, name))
                setattr(self._known, name, getattr(thread, name))


def with_change(thread: ThreadMetadata, change: ThreadChange | None) -> ThreadMetadata:
    """Return a thread with what a run has changed of it."""
    if change is None:
        return thread
    changed = {
        name: getattr(change.after, name)
        for name in type(thread).model_fields
        if getattr(change.after, name) != getattr(change.before, name)
    }
    return thread.model_copy(update=changed)
