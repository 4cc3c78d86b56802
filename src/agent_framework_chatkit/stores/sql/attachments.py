"""The metadata of attachments; their bytes are in an attachment store."""

from __future__ import annotations

from chatkit.types import Attachment
from sqlalchemy import Connection, delete, func, select

from . import json_text
from .database import Database
from .rows import hold_thread
from .tables import attachments
from .writes import ATTACHMENT, save_attachment_row, size_of, unknown_attachment


class Attachments:
    """The metadata of attachments.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, attachment: Attachment, owner: str, *, may_add: bool = True) -> None:
        """Add an attachment, or replace it. If a thread has it, it stays there.

        Args:
            attachment: The attachment.
            owner: The attachment's owner.
            may_add: Whether it may be new.
        """
        held = (
            select(attachments.c.thread, attachments.c.data)
            .where(attachments.c.id == attachment.id, attachments.c.owner == owner)
            .with_for_update()
        )

        def save(connection: Connection) -> None:
            saved, thread = attachment, None
            if saved.thread_id is not None:
                thread = hold_thread(connection, saved.thread_id, owner)
            row = connection.execute(held).one_or_none()
            if row is None and not may_add:
                raise unknown_attachment(saved.id)
            if saved.thread_id is None and row is not None and row.thread is not None:
                # It was sent since the caller loaded it.
                thread = row.thread
                sent = json_text.load(ATTACHMENT, row.data, f"Attachment {saved.id!r}")
                thread_id = None if sent is None else sent.thread_id
                saved = saved.model_copy(update={"thread_id": thread_id})
            save_attachment_row(self._database, connection, saved, owner, thread)

        await self._database.write(save)

    async def reserve(
        self, attachment: Attachment, owner: str, max_files: int | None, max_stored: int | None
    ) -> bool:
        """Add an attachment if it is within its owner's limits; return whether it was added."""
        usage = select(func.count(), func.coalesce(func.sum(attachments.c.size), 0)).where(
            attachments.c.owner == owner
        )

        def reserve(connection: Connection) -> bool:
            connection.execute(self._database.statements.hold_owner, {"b_owner": owner})
            files, stored = connection.execute(usage).one()
            if (max_files is not None and files >= max_files) or (
                max_stored is not None and stored + size_of(attachment) > max_stored
            ):
                return False
            save_attachment_row(self._database, connection, attachment, owner, None)
            return True

        return await self._database.write(reserve)

    async def load(self, attachment_id: str, owner: str) -> Attachment:
        """Return an attachment."""
        statement = select(attachments.c.data).where(
            attachments.c.id == attachment_id, attachments.c.owner == owner
        )
        data = await self._database.read(lambda connection: connection.scalar(statement))
        attachment = (
            None
            if data is None
            else json_text.load(ATTACHMENT, data, f"Attachment {attachment_id!r}")
        )
        if attachment is None:
            raise unknown_attachment(attachment_id)
        return attachment

    async def delete(self, attachment_id: str, owner: str) -> None:
        """Delete an attachment."""
        statement = delete(attachments).where(
            attachments.c.id == attachment_id, attachments.c.owner == owner
        )
        deleted = await self._database.write(lambda c: c.execute(statement).rowcount)
        if deleted == 0:
            raise unknown_attachment(attachment_id)
