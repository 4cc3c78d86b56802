"""Files that people attach to messages: in a folder, or in a bucket."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Generic, NoReturn
from urllib.parse import urlencode

from chatkit.store import AttachmentStore as ChatKitAttachmentStore
from chatkit.store import NotFoundError, Store, TContext
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
)
from pydantic import AnyUrl

from ..owners import OwnerContext, owner_of, value_of
from .errors import (
    AttachmentAlreadyUploadedError,
    AttachmentError,
    AttachmentLimitReachedError,
    AttachmentNotFoundError,
    AttachmentNotUploadedError,
    AttachmentTooLargeError,
)
from .file import AttachmentFile
from .file_names import harmless_name
from .media_types import DEFAULT_ACCEPT, PLAIN_IMAGES, SNIFFED_BYTES, check_patterns
from .upload_check import UploadCheck, readable_size

if TYPE_CHECKING:
    from ..sql.store import SQLStore

try:
    from .object_storage import ObjectStorage
    from .signed_links import LinkSigner, Purpose
except ModuleNotFoundError as error:
    raise ImportError(
        "Attachments need obstore and itsdangerous: pip install 'agent-framework-chatkit[files]'"
    ) from error

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ABANDONED_AFTER = timedelta(days=1)


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
        self.max_unsent = max_unsent
        self.max_files, self.max_stored = max_files, max_stored
        self.visitor_max_files, self.visitor_max_stored = visitor_max_files, visitor_max_stored
        self.accept = check_patterns(accept)
        self.url_lifetime = url_lifetime
        self._signer = LinkSigner(secret, url_lifetime)
        self._storage = ObjectStorage(url)

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
        name = harmless_name(input.name)
        check = self._check(name, input.mime_type, input.size)
        attachment = self._describe(name, check, context)
        headers: dict[str, str] = {}
        if self._storage.signs:
            url, headers = await self._storage.sign_upload(
                _incoming(attachment.id), self.url_lifetime
            )
        else:
            url = self._link(attachment.id, "upload", context)
        attachment.upload_descriptor = AttachmentUploadDescriptor(
            url=AnyUrl(url), method="PUT", headers=headers
        )
        async with self._deleted_if_it_fails(attachment, context):
            # ChatKitServer saves it too. Without it, others could not receive the bytes.
            await self._reserve(attachment, check, context)
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
        permission = await self._permission(attachment_id, context, token, "upload")
        attachment = await self._load(attachment_id, permission)
        arrived = await self._storage.size(_file(attachment_id)) is not None
        if attachment.upload_descriptor is None or arrived:
            raise AttachmentAlreadyUploadedError
        check = self._claim_of(attachment)
        await self._take(attachment_id, check, stream)
        return await self._settle(attachment, check, permission)

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
        name = harmless_name(name)
        check = self._check(name, mime_type, size)
        attachment = self._describe(name, check, context)
        async with self._deleted_if_it_fails(attachment, context):
            await self._reserve(attachment, check, context)
            await self._take(attachment.id, check, stream)
            return await self._settle(attachment, check, context)

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
            attachment = await self._load(attachment_id, context)
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
        owner_of(context)
        return await self._whole(await self._load(attachment_id, context), context)

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
        permission = await self._permission(attachment_id, context, token, "read")
        attachment = await self._load(attachment_id, permission)
        try:
            # A preview may be asked for as soon as the bucket has the bytes.
            attachment = await self._whole(attachment, permission)
        except AttachmentNotUploadedError:
            raise AttachmentNotFoundError from None
        key = _file(attachment_id)
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
        owner_of(context)
        await self._load(attachment_id, context)
        await self.delete_bytes(attachment_id)

    async def delete_bytes(self, attachment_id: str) -> None:
        """Delete an attachment's bytes whoever owns it, as when its thread is deleted.

        Call it for ids that come from a store, never for one from a client.
        """
        _check_id(attachment_id)
        owner = await self._owner(attachment_id)
        if owner is not None:
            await self._storage.delete(_unsent(owner, attachment_id))
        for key in (_file, _incoming, _owned):
            await self._storage.delete(key(attachment_id))

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

    async def clean_up(self, older_than: timedelta = _ABANDONED_AFTER) -> None:
        """Delete what is left of uploads that were not finished, and attachments never sent.

        Run it now and then.

        Args:
            older_than: How long ago they began. It must be longer than `url_lifetime`, or uploads
                that still go on are deleted.
        """
        before = datetime.now(timezone.utc) - older_than
        await self._sweep("unsent", before)
        await self._storage.delete_older("incoming", before)

    def _check(self, name: str, mime_type: str, size: int | None) -> UploadCheck:
        return UploadCheck.of_claim(name, mime_type, size, self.max_size, self.accept)

    def _claim_of(self, attachment: Attachment) -> UploadCheck:
        """Return the check for an attachment that has been announced."""
        size = (attachment.metadata or {}).get("size")
        return UploadCheck(attachment.mime_type, size, self.max_size, self.accept)

    def _describe(self, name: str, check: UploadCheck, context: TContext) -> Attachment:
        """Return a new attachment, not saved."""
        attachment_id = self.generate_attachment_id(check.mime_type, context)
        if not _ID.fullmatch(attachment_id):
            raise ValueError(f"{attachment_id!r} cannot be an attachment's id.")
        fields: dict[str, Any] = {
            "id": attachment_id,
            "name": name,
            "mime_type": check.mime_type,
            "metadata": {"size": check.size},
        }
        # Whatever cannot be drawn safely is a file, and so never drawn: SVG, for one.
        if check.mime_type not in PLAIN_IMAGES:
            return FileAttachment(**fields)
        return ImageAttachment(**fields, preview_url=AnyUrl(self.link_to(attachment_id, context)))

    def _link(self, attachment_id: str, purpose: Purpose, context: Any) -> str:
        base_url = self.base_url or value_of(context, "base_url")
        if not base_url:
            raise ValueError("Give AttachmentStore a base_url, or the context one.")
        path = f"attachments/{attachment_id}" + ("/upload" if purpose == "upload" else "")
        query = urlencode({"token": self._signer.sign(attachment_id, purpose)})
        return f"{str(base_url).rstrip('/')}/{path}?{query}"

    async def _permission(
        self, attachment_id: str, context: TContext | None, token: str | None, purpose: Purpose
    ) -> Any:
        """Return the context of the owner in whose name something is done."""
        _check_id(attachment_id)
        if token is None:
            owner_of(context)
            return context
        self._signer.check(token, attachment_id, purpose)
        owner = await self._owner(attachment_id)
        return _not_found() if owner is None else OwnerContext(owner)

    async def _load(self, attachment_id: str, context: Any) -> Attachment:
        _check_id(attachment_id)
        try:
            return await self.metadata.load_attachment(attachment_id, context)
        except NotFoundError:
            _not_found()

    async def _take(
        self, attachment_id: str, check: UploadCheck, stream: AsyncIterable[bytes]
    ) -> None:
        """Write a file. It has its place only once it is whole, and only the first one gets it."""
        part = f"{_incoming(attachment_id)}.{secrets.token_hex(8)}"
        await self._storage.write(part, check.watch(stream))
        try:
            await self._storage.move(part, _file(attachment_id))
        except FileExistsError:
            await self._storage.delete(part)
            raise AttachmentAlreadyUploadedError from None

    async def _whole(self, attachment: Attachment, context: Any) -> Attachment:
        """Return an attachment whose upload is over, having looked at what came."""
        if attachment.upload_descriptor is None:
            return attachment
        key = _file(attachment.id)
        size = await self._storage.size(key)
        if size is None:
            # The URL to the bucket still works, so what it leads to may still change. What has
            # been moved away cannot; only then is it looked at.
            with suppress(FileNotFoundError, FileExistsError):  # Another request may do the same.
                await self._storage.move(_incoming(attachment.id), key)
            size = await self._storage.size(key)
        if size is None:
            raise AttachmentNotUploadedError
        try:
            head = await self._storage.read(key, 0, SNIFFED_BYTES) if size else b""
        except FileNotFoundError:  # Someone else has just looked, and deleted it.
            raise AttachmentNotUploadedError from None
        check = self._claim_of(attachment)
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
        await self.metadata.save_attachment(settled, context)
        return settled

    async def _reserve(self, attachment: Attachment, check: UploadCheck, context: TContext) -> None:
        """Keep an attachment whose bytes are to come, if the owner may have one more.

        It is noted first and counted then, so that uploads at the same time count one another.
        """
        owner = owner_of(context)
        await self._storage.put(_owned(attachment.id), owner.encode())
        await self._storage.put(_unsent(owner, attachment.id), b"")
        if await self._count_unsent(owner) > self.max_unsent:
            await self._sweep(_unsent(owner), datetime.now(timezone.utc) - _ABANDONED_AFTER)
            if await self._count_unsent(owner) > self.max_unsent:
                raise AttachmentLimitReachedError
        if check.size is None:
            # Until its bytes have come, it counts for as many as there may be.
            attachment = attachment.model_copy(update={"metadata": {"size": self.max_size}})
        await self._save_within_quota(attachment, context)

    async def _save_within_quota(self, attachment: Attachment, context: TContext) -> None:
        is_visitor = value_of(context, "is_visitor")
        max_files = self.visitor_max_files if is_visitor else self.max_files
        max_stored = self.visitor_max_stored if is_visitor else self.max_stored
        reserve = getattr(self.metadata, "reserve_attachment", None)
        if reserve is None or (max_files is None and max_stored is None):
            await self.metadata.save_attachment(attachment, context)
        elif not await reserve(attachment, context, max_files=max_files, max_stored=max_stored):
            raise AttachmentLimitReachedError(
                "You have stored as many files as this chat keeps for you. Delete chats that have "
                "files, and try again."
            )

    @asynccontextmanager
    async def _deleted_if_it_fails(
        self, attachment: Attachment, context: TContext
    ) -> AsyncIterator[None]:
        """Delete a new attachment if the upload fails, also if the request is cancelled."""
        owner_of(context)
        try:
            yield
        except BaseException:
            await _to_the_end(self._delete(attachment.id, context))
            raise

    async def _delete(self, attachment_id: str, context: TContext) -> None:
        with suppress(NotFoundError):
            await self.metadata.delete_attachment(attachment_id, context)
        await self.delete_bytes(attachment_id)

    async def _count_unsent(self, owner: str) -> int:
        return len(await self._storage.entries(_unsent(owner)))

    async def _sweep(self, folder: str, before: datetime) -> None:
        """Forget that sent attachments were unsent, and delete those that have waited too long.

        An attachment is sent when it has a thread; only its metadata knows. So the notes that it
        is not are allowed to be out of date, and are compared with the metadata here.
        """
        for key, written in await self._storage.entries(folder):
            attachment_id = key.rpartition("/")[2]
            owner = await self._owner(attachment_id)
            context = None if owner is None else OwnerContext(owner)
            attachment = None
            if context is not None:
                # It may have been deleted, or never saved because the process ended.
                with suppress(AttachmentNotFoundError):
                    attachment = await self._load(attachment_id, context)
            if attachment is not None and attachment.thread_id is not None:
                await self._storage.delete(key)
            elif written <= before:
                await self.delete_bytes(attachment_id)
                await self._storage.delete(key)
                if attachment is not None:
                    await self.metadata.delete_attachment(attachment_id, context)

    async def _owner(self, attachment_id: str) -> str | None:
        """Return whose an attachment is, where there is no context to tell."""
        owner = await self._storage.get(_owned(attachment_id))
        return None if owner is None else owner.decode()


# Keys are made of ids and never of names, so that no name can lead anywhere.


def _file(attachment_id: str) -> str:
    """Return where a whole file is."""
    return f"files/{attachment_id}"


def _incoming(attachment_id: str) -> str:
    """Return where a file is while it arrives."""
    return f"incoming/{attachment_id}"


def _owned(attachment_id: str) -> str:
    """Return where the owner is noted."""
    return f"owners/{attachment_id}"


def _unsent(owner: str, attachment_id: str | None = None) -> str:
    """Return where it is noted that an attachment has not been sent; the folder without an id."""
    folder = f"unsent/{hashlib.sha256(owner.encode()).hexdigest()}"
    return folder if attachment_id is None else f"{folder}/{attachment_id}"


def _check_id(attachment_id: str) -> None:
    """Refuse what cannot be an id before it touches the storage."""
    if not _ID.fullmatch(attachment_id):
        _not_found()


def _not_found() -> NoReturn:
    raise AttachmentNotFoundError from None


_running: set[asyncio.Task[None]] = set()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do something even if the request that asks for it is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    await asyncio.shield(task)
