"""The file types accepted by default, at the path from which apps import them."""

from .attachments.media_types import DEFAULT_ACCEPT

__all__ = ["DEFAULT_ACCEPT"]
