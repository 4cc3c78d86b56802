"""Gives agents the files that users attach."""

from __future__ import annotations

import logging
from copy import copy
from typing import TYPE_CHECKING, Any

from agent_framework import Content
from chatkit.types import Attachment

from ..bridge.thread_items import ThreadItemConverter
from ..stores.attachments.errors import AttachmentNotFoundError
from ..stores.sql.file_references import FileReference, file_note, refer, reference_of
from ..stores.sql.turn_rows import StoredThread

if TYPE_CHECKING:
    from ..stores.attachments.store import AttachmentStore

logger = logging.getLogger(__name__)

_DELETED = "This file was deleted."
_UNREADABLE = "This file cannot be read at the moment."


class AttachedFiles(ThreadItemConverter):
    """Converts thread items, with references to their files, for one turn.

    The history stores the references. A file is read once in a turn.

    Args:
        store: The store of the files; `None` if there is none anymore.
        context: Names the owner.
    """

    def __init__(self, store: AttachmentStore[Any] | None, context: Any) -> None:
        super().__init__(None if store is None else self._read)
        self._store = store
        self._context = context
        self._contents: dict[str, Content] = {}

    async def _file_content(self, attachment: Attachment) -> Content:
        """Return a file's content, with a reference to the file."""
        known = self._contents.get(attachment.id)
        if known is None:
            known = await super()._file_content(attachment)
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
            return await self._file_content(reference.attachment)
        except AttachmentNotFoundError:
            return file_note(reference, _DELETED)
        except Exception:
            logger.warning(
                "The bytes of attachment %r could not be fetched.", reference.id, exc_info=True
            )
            return None

    async def _read(self, attachment_id: str) -> bytes:
        assert self._store is not None  # noqa: S101 otherwise nothing calls this
        return await self._store.read_bytes(attachment_id, self._context)
