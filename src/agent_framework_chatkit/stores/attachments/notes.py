"""Notes stored beside the files: their owners, and which are unsent."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from chatkit.store import NotFoundError, Store

from ..owners import OwnerContext
from .keys import file_key, incoming_key, owner_key, unsent_folder, unsent_key
from .object_storage import ObjectStorage


class Notes:
    """Keeps the owners and the unsent state of attachments, for uses without a context.

    These are signed links and the deletion of old attachments. An attachment is sent when its
    metadata has a thread, so a note that it is unsent may be out of date: `sweep` compares the
    notes with the metadata.

    Args:
        storage: The storage of the files and notes.
        metadata: The store of the attachments' metadata.
    """

    def __init__(self, storage: ObjectStorage, metadata: Store[Any]) -> None:
        self._storage = storage
        self._metadata = metadata

    async def add(self, attachment_id: str, owner: str) -> None:
        """Record a new attachment's owner, and that it is unsent."""
        await self._storage.put(owner_key(attachment_id), owner.encode())
        await self._storage.put(unsent_key(owner, attachment_id), b"")

    async def owner(self, attachment_id: str) -> str | None:
        """Return an attachment's owner, if known."""
        owner = await self._storage.get(owner_key(attachment_id))
        return None if owner is None else owner.decode()

    async def count_unsent(self, owner: str) -> int:
        """Return the number of an owner's attachments that are unsent or not swept yet."""
        return len(await self._storage.entries(unsent_folder(owner)))

    async def delete(self, attachment_id: str) -> None:
        """Delete an attachment's bytes and notes."""
        owner = await self.owner(attachment_id)
        if owner is not None:
            await self._storage.delete(unsent_key(owner, attachment_id))
        for key in (file_key, incoming_key, owner_key):
            await self._storage.delete(key(attachment_id))

    async def sweep(self, before: datetime, owner: str | None = None) -> None:
        """Remove the unsent notes of sent attachments, and delete old unsent attachments.

        Args:
            before: Delete unsent attachments uploaded until this time.
            owner: The owner; by default, all owners.
        """
        folder = "unsent" if owner is None else unsent_folder(owner)
        for key, written in await self._storage.entries(folder):
            attachment_id = key.rpartition("/")[2]
            its_owner = await self.owner(attachment_id)
            context = None if its_owner is None else OwnerContext(its_owner)
            attachment = None
            if context is not None:
                # The attachment may be deleted, or was never saved because the process ended.
                with suppress(NotFoundError):
                    attachment = await self._metadata.load_attachment(attachment_id, context)
            if attachment is not None and attachment.thread_id is not None:
                await self._storage.delete(key)
            elif written <= before:
                await self.delete(attachment_id)
                await self._storage.delete(key)
                if attachment is not None:
                    await self._metadata.delete_attachment(attachment_id, context)
