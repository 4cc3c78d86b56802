"""Notes beside the files: whose each of them is, and which have not been sent."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from chatkit.store import NotFoundError, Store

from ..owners import OwnerContext
from .keys import file_key, incoming_key, owner_key, unsent_folder, unsent_key
from .object_storage import ObjectStorage


class Notes:
    """Knows attachments where there is no context: by a signed link, and when old ones are deleted.

    An attachment is sent when it has a thread; only its metadata knows. So the notes that it is not
    may be out of date, and are compared with the metadata by `sweep`.

    Args:
        storage: Where the files are, and the notes.
        metadata: The store that keeps the attachments themselves.
    """

    def __init__(self, storage: ObjectStorage, metadata: Store[Any]) -> None:
        self._storage = storage
        self._metadata = metadata

    async def add(self, attachment_id: str, owner: str) -> None:
        """Note whose a new attachment is, and that it has not been sent."""
        await self._storage.put(owner_key(attachment_id), owner.encode())
        await self._storage.put(unsent_key(owner, attachment_id), b"")

    async def owner(self, attachment_id: str) -> str | None:
        """Return whose an attachment is."""
        owner = await self._storage.get(owner_key(attachment_id))
        return None if owner is None else owner.decode()

    async def count_unsent(self, owner: str) -> int:
        """Return how many attachments of an owner have not been sent, or not yet been swept."""
        return len(await self._storage.entries(unsent_folder(owner)))

    async def delete(self, attachment_id: str) -> None:
        """Delete an attachment's bytes, and what is noted of it."""
        owner = await self.owner(attachment_id)
        if owner is not None:
            await self._storage.delete(unsent_key(owner, attachment_id))
        for key in (file_key, incoming_key, owner_key):
            await self._storage.delete(key(attachment_id))

    async def sweep(self, before: datetime, owner: str | None = None) -> None:
        """Forget that sent attachments were unsent, and delete those that have waited too long.

        Args:
            before: When those were uploaded at the latest that have waited too long.
            owner: Whose; everybody's by default.
        """
        folder = "unsent" if owner is None else unsent_folder(owner)
        for key, written in await self._storage.entries(folder):
            attachment_id = key.rpartition("/")[2]
            whose = await self.owner(attachment_id)
            context = None if whose is None else OwnerContext(whose)
            attachment = None
            if context is not None:
                # It may have been deleted, or never saved because the process ended.
                with suppress(NotFoundError):
                    attachment = await self._metadata.load_attachment(attachment_id, context)
            if attachment is not None and attachment.thread_id is not None:
                await self._storage.delete(key)
            elif written <= before:
                await self.delete(attachment_id)
                await self._storage.delete(key)
                if attachment is not None:
                    await self._metadata.delete_attachment(attachment_id, context)
