"""Receives files, checks them, and moves complete files to their final keys."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable
from contextlib import suppress
from typing import Any

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment

from ..owners import owner_of
from .errors import (
    AttachmentAlreadyUploadedError,
    AttachmentError,
    AttachmentNotFoundError,
    AttachmentNotUploadedError,
)
from .keys import file_key, incoming_key
from .media_types import SNIFFED_BYTES
from .object_storage import ObjectStorage
from .upload_check import UploadCheck


class Arrivals:
    """Receives files from a stream or from a direct upload to a bucket.

    Args:
        storage: The storage of the files.
        metadata: The store of the attachments' metadata.
    """

    def __init__(self, storage: ObjectStorage, metadata: Store[Any]) -> None:
        self._storage = storage
        self._metadata = metadata

    async def has_arrived(self, attachment: Attachment) -> bool:
        """Return whether an attachment's bytes have arrived."""
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
        """Write a file, and move it to its final key once it is complete.

        Raises:
            AttachmentAlreadyUploadedError: If another upload came first.
        """
        part = f"{incoming_key(attachment.id)}.{secrets.token_hex(8)}"
        await self._storage.write(part, check.watch(stream))
        try:
            await self._storage.move(part, file_key(attachment.id))
        except FileExistsError:
            await self._storage.delete(part)
            raise AttachmentAlreadyUploadedError from None
        return await self._settle(attachment, check, context, is_new=True)

    async def whole(self, attachment: Attachment, check: UploadCheck, context: Any) -> Attachment:
        """Return an attachment after checking its complete upload.

        Raises:
            AttachmentNotUploadedError: If the bytes have not arrived yet.
            AttachmentError: If the file is not as announced. It is deleted.
        """
        if attachment.upload_descriptor is None:
            return attachment
        key = file_key(attachment.id)
        size = await self._storage.size(key)
        is_new = False
        if size is None:
            # The signed URL still works, so the uploaded object may still change. Move it away
            # before checking it.
            with suppress(FileNotFoundError, FileExistsError):  # Another request may do the same.
                await self._storage.move(incoming_key(attachment.id), key)
                is_new = True
            size = await self._storage.size(key)
        if size is None:
            raise AttachmentNotUploadedError
        try:
            head = await self._storage.read(key, 0, SNIFFED_BYTES) if size else b""
        except FileNotFoundError:  # Another request just checked and deleted it.
            raise AttachmentNotUploadedError from None
        try:
            check.check_size(size)
            check.check_type(head)
        except AttachmentError:
            await self._storage.delete(key)
            raise
        check.received = size
        return await self._settle(attachment, check, context, is_new=is_new)

    async def _settle(
        self, attachment: Attachment, check: UploadCheck, context: Any, *, is_new: bool
    ) -> Attachment:
        """Save an attachment's actual type and size.

        Args:
            attachment: The attachment.
            check: The check of its bytes.
            context: Names the owner.
            is_new: Whether to record the upload in the audit trail, if the metadata store has one.
        """
        settled = attachment.model_copy(
            update={
                "mime_type": check.mime_type,
                "upload_descriptor": None,
                "metadata": {**(attachment.metadata or {}), "size": check.received},
            }
        )
        try:
            await self._replace(settled, context)
        except NotFoundError:
            # It was deleted while it arrived, and no longer counts towards its owner's limits.
            await self._storage.delete(file_key(attachment.id))
            raise AttachmentNotFoundError from None
        audit = getattr(self._metadata, "audit", None)
        if is_new and audit is not None:
            await audit.record("attachment.uploaded", owner_of(context), attachment=attachment.id)
        return settled

    async def _replace(self, attachment: Attachment, context: Any) -> None:
        """Replace an attachment's metadata.

        Raises:
            NotFoundError: If it was deleted.
        """
        replace = getattr(self._metadata, "replace_attachment", None)
        if replace is not None:
            await replace(attachment, context)
            return
        # Other stores cannot do this in one step.
        await self._metadata.load_attachment(attachment.id, context)
        await self._metadata.save_attachment(attachment, context)
