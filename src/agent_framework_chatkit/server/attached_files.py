"""Gives agents the files that users attach."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

from agent_framework import Content
from chatkit.types import Attachment

from ..bridge.attachment_content import attachment_content, turn_files
from ..stores.attachments.errors import AttachmentNotFoundError
from ..stores.sql.file_references import FileReference, file_note, refer, reference_of
from ..stores.sql.turn_rows import StoredThread

if TYPE_CHECKING:
    from ..stores.attachments.store import AttachmentStore

logger = logging.getLogger(__name__)

_MAX_TEXT = 2 * 1024 * 1024
"""The bytes of text files that the agent gets as text from a message.

That is more than most models can read. Python needs up to four bytes for each, and each twice.
"""

_DELETED = "This file was deleted."
_UNREADABLE = "This file cannot be read at the moment."


class AttachedFiles:
    """Converts the attached files of a turn.

    A file is read once in a turn. The history stores a reference to it. Text files that would make
    a message too long become data.

    Args:
        store: The store of the files; `None` if there is none anymore.
        context: Names the owner.
    """

    def __init__(self, store: AttachmentStore[Any] | None, context: Any) -> None:
        self._store = store
        self._context = context
        self._contents: dict[str, Content] = {}
        self._text_left = _MAX_TEXT

    @contextmanager
    def available(self) -> Iterator[None]:
        """Let thread item converters read the files of a new message."""
        self._text_left = _MAX_TEXT
        token = turn_files.set(self.read)
        try:
            yield
        finally:
            turn_files.reset(token)

    async def read(self, attachment: Attachment) -> Content:
        """Return a file's content, with a reference to the file.

        Raises:
            AttachmentNotFoundError: If the file was deleted.
            ValueError: If the server has no store of files.
        """
        known = self._contents.get(attachment.id)
        if known is None:
            if self._store is None:
                raise ValueError("The server has no attachment_store anymore.")
            file = await self._store.open(attachment.id, context=self._context)
            fits = file.size <= self._text_left
            known = await attachment_content(file.stream(), attachment, may_be_text=fits)
            if known.type == "text":
                self._text_left -= file.size
            refer(known, attachment)
            self._contents[attachment.id] = known
        return copy(known)

    async def fill(self, stored: StoredThread) -> bool:
        """Read the files to which a thread's stored messages refer.

        Returns:
            Whether all files were read, except for deleted ones.
        """
        is_complete = True
        for row, (messages, size) in enumerate(stored.messages):
            for message in messages:
                self._text_left = _MAX_TEXT
                for index, content in enumerate(message.contents):
                    reference = reference_of(content)
                    if reference is None:
                        continue
                    filled = await self._filled(reference)
                    is_complete = is_complete and filled is not None
                    filled = filled or file_note(reference, _UNREADABLE)
                    message.contents[index] = filled
                    size += len(filled.uri or filled.text or "")
            stored.messages[row] = messages, size
        return is_complete

    async def _filled(self, reference: FileReference) -> Content | None:
        """Return the content of a file, or `None` if it cannot be read at the moment."""
        try:
            return await self.read(reference.attachment)
        except AttachmentNotFoundError:
            return file_note(reference, _DELETED)
        except Exception:
            logger.warning(
                "The bytes of attachment %r could not be fetched.", reference.id, exc_info=True
            )
            return None
