"""ChatKit's store in a SQL database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Generic

from agent_framework import Message
from chatkit.store import Store, StoreItemType, default_generate_id
from chatkit.types import Attachment, FeedbackKind, Page, ThreadItem, ThreadMetadata
from typing_extensions import Self, TypeVar

from ..owners import owner_of
from .app_secret import AppSecret
from .attachments import Attachments
from .audit import AuditTrail
from .database import Database
from .feedback import Feedback
from .item_rows import ItemRows
from .leases import Leases
from .log import ThreadLog
from .messages import Messages
from .retention import Purged, Retention
from .search import Found, Search
from .sessions import SQLSessionStore
from .thread_rows import ThreadRows
from .turns import Turns

TContext = TypeVar("TContext", default=Any)


class SQLStore(Store[TContext], Generic[TContext]):
    """Stores threads, and everything that belongs to them, in SQLite or PostgreSQL.

    The store needs no setup: the first call creates the tables or brings them up to date.

    All data belongs to the owner in the call's context: its `user_id`, an attribute or a mapping's
    key. Data of other owners does not exist for the caller. A context without a `user_id` raises
    `TypeError`, and an empty `user_id` raises `ValueError`.

    Threads, and the items of a thread, are in the order in which they were added, regardless of
    `created_at`. A page's `after` value stays valid if the row is deleted. A thread's or an item's
    ID can be used as `after`, too.

    A row that only a newer version can read is left out, with an error in the log.

    Use a store in one event loop only, and close it, or use it as an async context manager.

    Args:
        url: The database: `sqlite:///chat.db`, `sqlite://` for one in memory that is lost when
            the store is closed, or `postgresql://user@host/name`.
        lease: The maximum number of seconds that a thread stays locked if a worker dies in a turn.
        audit_days: Days to keep the records of the audit trail.
        direct_url: PostgreSQL's own URL, if `url` is that of a pooler such as PgBouncer.

    Raises:
        ValueError: If a URL names another kind of database.
        ImportError: If the database's driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        lease: float = 10,
        audit_days: float = 90,
        direct_url: str | None = None,
    ) -> None:
        database = self.database = Database(url, direct_url)
        self.turns = Turns(database)
        """Starts and ends turns, and writes the event log; for `AgentChatKitServer`."""
        self.log = ThreadLog(database)
        """Reads turns and the event log; for `AgentChatKitServer`."""
        self.leases = Leases(database, self.turns, lease)
        """The worker's leases; for `AgentChatKitServer`."""
        self.audit = AuditTrail(database, audit_days)
        """The audit trail."""
        self._retention = Retention(database)
        self._threads = ThreadRows(database, self._retention)
        self._items = ItemRows(database)
        self._attachments = Attachments(database)
        self._messages = Messages(database)
        self._feedback = Feedback(database)
        self._app_secret = AppSecret(database)
        self._search = Search(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date, as the first call of any kind also does.

        Any number of workers may call this at the same time.

        Raises:
            RuntimeError: If a newer version of this package changed the tables.
        """
        await self.database.migrate()

    async def check(self) -> None:
        """Run a query, and raise if the database does not respond."""
        await self.database.check()

    async def close(self) -> None:
        """Close the connections."""
        await self.leases.close()
        await self.database.close()

    def generate_thread_id(self, context: TContext) -> str:
        """Return a new thread ID: ChatKit's prefix and 128 random bits."""
        return _generate_id("thread")

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: TContext
    ) -> str:
        """Return a new item ID: ChatKit's prefix and 128 random bits."""
        return _generate_id(item_type)

    async def load_thread(self, thread_id: str, context: TContext) -> ThreadMetadata:
        """Load a thread, without its items.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        return await self._threads.load(thread_id, owner_of(context))

    async def save_thread(self, thread: ThreadMetadata, context: TContext) -> None:
        """Add a thread, or replace it.

        Raises:
            NotFoundError: If another owner has a thread with this ID.
        """
        await self._threads.save(thread, owner_of(context))

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: TContext
    ) -> Page[ThreadMetadata]:
        """Load a page of the owner's threads, in the order in which they were added.

        Raises:
            NotFoundError: If `after` is the ID of a thread that the owner does not have.
            ValueError: If the limit is less than 1, or the order is not `asc` or `desc`.
        """
        return await self._threads.load_page(owner_of(context), after, limit, order)

    async def search_threads(
        self, query: str, limit: int, after: str | None, context: TContext
    ) -> Page[Found]:
        """Find the owner's threads with a message or a title that contains all words of a query.

        Case and accents are ignored, and the query's words may be prefixes.

        Args:
            query: The words.
            limit: The maximum number of threads to return.
            after: The `after` value of the previous page.
            context: Names the owner.

        Returns:
            The threads, newest first, each with its newest matching message.

        Raises:
            NotFoundError: If `after` is the ID of a thread that the owner does not have.
            ValueError: If the limit is less than 1.
        """
        return await self._search.find(owner_of(context), query, limit, after)

    async def delete_thread(self, thread_id: str, context: TContext) -> None:
        """Delete a thread with its items, sessions, messages and feedback.

        The attachment store must delete the bytes of its attachments: see `doomed_attachments`.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._threads.delete(thread_id, owner_of(context))

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: TContext
    ) -> Page[ThreadItem]:
        """Load a page of a thread's items, in the order in which they were added.

        The page is empty if the owner has no such thread.

        Raises:
            NotFoundError: If `after` is the ID of an item that the thread does not have.
            ValueError: If the limit is less than 1, or the order is not `asc` or `desc`.
        """
        return await self._items.load_page(thread_id, owner_of(context), after, limit, order)

    async def load_item(self, thread_id: str, item_id: str, context: TContext) -> ThreadItem:
        """Load an item.

        Raises:
            NotFoundError: If the owner has no such thread, or the thread no such item.
        """
        return await self._items.load(thread_id, item_id, owner_of(context))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Add an item to the end of a thread, or replace it in place.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._items.add(thread_id, item, owner_of(context))

    async def save_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Replace an item in place, or add it to the end of a thread.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self.add_thread_item(thread_id, item, context)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: TContext) -> None:
        """Delete an item, its feedback, and the session and messages of the turn that it started.

        Nothing happens if the item does not exist: ChatKit removes items that it never stored.
        """
        await self._items.delete(thread_id, item_id, owner_of(context))

    async def save_attachment(self, attachment: Attachment, context: TContext) -> None:
        """Add or replace an attachment's metadata.

        With a `thread_id`, the attachment belongs to that thread and is deleted with it. Without
        one, it stays in the thread that has it.

        Raises:
            NotFoundError: If the owner has no such thread, or another owner has an attachment
                with this ID.
        """
        await self._attachments.save(attachment, owner_of(context))

    async def reserve_attachment(
        self,
        attachment: Attachment,
        context: TContext,
        *,
        max_files: int | None,
        max_stored: int | None,
    ) -> bool:
        """Add a new attachment's metadata within its owner's limits; return whether it was added.

        The limits also hold if several workers add attachments at the same time.

        Args:
            attachment: The attachment. The `size` in its metadata is its size in bytes.
            context: Names the owner.
            max_files: The maximum number of the owner's attachments; `None` for no limit.
            max_stored: The maximum total bytes of them; `None` for no limit.
        """
        return await self._attachments.reserve(attachment, owner_of(context), max_files, max_stored)

    async def replace_attachment(self, attachment: Attachment, context: TContext) -> None:
        """Replace an attachment's metadata, unless it was deleted. It stays in its thread.

        Raises:
            NotFoundError: If the owner has no such attachment.
        """
        await self._attachments.save(attachment, owner_of(context), may_add=False)

    async def load_attachment(self, attachment_id: str, context: TContext) -> Attachment:
        """Load an attachment's metadata.

        Raises:
            NotFoundError: If the owner has no such attachment.
        """
        return await self._attachments.load(attachment_id, owner_of(context))

    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete an attachment's metadata. ChatKit deletes its bytes first.

        Raises:
            NotFoundError: If the owner has no such attachment.
        """
        await self._attachments.delete(attachment_id, owner_of(context))

    async def doomed_attachments(self, limit: int = 100) -> list[str]:
        """Return the IDs of up to `limit` attachments, of any owner, whose bytes must be deleted.

        These attachments were deleted with their thread or because of their age. Delete their
        bytes, which may already be gone, and then call `forget_attachments`. Until then, their IDs
        are returned again, so that nothing is left behind if a worker dies in between.
        """
        return await self._retention.doomed_attachments(limit)

    async def forget_attachments(self, ids: Sequence[str]) -> None:
        """Forget attachments from `doomed_attachments` after you have deleted their bytes."""
        await self._retention.forget_attachments(ids)

    async def secret(self) -> str:
        """Return a signing secret that all workers share. It is generated on first use."""
        return await self._app_secret.value()

    def sessions(self, thread_id: str, context: TContext) -> SQLSessionStore:
        """Return the store of a thread's agent sessions.

        A session whose ID is that of an item is deleted with the item. All of a thread's sessions
        are deleted with the thread. `set` raises `NotFoundError` if the thread does not exist.

        Args:
            thread_id: The thread's ID.
            context: Names the owner.
        """
        return SQLSessionStore(self.database, thread_id, owner_of(context))

    async def add_messages(
        self, thread_id: str, turn_id: str, messages: Sequence[Message], context: TContext
    ) -> None:
        """Add messages to the end of a thread's history.

        Args:
            thread_id: The thread.
            turn_id: The ID of the user message that started the turn. The messages are deleted
                with it.
            messages: The messages.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._messages.add(thread_id, turn_id, messages, owner_of(context))

    async def load_messages(self, thread_id: str, context: TContext) -> list[Message]:
        """Return a thread's history in order; empty if the owner has no such thread."""
        return await self._messages.load(thread_id, owner_of(context))

    async def delete_messages(self, thread_id: str, turn_id: str, context: TContext) -> None:
        """Delete a turn's messages from a thread's history, for example before a retry.

        Args:
            thread_id: The thread.
            turn_id: The turn's ID, as passed to `add_messages`.
            context: Names the owner.
        """
        await self._messages.delete(thread_id, turn_id, owner_of(context))

    def turn(self, thread_id: str, context: TContext) -> AbstractAsyncContextManager[None]:
        """Hold a thread while a turn runs: one turn at a time, across all workers.

        ```python
        async with store.turn(thread.id, context):
            ...
        ```

        The lease is renewed while the block runs. If the worker dies, others can hold the thread
        after the lease has expired.

        Args:
            thread_id: The thread.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
            ThreadBusyError: If the thread is running another turn.
        """
        return self.leases.hold(thread_id, owner_of(context))

    async def save_feedback(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, context: TContext
    ) -> None:
        """Store the owner's feedback on items, replacing any earlier feedback.

        IDs of items that the thread does not have are ignored.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._feedback.save(thread_id, item_ids, kind, owner_of(context))

    async def load_feedback(self, thread_id: str, context: TContext) -> dict[str, FeedbackKind]:
        """Return the owner's feedback on a thread's items, by item ID."""
        return await self._feedback.load(thread_id, owner_of(context))

    async def purge(self, older_than: timedelta) -> Purged:
        """Delete the threads of all owners to which nothing was written for a time.

        Unsent attachments that were uploaded that long ago are also deleted. The attachment store
        must delete the bytes of all deleted attachments: see `doomed_attachments`.

        Args:
            older_than: The minimum age.

        Returns:
            The numbers of deleted threads and attachments.
        """
        return await self._retention.purge(older_than)


def _generate_id(item_type: StoreItemType) -> str:
    prefix = default_generate_id(item_type).rpartition("_")[0]
    return f"{prefix}_{secrets.token_hex(16)}"
