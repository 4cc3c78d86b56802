"""The errors of attachments, under the name by which apps import them."""

from .attachments.errors import *  # noqa: F403
