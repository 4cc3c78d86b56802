"""Checks a file against its limits while its bytes arrive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Collection
from dataclasses import dataclass

from .errors import (
    AttachmentSizeMismatchError,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
)
from .media_types import PLAIN_IMAGES, SNIFFED_BYTES, image_type, is_accepted, media_type


@dataclass
class UploadCheck:
    """The limits for one file, and its state so far.

    Attributes:
        mime_type: The claimed type, or the actual one once the first bytes have arrived.
        size: The announced size in bytes, or `None`.
        max_size: The maximum size in bytes.
        accept: Patterns of the accepted types.
        received: The number of bytes received.
    """

    mime_type: str
    size: int | None
    max_size: int
    accept: Collection[str]
    received: int = 0

    @classmethod
    def of_claim(
        cls, name: str, mime_type: str, size: int | None, max_size: int, accept: Collection[str]
    ) -> UploadCheck:
        """Return the check for a file with this claimed type and size.

        Raises:
            AttachmentTooLargeError: If the claimed size is too large.
            AttachmentTypeRefusedError: If the claimed type is not valid or not accepted.
            AttachmentSizeMismatchError: If the claimed size is negative.
        """
        claimed = media_type(mime_type, name)
        if claimed is None or not is_accepted(claimed, accept):
            raise AttachmentTypeRefusedError
        if size is not None and size < 0:
            raise AttachmentSizeMismatchError
        check = cls(claimed, size, max_size, accept)
        check.check_limit(size or 0)
        return check

    async def watch(self, stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass a stream on, and raise once it breaks a limit.

        Raises:
            AttachmentTooLargeError: If there are too many bytes.
            AttachmentSizeMismatchError: If the size is not the announced one.
            AttachmentTypeRefusedError: If the file is not the image that it claims to be.
        """
        head: bytes | None = b""
        async for chunk in stream:
            self.received += len(chunk)
            self.check_limit(self.received)
            if self.size is not None and self.received > self.size:
                raise AttachmentSizeMismatchError
            if head is None:
                yield chunk
                continue
            head += chunk
            if len(head) >= SNIFFED_BYTES:
                self.check_type(head)
                yield head
                head = None
        if head is not None:
            self.check_type(head)
            yield head
        self.check_size(self.received)

    def check_type(self, head: bytes) -> None:
        """Determine an image's actual type from a file's first bytes.

        An image of another type than claimed gets its actual type, because people rename image
        files. A file that only claims to be an image is refused. Other files are not checked,
        because they are only served as downloads.

        Raises:
            AttachmentTypeRefusedError: If the file claims to be an image, but is not an accepted
                one.
        """
        if self.mime_type not in PLAIN_IMAGES:
            return
        found = image_type(head)
        if found is None or not is_accepted(found, self.accept):
            raise AttachmentTypeRefusedError("The file is not the image that it claims to be.")
        self.mime_type = found

    def check_size(self, size: int) -> None:
        """Check the size of a complete file.

        Raises:
            AttachmentTooLargeError: If the file is too large.
            AttachmentSizeMismatchError: If the size is not the announced one.
        """
        self.check_limit(size)
        if self.size is not None and size != self.size:
            raise AttachmentSizeMismatchError

    def check_limit(self, size: int) -> None:
        """Check that the size so far is within the limit.

        Raises:
            AttachmentTooLargeError: If it is not.
        """
        if size > self.max_size:
            raise AttachmentTooLargeError(
                f"The file is too large. Attach at most {readable_size(self.max_size)}."
            )


def readable_size(size: int) -> str:
    """Return a size in bytes in a readable form."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} GiB"
