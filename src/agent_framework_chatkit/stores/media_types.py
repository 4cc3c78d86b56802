"""The types of files that are accepted, under the name by which apps import it."""

from .attachments.media_types import DEFAULT_ACCEPT

__all__ = ["DEFAULT_ACCEPT"]
