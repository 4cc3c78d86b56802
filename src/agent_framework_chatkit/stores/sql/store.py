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
    """Keeps threads, and all that belongs to them, in SQLite or PostgreSQL.

    It is ready to use: the first call creates the tables, or brings them up to date.

    Everything belongs to the owner that the context of the call names, by its `user_id`: an
    attribute, or the key of a mapping. What belongs to another owner does not exist. A context
    without a `user_id` raises `TypeError`, and one whose `user_id` is empty raises `ValueError`.

    Threads, and the items of a thread, are in the order in which they were added, whatever their
    `created_at`. What a page returns as `after` stays valid when the row before it is deleted;
    the id of a thread or an item serves too.

    A row that only a newer version can read is left out, with an error in the log.

    Use one store for one event loop, and close it, or use it as an async context manager.

    Args:
        url: The database: `sqlite:///chat.db`, `sqlite://` for one in memory that is gone when
            the store is closed, or `postgresql://user@host/name`.
        lease: How long, in seconds, a thread stays locked at most when a worker dies in a turn.
        audit_days: How many days the records of the audit trail are kept.

    Raises:
        ValueError: If the URL is of another kind of database.
        ImportError: If the database's driver is not installed.
    """

    def __init__(self, url: str, *, lease: float = 10, audit_days: float = 90) -> None:
        database = self.database = Database(url)
        self.turns = Turns(database)
        """Begins and ends turns, and writes the event log; for `AgentChatKitServer`."""
        self.log = ThreadLog(database)
        """Reads turns and the event log; for `AgentChatKitServer`."""
        self.leases = Leases(database, self.turns, lease)
        """The worker's leases; for `AgentChatKitServer`."""
        self.audit = AuditTrail(database, audit_days)
        """Who did what, and when."""
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
        """Create the tables, or bring them up to date; the first call of any kind does, too.

        Any number of workers may do so at once.

        Raises:
            RuntimeError: If a newer version of this package has changed the tables.
        """
        await self.database.migrate()

    async def check(self) -> None:
        """Ask the database for something, and raise if it does not answer."""
        await self.database.check()

    async def close(self) -> None:
        """Close the connections."""
        await self.leases.close()
        await self.database.close()

    def generate_thread_id(self, context: TContext) -> str:
        """Return a new id for a thread: ChatKit's prefix and 128 random bits."""
        return _generate_id("thread")

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: TContext
    ) -> str:
        """Return a new id for an item: ChatKit's prefix and 128 random bits."""
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
            NotFoundError: If another owner has a thread with this id.
        """
        await self._threads.save(thread, owner_of(context))

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: TContext
    ) -> Page[ThreadMetadata]:
        """Load a page of the owner's threads, in the order in which they were added.

        Raises:
            NotFoundError: If `after` is the id of a thread that the owner does not have.
            ValueError: If the limit is less than 1, or the order is not `asc` or `desc`.
        """
        return await self._threads.load_page(owner_of(context), after, limit, order)

    async def search_threads(
        self, query: str, limit: int, after: str | None, context: TContext
    ) -> Page[Found]:
        """Find the owner's threads with a message, or a title, that has all words of a query.

        Case and accents make no difference, and the beginning of a word is enough.

        Args:
            query: What to find.
            limit: How many threads to return at most.
            after: Where the page begins, as the one before it said.
            context: Names the owner.

        Returns:
            The threads, newest first, each with the newest message that has the words.

        Raises:
            NotFoundError: If `after` is the id of a thread that the owner does not have.
            ValueError: If the limit is less than 1.
        """
        return await self._search.find(owner_of(context), query, limit, after)

    async def delete_thread(self, thread_id: str, context: TContext) -> None:
        """Delete a thread and all that belongs to it: items, sessions, messages, feedback.

        The bytes of its attachments are for the attachment store to delete: see
        `doomed_attachments`.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._threads.delete(thread_id, owner_of(context))

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: TContext
    ) -> Page[ThreadItem]:
        """Load a page of a thread's items, in the order in which they were added.

        The items of a thread that the owner does not have are an empty page.

        Raises:
            NotFoundError: If `after` is the id of an item that the thread does not have.
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
        """Add an item to the end of a thread, or replace it where it is.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._items.add(thread_id, item, owner_of(context))

    async def save_item(self, thread_id: str, item: ThreadItem, context: TContext) -> None:
        """Replace an item where it is, or add it to the end of a thread.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self.add_thread_item(thread_id, item, context)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: TContext) -> None:
        """Delete an item, its feedback, and the session and messages of the turn it began.

        Nothing happens if there is none: ChatKit removes items that it never stored.
        """
        await self._items.delete(thread_id, item_id, owner_of(context))

    async def save_attachment(self, attachment: Attachment, context: TContext) -> None:
        """Add what is known of an attachment, or replace it.

        With a `thread_id`, it belongs to that thread, and is deleted with it.

        Raises:
            NotFoundError: If the owner has no such thread, or another owner has an attachment
                with this id.
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
        """Add what is known of a new attachment, if its owner may have one more.

        Attachments that are added at the same time, by any worker, count one another.

        Args:
            attachment: The attachment. The `size` in its metadata is how many bytes it counts for.
            context: Names the owner.
            max_files: How many attachments the owner may have; `None` for no limit.
            max_stored: How many bytes they may have together; `None` for no limit.

        Returns:
            Whether it was added.
        """
        return await self._attachments.reserve(attachment, owner_of(context), max_files, max_stored)

    async def load_attachment(self, attachment_id: str, context: TContext) -> Attachment:
        """Load what is known of an attachment.

        Raises:
            NotFoundError: If the owner has no such attachment.
        """
        return await self._attachments.load(attachment_id, owner_of(context))

    async def delete_attachment(self, attachment_id: str, context: TContext) -> None:
        """Delete what is known of an attachment, whose bytes ChatKit has deleted before.

        Raises:
            NotFoundError: If the owner has no such attachment.
        """
        await self._attachments.delete(attachment_id, owner_of(context))

    async def doomed_attachments(self, limit: int = 100) -> list[str]:
        """Return ids of attachments, of any owner, whose bytes are to be deleted.

        They were deleted with their thread, or because of their age. Delete their bytes, which
        may be gone already, then `forget_attachments`. Until then they are returned again: a
        worker that dies in between leaves nothing behind.

        Args:
            limit: How many ids to return at most.
        """
        return await self._retention.doomed_attachments(limit)

    async def forget_attachments(self, ids: Sequence[str]) -> None:
        """Forget attachments from `doomed_attachments`, whose bytes are deleted now.

        Args:
            ids: Their ids.
        """
        await self._retention.forget_attachments(ids)

    async def secret(self) -> str:
        """Return a secret to sign with: the same for all workers, made when first asked for."""
        return await self._app_secret.value()

    def sessions(self, thread_id: str, context: TContext) -> SQLSessionStore:
        """Return the store of a thread's agent sessions.

        A session that is stored under the id of an item is deleted with the item, and all of a
        thread's sessions with the thread. Only sessions of an existing thread can be stored;
        `set` raises `NotFoundError` otherwise.

        Args:
            thread_id: The thread.
            context: Names the owner.
        """
        return SQLSessionStore(self.database, thread_id, owner_of(context))

    async def add_messages(
        self, thread_id: str, turn_id: str, messages: Sequence[Message], context: TContext
    ) -> None:
        """Add messages to the end of a thread's history.

        Args:
            thread_id: The thread.
            turn_id: The id of the user message that began the turn. The messages are deleted
                with it.
            messages: What to add.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._messages.add(thread_id, turn_id, messages, owner_of(context))

    async def load_messages(self, thread_id: str, context: TContext) -> list[Message]:
        """Return a thread's history in order; nothing if the owner has no such thread."""
        return await self._messages.load(thread_id, owner_of(context))

    async def delete_messages(self, thread_id: str, turn_id: str, context: TContext) -> None:
        """Delete a turn's messages from a thread's history, as before the turn is retried.

        Args:
            thread_id: The thread.
            turn_id: The turn, as `add_messages` was told.
            context: Names the owner.
        """
        await self._messages.delete(thread_id, turn_id, owner_of(context))

    def turn(self, thread_id: str, context: TContext) -> AbstractAsyncContextManager[None]:
        """Hold a thread while a turn runs: there is one at a time, among all workers.

        ```python
        async with store.turn(thread.id, context):
            ...
        ```

        If the worker dies, others can hold the thread once the lease, which is renewed while the
        block runs, has expired.

        Args:
            thread_id: The thread.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
            ThreadBusyError: If another turn of the thread is running.
        """
        return self.leases.hold(thread_id, owner_of(context))

    async def save_feedback(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, context: TContext
    ) -> None:
        """Store what the owner thinks of items, instead of what they thought before.

        Ids of items that the thread does not have are ignored.

        Args:
            thread_id: The thread.
            item_ids: The items.
            kind: What the owner thinks.
            context: Names the owner.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        await self._feedback.save(thread_id, item_ids, kind, owner_of(context))

    async def load_feedback(self, thread_id: str, context: TContext) -> dict[str, FeedbackKind]:
        """Return what the owner thinks of a thread's items, by the items' ids."""
        return await self._feedback.load(thread_id, owner_of(context))

    async def purge(self, older_than: timedelta) -> Purged:
        """Delete, of all owners, the threads that nothing was written to for a time.

        Attachments go too that were uploaded that long ago and never sent. The bytes of
        attachments are for the attachment store to delete: see `doomed_attachments`.

        Args:
            older_than: The time.

        Returns:
            How much was deleted.
        """
        return await self._retention.purge(older_than)


def _generate_id(item_type: StoreItemType) -> str:
    prefix = default_generate_id(item_type).rpartition("_")[0]
    return f"{prefix}_{secrets.token_hex(16)}"
