"""A stored file on its way to a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from .file_names import content_disposition
from .media_types import PLAIN_IMAGES, served_type


@dataclass(frozen=True)
class AttachmentFile:
    """An attachment's bytes, and what must be sent along for them to be harmless.

    Attributes:
        name: The file's name.
        mime_type: The file's type.
        size: The number of its bytes.
        by_link: Whether a signed URL permits to read it, rather than the owner's login.
        stream: Begins to read the bytes. It may be called again.
    """

    name: str
    mime_type: str
    size: int
    by_link: bool
    stream: Callable[[], AsyncIterator[bytes]]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a response with these bytes.

        The file came from a stranger. A browser may draw it if it is a plain image; anything
        else it saves. It never guesses another type, and runs no script from it.
        """
        kind = "inline" if self.mime_type in PLAIN_IMAGES else "attachment"
        return {
            "Content-Type": served_type(self.mime_type),
            "Content-Length": str(self.size),
            "Content-Disposition": content_disposition(kind, self.name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, max-age=3600",
            # Whoever holds a signed URL may read it, from the page's origin too if that is not
            # ours. What a login permits must not be embedded by another site.
            "Cross-Origin-Resource-Policy": "cross-origin" if self.by_link else "same-origin",
        }
