"""Files as they arrive: taken, looked at, and in their place only once they are whole."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable
from contextlib import suppress
from typing import Any

from chatkit.store import Store
from chatkit.types import Attachment

from .errors import (
    AttachmentAlreadyUploadedError,
    AttachmentError,
    AttachmentNotUploadedError,
)
from .keys import file_key, incoming_key
from .media_types import SNIFFED_BYTES
from .object_storage import ObjectStorage
from .upload_check import UploadCheck


class Arrivals:
    """Takes files, from a stream or from where a bucket has put them.

    Args:
        storage: Where the files are.
        metadata: The store that keeps the attachments themselves.
    """

    def __init__(self, storage: ObjectStorage, metadata: Store[Any]) -> None:
        self._storage = storage
        self._metadata = metadata

    async def has_arrived(self, attachment: Attachment) -> bool:
        """Return whether an attachment's bytes have come."""
        return (
            attachment.upload_descriptor is None
            or await self._storage.size(file_key(attachment.id)) is not None
        )

    async def take(
        self,
        attachment: Attachment,
        check: UploadCheck,
        stream: AsyncIterable[bytes],
        context: Any,
    ) -> Attachment:
        """Write a file. It has its place only once it is whole, and only the first one gets it.

        Raises:
            AttachmentAlreadyUploadedError: Another was first.
        """
        part = f"{incoming_key(attachment.id)}.{secrets.token_hex(8)}"
        await self._storage.write(part, check.watch(stream))
        try:
            await self._storage.move(part, file_key(attachment.id))
        except FileExistsError:
            await self._storage.delete(part)
            raise AttachmentAlreadyUploadedError from None
        return await self._settle(attachment, check, context)

    async def whole(self, attachment: Attachment, check: UploadCheck, context: Any) -> Attachment:
        """Return an attachment whose upload is over, having looked at what came.

        Raises:
            AttachmentNotUploadedError: Nothing has come yet.
            AttachmentError: What has come is not what was announced. It is deleted.
        """
        if attachment.upload_descriptor is None:
            return attachment
        key = file_key(attachment.id)
        size = await self._storage.size(key)
        if size is None:
            # The URL to the bucket still works, so what it leads to may still change. What has
            # been moved away cannot; only then is it looked at.
            with suppress(FileNotFoundError, FileExistsError):  # Another request may do the same.
                await self._storage.move(incoming_key(attachment.id), key)
            size = await self._storage.size(key)
        if size is None:
            raise AttachmentNotUploadedError
        try:
            head = await self._storage.read(key, 0, SNIFFED_BYTES) if size else b""
        except FileNotFoundError:  # Someone else has just looked, and deleted it.
            raise AttachmentNotUploadedError from None
        try:
            check.weigh(size)
            check.look(head)
        except AttachmentError:
            await self._storage.delete(key)
            raise
        check.received = size
        return await self._settle(attachment, check, context)

    async def _settle(self, attachment: Attachment, check: UploadCheck, context: Any) -> Attachment:
        """Save what an attachment has turned out to be."""
        settled = attachment.model_copy(
            update={
                "mime_type": check.mime_type,
                "upload_descriptor": None,
                "metadata": {**(attachment.metadata or {}), "size": check.received},
            }
        )
        await self._metadata.save_attachment(settled, context)
        return settled
