"""Room for a file, before its bytes come: what an owner may store, and how much of it unsent."""

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
"""How long an attachment may wait to be sent."""


@dataclass(frozen=True)
class OwnerLimits:
    """How many files, and how many bytes, an owner may have stored; `None` is no limit."""

    files: int | None
    stored: int | None


class Reservations:
    """Reserves room for files.

    Args:
        metadata: The store that keeps the attachments themselves. What is stored is limited if it
            can count and add in one step, as `SQLStore.reserve_attachment` does.
        notes: Count what has not been sent.
        max_unsent: How many unsent attachments an owner may have.
        limits: What owners may store.
        visitor_limits: What visitors may store.
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
        """Keep a new attachment, and delete it if the block fails or the request is cancelled.

        Args:
            attachment: The attachment. The `size` in its metadata is what it counts for.
            context: Names the owner.

        Raises:
            AttachmentLimitReachedError: The owner may not have one more.
        """
        owner = owner_of(context)
        try:
            # It is noted first and counted then, so that uploads at once count one another.
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
                "You have stored as many files as this chat keeps for you. Delete chats that have "
                "files, and try again."
            )

    async def _release(self, attachment_id: str, context: Any) -> None:
        with suppress(NotFoundError):
            await self._metadata.delete_attachment(attachment_id, context)
        await self._notes.delete(attachment_id)


_running: set[asyncio.Task[None]] = set()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do something even if the request that asks for it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.shield(task)
