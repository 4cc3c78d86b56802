"""Writes to the tables of threads within a transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args

from chatkit.store import NotFoundError
from chatkit.types import Attachment, EndOfTurnItem, ThreadItem, ThreadMetadata
from pydantic import Field, TypeAdapter
from sqlalchemy import Connection, delete

from ..turn_end import TurnEndItem
from . import json_text
from .database import Database
from .rows import free_after, unknown_thread
from .search_index import index_items, index_title
from .tables import attachments, items, messages, sessions, words
from .time import database_time
from .turn_rows import DumpedItem

THREAD: TypeAdapter[ThreadMetadata] = TypeAdapter(ThreadMetadata)
_kinds = tuple(
    TurnEndItem if kind is EndOfTurnItem else kind for kind in get_args(get_args(ThreadItem)[0])
)
_any_kind: Any = Annotated[Union[_kinds], Field(discriminator="type")]  # noqa: UP007
ITEM: TypeAdapter[ThreadItem] = TypeAdapter(_any_kind)
"""ChatKit's items, and our item that marks how a turn ended."""

ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


def add_new_thread(
    database: Database,
    connection: Connection,
    thread: ThreadMetadata,
    owner: str,
    last_position: int = 0,
) -> int:
    """Add a thread, or replace it if it was added in the meantime.

    Args:
        database: Provides the statements.
        connection: The transaction's connection.
        thread: The thread.
        owner: The thread's owner.
        last_position: The number of rows added to it in the same transaction.

    Returns:
        The thread's key.

    Raises:
        NotFoundError: If another owner has a thread with this ID.
    """
    statements = database.statements
    position = connection.scalar(statements.add_owner, {"b_owner": owner})
    values = {
        "id": thread.id,
        "owner": owner,
        "position": position,
        "last_position": last_position,
        "data": dump_thread(thread),
    }
    if database.is_sqlite:
        # SQLite would reuse the key of a thread that was just deleted, which workers still know.
        values["key"] = secrets.randbits(47)
    key = connection.scalar(statements.add_thread, values)
    if key is None:
        raise unknown_thread(thread.id)
    if thread.title:
        index_title(database, connection, int(key), thread.title)
    return int(key)


def add_items(
    database: Database,
    connection: Connection,
    key: int,
    position: int,
    added: Sequence[ThreadItem | DumpedItem],
    *,
    is_news: bool = False,
) -> None:
    """Add items to a thread, or replace them in place.

    Args:
        database: Provides the statements.
        connection: The transaction's connection.
        key: The thread's key.
        position: The number of the first item.
        added: The items.
        is_news: Whether the agent must read them.
    """
    texts = [item.data if isinstance(item, DumpedItem) else json_text.dump(item) for item in added]
    connection.execute(
        database.statements.add_item,
        [
            {
                "thread": key,
                "position": position + index,
                "id": item.id,
                "data": data,
                "is_news": is_news or None,
            }
            for index, (item, data) in enumerate(zip(added, texts, strict=True))
        ],
    )
    free_after(connection, *texts)
    searched = [item for item in added if not isinstance(item, DumpedItem)]
    index_items(database, connection, key, searched)


def delete_item(connection: Connection, key: int, item_id: str) -> None:
    """Delete an item, its feedback, and the session and messages of the turn that it started."""
    for table, column in (
        (items, "id"),
        (words, "item"),
        (sessions, "id"),
        (messages, "turn"),
    ):
        connection.execute(delete(table).where(table.c.thread == key, table.c[column] == item_id))


def save_attachment_row(
    database: Database,
    connection: Connection,
    attachment: Attachment,
    owner: str,
    thread: int | None,
    *,
    may_move: bool = True,
) -> None:
    """Add or replace an attachment's metadata.

    Args:
        database: Builds the statement.
        connection: The transaction's connection.
        attachment: The attachment.
        owner: The attachment's owner.
        thread: The key of the thread that has it, if any.
        may_move: Whether it may belong to another thread before.

    Raises:
        NotFoundError: If another owner, or another thread, has an attachment with this ID.
    """
    replaced = attachments.c.owner == owner
    if not may_move:
        replaced &= attachments.c.thread.is_(None) | (attachments.c.thread == thread)
    insert = database.insert(attachments).values(
        id=attachment.id,
        owner=owner,
        thread=thread,
        created_at=database_time(),
        data=json_text.dump(attachment),
        size=size_of(attachment),
    )
    saved = connection.scalar(
        insert.on_conflict_do_update(
            index_elements=[attachments.c.id],
            set_={name: insert.excluded[name] for name in ("thread", "data", "size")},
            where=replaced,
        ).returning(attachments.c.id)
    )
    if saved is None:
        raise unknown_attachment(attachment.id)


def size_of(attachment: Attachment) -> int:
    """Return an attachment's actual or announced size in bytes."""
    size = (attachment.metadata or {}).get("size")
    return size if isinstance(size, int) else 0


def dump_thread(thread: ThreadMetadata) -> str:
    """Return a thread's JSON for its row.

    ChatKit also passes a `Thread`, whose items are not stored in the row.
    """
    if type(thread) is not ThreadMetadata:
        thread = ThreadMetadata(
            **{name: getattr(thread, name) for name in ThreadMetadata.model_fields}
        )
    return json_text.dump(thread)


def parse_thread(thread_id: str, data: str) -> ThreadMetadata | None:
    """Return the thread in a row, if this version can read it."""
    return json_text.load(THREAD, data, f"Thread {thread_id!r}")


def parse_item(item_id: str, data: str) -> ThreadItem | None:
    """Return the item in a row, if this version can read it."""
    item = json_text.load(ITEM, data, f"Item {item_id!r}")
    if isinstance(item, TurnEndItem) and not item.state:
        return EndOfTurnItem(**{name: getattr(item, name) for name in EndOfTurnItem.model_fields})
    return item


def unknown_item(item_id: str) -> NotFoundError:
    """Return the error for an item that the thread does not have."""
    return NotFoundError(f"There is no item {item_id!r}.")


def unknown_attachment(attachment_id: str) -> NotFoundError:
    """Return the error for an attachment that the owner does not have."""
    return NotFoundError(f"There is no attachment {attachment_id!r}.")
