"""Agents' messages, in rows that are only ever added."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from agent_framework import Message
from sqlalchemy import delete, insert, select

from .database import Database, finishes
from .rows import number, thread_key
from .tables import messages

logger = logging.getLogger(__name__)


class History:
    """The messages of threads.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @finishes
    async def add(self, thread_id: str, turn_id: str, added: Sequence[Message], owner: str) -> None:
        """Add messages to a thread, in one row."""
        data = json.dumps([message.to_dict() for message in added])
        async with self._database.write() as connection:
            thread, position = await number(connection, thread_id, owner)
            await connection.execute(
                insert(messages).values(thread=thread, position=position, turn=turn_id, data=data)
            )

    @finishes
    async def load(self, thread_id: str, owner: str) -> list[Message]:
        """Return a thread's messages in the order in which they were added."""
        async with self._database.read() as connection:
            rows = await connection.scalars(
                select(messages.c.data)
                .where(messages.c.thread == thread_key(thread_id, owner))
                .order_by(messages.c.position)
            )
        read = (_read(message, thread_id) for row in rows for message in json.loads(row))
        return [message for message in read if message is not None]

    @finishes
    async def delete(self, thread_id: str, turn_id: str, owner: str) -> None:
        """Delete the messages of a turn."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(messages).where(
                    messages.c.thread == thread_key(thread_id, owner), messages.c.turn == turn_id
                )
            )


def _read(message: dict[str, Any], thread_id: str) -> Message | None:
    try:
        return Message.from_dict(message)
    except Exception:
        # A newer version may have written it.
        logger.exception("A message of thread %r cannot be read, and is left out.", thread_id)
        return None
