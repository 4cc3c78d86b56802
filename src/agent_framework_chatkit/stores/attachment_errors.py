"""Attachment errors, at the path from which apps import them."""

from .attachments.errors import *  # noqa: F403
