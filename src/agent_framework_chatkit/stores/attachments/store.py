"""Files that people attach to messages: in a folder, or in a bucket."""

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
    """Keeps the files that people attach, and lets nobody but their owner have them.

    A file comes in one of two ways. Directly: `upload` takes its bytes and returns the
    attachment. In two phases: ChatKit calls `create_attachment`, which says where the bytes must
    go: to `receive`, or, where the bytes are in a bucket, to a signed URL of the bucket's, so that
    they do not pass through this process. Call `confirm` before a message with the attachment is
    stored; it is then that a file in a bucket is looked at.

    The owner is the context's `user_id`, an attribute or a key.

    Every error is an `AttachmentError` with an HTTP status. A context without an owner is a
    mistake in the program: `ValueError`.

    Args:
        url: Where the bytes are kept: a folder, or a URL such as `s3://bucket/prefix`,
            `az://container`, `gs://bucket` or `memory://`. Credentials come from the environment,
            as the cloud's own tools read them.
        metadata: The store that keeps the attachments themselves, and knows their owners.
        secret: What signs URLs. Use at least 32 random bytes, the same in all processes.
        base_url: Where the application is reached, for example `https://example.com/chat`.
            Without one, the context must have a `base_url`.
        max_size: How many bytes a file may have.
        max_per_message: How many attachments a message may have.
        max_message_size: How many bytes the attachments of a message may have together; by
            default 50 MiB, or `max_size` if that is more.
        max_unsent: How many attachments an owner may have that no message holds yet.
        max_files: How many files an owner may have stored; `None` for no limit, as for the next.
        max_stored: How many bytes an owner may have stored.
        visitor_max_files: As `max_files`, for visitors: owners that nobody has logged in.
        visitor_max_stored: As `max_stored`, for visitors.
        accept: The types that are accepted: `image/png`, `text/*`, or `*/*` for all.
        url_lifetime: How long a signed URL works.
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
        """Return a new id, which nobody can guess."""
        return f"atc_{secrets.token_hex(16)}"

    async def check(self) -> None:
        """Check that files can be written and deleted.

        Raises:
            AttachmentStorageError: If the place for them does not exist or does not permit it.
        """
        key = f"incoming/{secrets.token_hex(16)}"
        await self._storage.put(key, b"")
        await self._storage.delete(key)

    async def create_attachment(
        self, input: AttachmentCreateParams, context: TContext
    ) -> Attachment:
        """Begin an upload in two phases.

        Returns:
            The attachment, whose `upload_descriptor` says how to send the bytes: as the body of
            a `PUT`.

        Raises:
            AttachmentTooLargeError: The file is announced as too large.
            AttachmentTypeRefusedError: Files of this type are not accepted.
            AttachmentLimitReachedError: The owner has too many unsent attachments.
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
        # ChatKitServer saves it too. Without it, others could not receive the bytes.
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
        """Take the bytes of an attachment that `create_attachment` has announced.

        Args:
            attachment_id: The attachment's id.
            stream: The bytes. If it raises, nothing of them stays.
            context: The owner's context, or
            token: the signature from the upload's URL.

        Raises:
            AttachmentTooLargeError: There are too many bytes.
            AttachmentSizeMismatchError: There are not as many bytes as were announced.
            AttachmentTypeRefusedError: The file is not the image that it claims to be.
            AttachmentAlreadyUploadedError: The bytes came before.
            AttachmentLinkInvalidError: The token has expired or is not ours.
            AttachmentNotFoundError: There is no such attachment, or it is another owner's.
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
        """Take a file in one go.

        Args:
            name: The file's name, as the client tells it.
            mime_type: The file's type, as the client tells it.
            stream: The bytes. If it raises, nothing of them stays.
            context: The owner's context.
            size: How many bytes are announced, if it is known.

        Raises:
            AttachmentTooLargeError: There are too many bytes.
            AttachmentSizeMismatchError: There are not as many bytes as were announced.
            AttachmentTypeRefusedError: The type is not accepted, or the file is not the image
                that it claims to be.
            AttachmentLimitReachedError: The owner has too many unsent attachments.
        """
        attachment, check = self._describe(name, mime_type, size, context)
        # Until its bytes have come, it may have as many as a file may have.
        size = self.max_size if check.size is None else check.size
        reserved = attachment.model_copy(update={"metadata": {"size": size}})
        async with self._reservations.reserve(reserved, context):
            return await self._arrivals.take(attachment, check, stream, context)

    async def check_message(self, attachment_ids: Collection[str], context: TContext) -> None:
        """Make sure that a message may have these attachments, before any of them is read.

        Raises:
            AttachmentTooLargeError: They are too many, or too large together.
            AttachmentNotFoundError: There is no such attachment, or it is another owner's.
        """
        if len(attachment_ids) > self.max_per_message:
            raise AttachmentTooLargeError(
                f"A message takes at most {self.max_per_message} files. Send the rest with another."
            )
        size = 0
        for attachment_id in attachment_ids:
            attachment = await self._access.load(attachment_id, context)
            size += (attachment.metadata or {}).get("size") or 0
        if size > self.max_message_size:
            raise AttachmentTooLargeError(
                "The files are too large for one message: together they may have "
                f"{readable_size(self.max_message_size)}."
            )

    async def confirm(self, attachment_id: str, context: TContext) -> Attachment:
        """Make sure that an attachment's bytes are there and are what was announced.

        Returns:
            The attachment as it is to be stored with a message.

        Raises:
            AttachmentNotUploadedError: The bytes have not come yet.
            AttachmentTooLargeError: There are too many bytes. They are deleted.
            AttachmentSizeMismatchError: There are not as many bytes as were announced. They are
                deleted.
            AttachmentTypeRefusedError: The file is not the image that it claims to be. It is
                deleted.
            AttachmentNotFoundError: There is no such attachment, or it is another owner's.
        """
        attachment = await self._access.load(attachment_id, context)
        return await self._arrivals.whole(attachment, self._claim_of(attachment), context)

    async def open(
        self, attachment_id: str, *, context: TContext | None = None, token: str | None = None
    ) -> AttachmentFile:
        """Return a file to be read.

        Args:
            attachment_id: The attachment's id.
            context: The owner's context, or
            token: the signature from a URL of `link_to`.

        Raises:
            AttachmentLinkInvalidError: The token has expired or is not ours.
            AttachmentNotFoundError: There is no such attachment, it is another owner's, or its
                bytes are not there.
        """
        permission = await self._access.permit(attachment_id, context, token, "read")
        attachment = await self._access.load(attachment_id, permission)
        try:
            # A preview may be asked for as soon as the bucket has the bytes.
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
        """Return all bytes of a file, as a `ThreadItemConverter`'s fetcher needs them.

        Raises:
            AttachmentNotFoundError: There is no such attachment, it is another owner's, or its
                bytes are not there.
        """
        file = await self.open(attachment_id, context=context)
        return b"".join([chunk async for chunk in file.stream()])

    def link_to(self, attachment_id: str, context: TContext) -> str:
        """Return a URL at which anyone can read the file until it expires."""
        return self._link(attachment_id, "read", context)

    def refresh(self, attachment: Attachment, context: TContext) -> Attachment:
        """Return an attachment with a new preview URL, because the one it was stored with expires.

        The caller has loaded the attachment for its owner; it is not checked again.
        """
        if not isinstance(attachment, ImageAttachment):
            return attachment
        link = AnyUrl(self.link_to(attachment.id, context))
        return attachment.model_copy(update={"preview_url": link})

    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete an attachment's bytes. ChatKit deletes the attachment itself.

        Raises:
            AttachmentNotFoundError: There is no such attachment, or it is another owner's.
        """
        await self._access.load(attachment_id, context)
        await self.delete_bytes(attachment_id)

    async def delete_bytes(self, attachment_id: str) -> None:
        """Delete an attachment's bytes whoever owns it, as when its thread is deleted.

        Call it for ids that come from a store, never for one from a client.
        """
        check_id(attachment_id)
        await self._notes.delete(attachment_id)

    async def delete_doomed(self, store: SQLStore[Any]) -> None:
        """Delete the bytes of the attachments that a store has deleted, as with their threads.

        What cannot be deleted now, because the storage fails or the worker dies, is deleted the
        next time.

        Args:
            store: Where the attachments were.
        """
        while ids := await store.doomed_attachments():
            for attachment_id in ids:
                await self.delete_bytes(attachment_id)
            await store.forget_attachments(ids)

    async def clean_up(self, older_than: timedelta = ABANDONED_AFTER) -> None:
        """Delete what unfinished uploads have left, and what was never sent. Run it now and then.

        Args:
            older_than: How long ago they began. It must be longer than `url_lifetime`, or uploads
                that still go on are deleted.
        """
        before = datetime.now(timezone.utc) - older_than
        await self._notes.sweep(before)
        await self._storage.delete_older("incoming", before)

    def _claim_of(self, attachment: Attachment) -> UploadCheck:
        """Return the check for an attachment that has been announced."""
        size = (attachment.metadata or {}).get("size")
        return UploadCheck(attachment.mime_type, size, self.max_size, self.accept)

    def _describe(
        self, name: str, mime_type: str, size: int | None, context: TContext
    ) -> tuple[Attachment, UploadCheck]:
        """Return a new attachment, not saved, and the check for its bytes."""
        name = harmless_name(name)
        check = UploadCheck.of_claim(name, mime_type, size, self.max_size, self.accept)
        attachment_id = self.generate_attachment_id(check.mime_type, context)
        if not is_id(attachment_id):
            raise ValueError(f"{attachment_id!r} cannot be an attachment's id.")
        fields: dict[str, Any] = {
            "id": attachment_id,
            "name": name,
            "mime_type": check.mime_type,
            "metadata": {"size": check.size},
        }
        # Whatever cannot be drawn safely is a file, and so never drawn: SVG, for one.
        if check.mime_type not in PLAIN_IMAGES:
            return FileAttachment(**fields), check
        preview_url = AnyUrl(self.link_to(attachment_id, context))
        return ImageAttachment(**fields, preview_url=preview_url), check

    def _link(self, attachment_id: str, purpose: Purpose, context: Any) -> str:
        base_url = self.base_url or value_of(context, "base_url")
        if not base_url:
            raise ValueError("Give AttachmentStore a base_url, or the context one.")
        return self._signer.link(str(base_url), attachment_id, purpose)
