"""Stores the files that people attach to messages, in a folder or a bucket."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterable, Collection
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Generic

from chatkit.store import AttachmentStore as ChatKitAttachmentStore
from chatkit.store import Store, TContext
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
)
from pydantic import AnyUrl

from ..owners import value_of
from .errors import (
    AttachmentAlreadyUploadedError,
    AttachmentNotFoundError,
    AttachmentNotUploadedError,
    AttachmentTooLargeError,
)
from .file import AttachmentFile
from .file_names import harmless_name
from .keys import file_key, incoming_key, is_id
from .media_types import DEFAULT_ACCEPT, PLAIN_IMAGES, check_patterns
from .upload_check import UploadCheck, readable_size

if TYPE_CHECKING:
    from ..sql.store import SQLStore

try:
    from .access import Access, check_id
    from .arrivals import Arrivals
    from .notes import Notes
    from .object_storage import ObjectStorage
    from .reservations import ABANDONED_AFTER, OwnerLimits, Reservations
    from .signed_links import LinkSigner, Purpose
except ModuleNotFoundError as error:
    raise ImportError(
        "Attachments need obstore and itsdangerous: pip install 'agent-framework-chatkit[files]'"
    ) from error


class AttachmentStore(ChatKitAttachmentStore[TContext], Generic[TContext]):
    """Stores the files that people attach, and gives only their owners access.

    A file can arrive in two ways. In a direct upload, `upload` takes its bytes and returns the
    attachment. In a two-phase upload, ChatKit calls `create_attachment`, which returns the URL for
    the bytes: either that of `receive` or, if the files are in a bucket, a signed URL of the
    bucket, so that the bytes do not pass through this process. Call `confirm` before you store a
    message with the attachment: it checks files that were uploaded to a bucket.

    The owner is the context's `user_id`, an attribute or a mapping's key.

    Every error is an `AttachmentError` with an HTTP status. A context without an owner is a
    programming error: `ValueError` or `TypeError`.

    Args:
        url: Where to store the files: a folder, or a URL such as `s3://bucket/prefix`,
            `az://container`, `gs://bucket` or `memory://`. Credentials come from the environment,
            as in the cloud's own tools.
        metadata: The store of the attachments' metadata, which knows their owners.
        secret: Signs URLs. Use at least 32 random bytes, the same in all processes.
        base_url: The app's URL, for example `https://example.com/chat`. Without it, the context
            must have a `base_url`.
        max_size: The maximum size of a file in bytes.
        max_per_message: The maximum number of attachments per message.
        max_message_size: The maximum total bytes of a message's attachments; by default 50 MiB, or
            `max_size` if that is more.
        max_unsent: The maximum number of an owner's attachments that no message has yet.
        max_files: The maximum number of an owner's stored files; `None` for no limit.
        max_stored: The maximum total bytes of an owner's stored files; `None` for no limit.
        visitor_max_files: Like `max_files`, for visitors: owners without a login.
        visitor_max_stored: Like `max_stored`, for visitors.
        accept: The accepted types: `image/png`, `text/*`, or `*/*` for all.
        url_lifetime: How long a signed URL is valid.
    """

    def __init__(
        self,
        url: str | os.PathLike[str] = "attachments",
        *,
        metadata: Store[Any],
        secret: str | bytes,
        base_url: str = "",
        max_size: int = 20 * 1024 * 1024,
        max_per_message: int = 20,
        max_message_size: int | None = None,
        max_unsent: int = 30,
        max_files: int | None = None,
        max_stored: int | None = None,
        visitor_max_files: int | None = 500,
        visitor_max_stored: int | None = 1024 * 1024 * 1024,
        accept: Collection[str] = DEFAULT_ACCEPT,
        url_lifetime: timedelta = timedelta(hours=8),
    ) -> None:
        self.metadata = metadata
        self.base_url = base_url
        self.max_size = max_size
        self.max_per_message = max_per_message
        self.max_message_size = max_message_size or max(max_size, 50 * 1024 * 1024)
        self.accept = check_patterns(accept)
        self.url_lifetime = url_lifetime
        self._signer = LinkSigner(secret, url_lifetime)
        self._storage = ObjectStorage(url)
        self._notes = Notes(self._storage, metadata)
        self._access = Access(metadata, self._notes, self._signer)
        self._reservations = Reservations(
            metadata,
            self._notes,
            max_unsent,
            OwnerLimits(max_files, max_stored),
            OwnerLimits(visitor_max_files, visitor_max_stored),
        )
        self._arrivals = Arrivals(self._storage, metadata)

    def generate_attachment_id(self, mime_type: str, context: TContext) -> str:
        """Return a new ID that nobody can guess."""
        return f"atc_{secrets.token_hex(16)}"

    async def check(self) -> None:
        """Check that files can be written and deleted.

        Raises:
            AttachmentStorageError: If the storage does not exist or denies access.
        """
        key = f"incoming/{secrets.token_hex(16)}"
        await self._storage.put(key, b"")
        await self._storage.delete(key)

    async def create_attachment(
        self, input: AttachmentCreateParams, context: TContext
    ) -> Attachment:
        """Start a two-phase upload.

        Returns:
            The attachment, whose `upload_descriptor` says where to send the bytes with `PUT`.

        Raises:
            AttachmentTooLargeError: If the announced size is too large.
            AttachmentTypeRefusedError: If the type is not accepted.
            AttachmentLimitReachedError: If the owner has reached a limit.
        """
        attachment, _ = self._describe(input.name, input.mime_type, input.size, context)
        headers: dict[str, str] = {}
        if self._storage.signs:
            url, headers = await self._storage.sign_upload(
                incoming_key(attachment.id), self.url_lifetime
            )
        else:
            url = self._link(attachment.id, "upload", context)
        attachment.upload_descriptor = AttachmentUploadDescriptor(
            url=AnyUrl(url), method="PUT", headers=headers
        )
        # ChatKitServer saves it as well, but other callers of this method need it saved here.
        async with self._reservations.reserve(attachment, context):
            return attachment

    async def receive(
        self,
        attachment_id: str,
        stream: AsyncIterable[bytes],
        *,
        context: TContext | None = None,
        token: str | None = None,
    ) -> Attachment:
        """Receive the bytes of an attachment from `create_attachment`.

        Pass either a context or a token.

        Args:
            attachment_id: The attachment's ID.
            stream: The bytes. If the stream raises, nothing is stored.
            context: The owner's context.
            token: The token in the upload URL.

        Raises:
            AttachmentTooLargeError: If there are too many bytes.
            AttachmentSizeMismatchError: If the size is not the announced one.
            AttachmentTypeRefusedError: If the file is not the image that it claims to be.
            AttachmentAlreadyUploadedError: If the bytes were received before.
            AttachmentLinkInvalidError: If the token has expired or is not ours.
            AttachmentNotFoundError: If the owner has no such attachment.
        """
        permission = await self._access.permit(attachment_id, context, token, "upload")
        attachment = await self._access.load(attachment_id, permission)
        if await self._arrivals.has_arrived(attachment):
            raise AttachmentAlreadyUploadedError
        return await self._arrivals.take(attachment, self._claim_of(attachment), stream, permission)

    async def upload(
        self,
        name: str,
        mime_type: str,
        stream: AsyncIterable[bytes],
        context: TContext,
        size: int | None = None,
    ) -> Attachment:
        """Store a file in a direct upload.

        Args:
            name: The file's name, from the client.
            mime_type: The file's type, from the client.
            stream: The bytes. If the stream raises, nothing is stored.
            context: The owner's context.
            size: The announced size in bytes, if known.

        Raises:
            AttachmentTooLargeError: If there are too many bytes.
            AttachmentSizeMismatchError: If the size is not the announced one.
            AttachmentTypeRefusedError: If the type is not accepted, or the file is not the image
                that it claims to be.
            AttachmentLimitReachedError: If the owner has reached a limit.
        """
        attachment, check = self._describe(name, mime_type, size, context)
        # Reserve the maximum size until the bytes have arrived.
        size = self.max_size if check.size is None else check.size
        reserved = attachment.model_copy(update={"metadata": {"size": size}})
        async with self._reservations.reserve(reserved, context):
            return await self._arrivals.take(attachment, check, stream, context)

    async def check_message(self, attachment_ids: Collection[str], context: TContext) -> None:
        """Check that a message may have these attachments, without reading them.

        Raises:
            AttachmentTooLargeError: If there are too many, or they are too large together.
            AttachmentNotFoundError: If the owner has no such attachment.
        """
        if len(attachment_ids) > self.max_per_message:
            raise AttachmentTooLargeError(
                f"Send at most {self.max_per_message} files per message, and the rest with another."
            )
        size = 0
        for attachment_id in attachment_ids:
            attachment = await self._access.load(attachment_id, context)
            size += (attachment.metadata or {}).get("size") or 0
        if size > self.max_message_size:
            raise AttachmentTooLargeError(
                "The files are too large for one message: send at most "
                f"{readable_size(self.max_message_size)} at once."
            )

    async def confirm(self, attachment_id: str, context: TContext) -> Attachment:
        """Check that an attachment's bytes have arrived and are as announced.

        Returns:
            The attachment to store with a message.

        Raises:
            AttachmentNotUploadedError: If the bytes have not arrived yet.
            AttachmentTooLargeError: If there are too many bytes. They are deleted.
            AttachmentSizeMismatchError: If the size is not the announced one. The bytes are
                deleted.
            AttachmentTypeRefusedError: If the file is not the image that it claims to be. It is
                deleted.
            AttachmentNotFoundError: If the owner has no such attachment.
        """
        attachment = await self._access.load(attachment_id, context)
        return await self._arrivals.whole(attachment, self._claim_of(attachment), context)

    async def open(
        self, attachment_id: str, *, context: TContext | None = None, token: str | None = None
    ) -> AttachmentFile:
        """Return a file for reading.

        Pass either a context or a token.

        Args:
            attachment_id: The attachment's ID.
            context: The owner's context.
            token: The token in a URL of `link_to`.

        Raises:
            AttachmentLinkInvalidError: If the token has expired or is not ours.
            AttachmentNotFoundError: If the owner has no such attachment, or its bytes are missing.
        """
        permission = await self._access.permit(attachment_id, context, token, "read")
        attachment = await self._access.load(attachment_id, permission)
        try:
            # A client may request the preview as soon as the bucket has the bytes.
            attachment = await self._arrivals.whole(
                attachment, self._claim_of(attachment), permission
            )
        except AttachmentNotUploadedError:
            raise AttachmentNotFoundError from None
        key = file_key(attachment_id)
        size = await self._storage.size(key)
        if size is None or size != (attachment.metadata or {}).get("size"):
            raise AttachmentNotFoundError
        return AttachmentFile(
            name=attachment.name,
            mime_type=attachment.mime_type,
            size=size,
            by_link=token is not None,
            stream=lambda: self._storage.stream(key, size),
        )

    async def read_bytes(self, attachment_id: str, context: TContext) -> bytes:
        """Return all bytes of a file, for a `ThreadItemConverter`'s fetcher.

        Raises:
            AttachmentNotFoundError: If the owner has no such attachment, or its bytes are missing.
        """
        file = await self.open(attachment_id, context=context)
        return await file.read()

    def link_to(self, attachment_id: str, context: TContext) -> str:
        """Return a URL with which anyone can read the file until the URL expires."""
        return self._link(attachment_id, "read", context)

    def refresh(self, attachment: Attachment, context: TContext) -> Attachment:
        """Return an attachment with a new preview URL, because the stored one expires.

        The caller must have loaded the attachment for its owner; the owner is not checked again.
        """
        if not isinstance(attachment, ImageAttachment):
            return attachment
        link = AnyUrl(self.link_to(attachment.id, context))
        return attachment.model_copy(update={"preview_url": link})

    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete an attachment's bytes. ChatKit deletes the attachment itself.

        Raises:
            AttachmentNotFoundError: If the owner has no such attachment.
        """
        await self._access.load(attachment_id, context)
        await self.delete_bytes(attachment_id)

    async def delete_bytes(self, attachment_id: str) -> None:
        """Delete the bytes of any owner's attachment, for example when its thread is deleted.

        Only call it with IDs from a store, never with an ID from a client.
        """
        check_id(attachment_id)
        await self._notes.delete(attachment_id)

    async def delete_doomed(self, store: SQLStore[Any]) -> None:
        """Delete the bytes of attachments that a store deleted, for example with their threads.

        If the storage fails or the worker dies, the next call deletes the rest.

        Args:
            store: The store of the attachments' metadata.
        """
        while ids := await store.doomed_attachments():
            for attachment_id in ids:
                await self.delete_bytes(attachment_id)
                await store.audit.record("attachment.deleted", None, attachment=attachment_id)
            await store.forget_attachments(ids)

    async def clean_up(self, older_than: timedelta = ABANDONED_AFTER) -> None:
        """Delete old unfinished uploads and unsent attachments. Call it regularly.

        Args:
            older_than: The minimum age of uploads to delete. It must be longer than `url_lifetime`;
                otherwise, running uploads are deleted.
        """
        before = datetime.now(timezone.utc) - older_than
        await self._notes.sweep(before)
        await self._storage.delete_older("incoming", before)

    def _claim_of(self, attachment: Attachment) -> UploadCheck:
        """Return the check for an announced attachment."""
        size = (attachment.metadata or {}).get("size")
        return UploadCheck(attachment.mime_type, size, self.max_size, self.accept)

    def _describe(
        self, name: str, mime_type: str, size: int | None, context: TContext
    ) -> tuple[Attachment, UploadCheck]:
        """Return a new, unsaved attachment and the check for its bytes."""
        name = harmless_name(name)
        check = UploadCheck.of_claim(name, mime_type, size, self.max_size, self.accept)
        attachment_id = self.generate_attachment_id(check.mime_type, context)
        if not is_id(attachment_id):
            raise ValueError(f"{attachment_id!r} is not a valid attachment ID.")
        fields: dict[str, Any] = {
            "id": attachment_id,
            "name": name,
            "mime_type": check.mime_type,
            "metadata": {"size": check.size},
        }
        # Images that are not safe to display, such as SVG, are attached as files.
        if check.mime_type not in PLAIN_IMAGES:
            return FileAttachment(**fields), check
        preview_url = AnyUrl(self.link_to(attachment_id, context))
        return ImageAttachment(**fields, preview_url=preview_url), check

    def _link(self, attachment_id: str, purpose: Purpose, context: Any) -> str:
        base_url = self.base_url or value_of(context, "base_url")
        if not base_url:
            raise ValueError("Set base_url in AttachmentStore or in the context.")
        return self._signer.link(str(base_url), attachment_id, purpose)
