"""What a file must keep to, checked while its bytes arrive."""

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
    """The limits for one file, and what is known of it so far.

    Attributes:
        mime_type: What the file claims to be; what it is, once its beginning has been seen.
        size: How many bytes were announced, or None.
        max_size: How many bytes it may have.
        accept: Patterns of the types that are accepted.
        received: How many bytes have come.
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
        """Return the check for a file, if what it claims to be is acceptable at all.

        Raises:
            AttachmentTooLargeError: It claims to be too large.
            AttachmentTypeRefusedError: It claims no type, or one that is not accepted.
            AttachmentSizeMismatchError: It claims a size that no file has.
        """
        claimed = media_type(mime_type, name)
        if claimed is None or not is_accepted(claimed, accept):
            raise AttachmentTypeRefusedError
        if size is not None and size < 0:
            raise AttachmentSizeMismatchError
        check = cls(claimed, size, max_size, accept)
        check.count(size or 0)
        return check

    async def watch(self, stream: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass a stream on, and fail as soon as it breaks a limit.

        Raises:
            AttachmentTooLargeError: More bytes came than a file may have.
            AttachmentSizeMismatchError: More or fewer bytes came than were announced.
            AttachmentTypeRefusedError: It is not the image that it claims to be.
        """
        head: bytes | None = b""
        async for chunk in stream:
            self.received += len(chunk)
            self.count(self.received)
            if self.size is not None and self.received > self.size:
                raise AttachmentSizeMismatchError
            if head is None:
                yield chunk
                continue
            head += chunk
            if len(head) >= SNIFFED_BYTES:
                self.look(head)
                yield head
                head = None
        if head is not None:
            self.look(head)
            yield head
        self.weigh(self.received)

    def look(self, head: bytes) -> None:
        """Learn from a file's first bytes what it is.

        An image of another kind than claimed gets its true type: people rename their pictures.
        What is no image at all is refused, and what does not claim to be one is left alone,
        because it is served as a download whatever it holds.

        Raises:
            AttachmentTypeRefusedError: It claims to be an image and is none that is accepted.
        """
        if self.mime_type not in PLAIN_IMAGES:
            return
        found = image_type(head)
        if found is None or not is_accepted(found, self.accept):
            raise AttachmentTypeRefusedError("The file is not the image that it claims to be.")
        self.mime_type = found

    def weigh(self, size: int) -> None:
        """Check the size of a whole file.

        Raises:
            AttachmentTooLargeError: It is larger than a file may be.
            AttachmentSizeMismatchError: It is not as large as was announced.
        """
        self.count(size)
        if self.size is not None and size != self.size:
            raise AttachmentSizeMismatchError

    def count(self, size: int) -> None:
        """Check that a file may have this many bytes or more.

        Raises:
            AttachmentTooLargeError: It may not.
        """
        if size > self.max_size:
            raise AttachmentTooLargeError(
                f"The file is too large. At most {readable_size(self.max_size)} can be attached."
            )


def readable_size(size: int) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} GiB"
