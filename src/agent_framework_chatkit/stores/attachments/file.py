"""A stored file, ready to be sent to a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from io import BytesIO

from .file_names import content_disposition
from .media_types import PLAIN_IMAGES, served_type


@dataclass(frozen=True)
class AttachmentFile:
    """An attachment's bytes, with the headers that make them harmless.

    Attributes:
        name: The file's name.
        mime_type: The file's MIME type.
        size: The file's size in bytes.
        by_link: Whether access comes from a signed URL rather than the owner's login.
        stream: Starts to read the bytes. It may be called again.
    """

    name: str
    mime_type: str
    size: int
    by_link: bool
    stream: Callable[[], AsyncIterator[bytes]]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a response with these bytes.

        The file is not trusted. They make browsers display only plain images and download anything
        else, never guess another type, and never run scripts from the file.
        """
        kind = "inline" if self.mime_type in PLAIN_IMAGES else "attachment"
        return {
            "Content-Type": served_type(self.mime_type),
            "Content-Length": str(self.size),
            "Content-Disposition": content_disposition(kind, self.name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, max-age=3600",
            # Anyone with a signed URL may read the file, even from a page of another origin. Other
            # sites must not embed files that a login gives access to.
            "Cross-Origin-Resource-Policy": "cross-origin" if self.by_link else "same-origin",
        }

    async def read(self) -> bytes:
        """Return all bytes of the file."""
        # Joining the parts would need twice as much memory.
        data = BytesIO()
        async for part in self.stream():
            data.write(part)
        return data.getvalue()
