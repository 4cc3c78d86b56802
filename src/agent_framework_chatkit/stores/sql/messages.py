"""Agents' messages, in append-only rows."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from agent_framework import Content, Message
from sqlalchemy import Connection, delete, insert, select

from . import json_text
from .database import Database
from .file_references import reference_of, reference_to_dict, unread_file
from .rows import number, thread_key
from .tables import messages

logger = logging.getLogger(__name__)


class Messages:
    """The messages of threads.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, thread_id: str, turn_id: str, added: Sequence[Message], owner: str) -> None:
        """Add messages to a thread, in one row."""
        data = dump_messages(added)

        def add(connection: Connection) -> None:
            thread, position = number(connection, thread_id, owner)
            connection.execute(
                insert(messages).values(thread=thread, position=position, turn=turn_id, data=data)
            )

        await self._database.write(add)

    async def load(self, thread_id: str, owner: str) -> list[Message]:
        """Return a thread's messages in the order in which they were added."""
        statement = (
            select(messages.c.data)
            .where(messages.c.thread == thread_key(thread_id, owner))
            .order_by(messages.c.position)
        )
        rows = await self._database.read(lambda c: c.execute(statement).scalars().all())
        return [message for row in rows for message in load_messages(row, thread_id)]

    async def delete(self, thread_id: str, turn_id: str, owner: str) -> None:
        """Delete the messages of a turn."""
        statement = delete(messages).where(
            messages.c.thread == thread_key(thread_id, owner), messages.c.turn == turn_id
        )
        await self._database.write(lambda connection: connection.execute(statement))


def dump_messages(added: Sequence[Message]) -> str:
    """Return messages as JSON. Values that are not JSON, such as a tool's, become strings."""
    return json_text.dump_any([message_to_dict(message) for message in added])


def message_to_dict(message: Message) -> dict[str, Any]:
    """Return a message as JSON.

    A file is stored as a reference. The framework would hold the text of a tool's result twice.
    """
    references = [reference_of(content) for content in message.contents]
    data = message.to_dict()
    data["contents"] = [
        content if reference is None else reference_to_dict(reference)
        for content, reference in zip(data["contents"], references, strict=True)
    ]
    for content in data["contents"]:
        text = {"type": "text", "text": content.get("result"), "additional_properties": {}}
        if content["type"] == "function_result" and content.get("items") == [text]:
            del content["items"]
    return data


def message_from_dict(data: dict[str, Any]) -> Message:
    """Return the message from the JSON of `message_to_dict`, or of the framework itself.

    Texts that name files take the place of references to them.
    """
    files: dict[int, Content] = {}
    others = []
    for index, content in enumerate(data.get("contents") or []):
        file = unread_file(content)
        if file is None:
            others.append(content)
        else:
            files[index] = file
    message = Message.from_dict({**data, "contents": others} if files else data)
    for index, file in files.items():
        message.contents.insert(index, file)
    for content in message.contents:
        if content.type == "function_result" and content.items is None:
            content.items = [Content.from_text(str(content.result or ""))]
    return message


def load_messages(data: str, thread_id: str) -> list[Message]:
    """Return the messages of a row, without those that this version cannot read."""
    read = (_read(message, thread_id) for message in json.loads(data))
    return [message for message in read if message is not None]


def _read(message: dict[str, Any], thread_id: str) -> Message | None:
    try:
        return message_from_dict(message)
    except Exception:
        # A newer version may have written the message.
        logger.exception("A message of thread %r cannot be read and is left out.", thread_id)
        return None
