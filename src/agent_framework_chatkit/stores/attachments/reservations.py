"""Reserves an owner's space for a file before its bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment

from ..owners import owner_of, value_of
from .errors import AttachmentLimitReachedError
from .notes import Notes

ABANDONED_AFTER = timedelta(days=1)
"""The maximum age of an unsent attachment."""


@dataclass(frozen=True)
class OwnerLimits:
    """The maximum number and total bytes of an owner's stored files; `None` means no limit."""

    files: int | None
    stored: int | None


class Reservations:
    """Reserves space for files.

    Args:
        metadata: The store of the attachments' metadata. The limits apply only if it can check them
            and add an attachment in one step, like `SQLStore.reserve_attachment`.
        notes: Counts the unsent attachments.
        max_unsent: The maximum number of an owner's unsent attachments.
        limits: The limits of owners.
        visitor_limits: The limits of visitors.
    """

    def __init__(
        self,
        metadata: Store[Any],
        notes: Notes,
        max_unsent: int,
        limits: OwnerLimits,
        visitor_limits: OwnerLimits,
    ) -> None:
        self._metadata = metadata
        self._notes = notes
        self._max_unsent = max_unsent
        self._limits = limits
        self._visitor_limits = visitor_limits

    @asynccontextmanager
    async def reserve(self, attachment: Attachment, context: Any) -> AsyncIterator[None]:
        """Save a new attachment, and delete it if the block fails or the request is cancelled.

        Args:
            attachment: The attachment. The `size` in its metadata counts towards the limits.
            context: Names the owner.

        Raises:
            AttachmentLimitReachedError: If the owner has reached a limit.
        """
        owner = owner_of(context)
        try:
            # Record it before counting, so that concurrent uploads count each other.
            await self._notes.add(attachment.id, owner)
            await self._check_unsent(owner)
            await self._save(attachment, context)
            yield
        except BaseException:
            await _to_the_end(self._release(attachment.id, context))
            raise

    async def _check_unsent(self, owner: str) -> None:
        if await self._notes.count_unsent(owner) > self._max_unsent:
            await self._notes.sweep(datetime.now(timezone.utc) - ABANDONED_AFTER, owner)
            if await self._notes.count_unsent(owner) > self._max_unsent:
                raise AttachmentLimitReachedError

    async def _save(self, attachment: Attachment, context: Any) -> None:
        limits = self._visitor_limits if value_of(context, "is_visitor") else self._limits
        reserve = getattr(self._metadata, "reserve_attachment", None)
        if reserve is None or limits == OwnerLimits(None, None):
            await self._metadata.save_attachment(attachment, context)
        elif not await reserve(
            attachment, context, max_files=limits.files, max_stored=limits.stored
        ):
            raise AttachmentLimitReachedError(
                "You have reached this chat's limit for stored files. Delete chats with files and "
                "try again."
            )

    async def _release(self, attachment_id: str, context: Any) -> None:
        with suppress(NotFoundError):
            await self._metadata.delete_attachment(attachment_id, context)
        await self._notes.delete(attachment_id)


_running: set[asyncio.Task[None]] = set()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await a coroutine, which continues even if the caller is cancelled."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.shield(task)
