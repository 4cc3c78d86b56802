"""Feedback on items."""

from __future__ import annotations

from collections.abc import Sequence

from chatkit.types import FeedbackKind
from sqlalchemy import Connection, literal, select

from .database import Database
from .rows import hold_thread, thread_key
from .tables import feedback, items


class Feedback:
    """The feedback on the items of threads.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, thread_id: str, item_ids: Sequence[str], kind: FeedbackKind, owner: str
    ) -> None:
        """Store feedback; see `SQLStore.save_feedback`."""

        def save(connection: Connection) -> None:
            thread = hold_thread(connection, thread_id, owner)
            rated = select(items.c.thread, items.c.id, literal(kind)).where(
                items.c.thread == thread, items.c.id.in_(item_ids)
            )
            insert = self._database.insert(feedback).from_select(["thread", "item", "kind"], rated)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[feedback.c.thread, feedback.c.item],
                    set_={"kind": insert.excluded.kind},
                )
            )

        await self._database.write(save)

    async def load(self, thread_id: str, owner: str) -> dict[str, FeedbackKind]:
        """Return the feedback on a thread's items, by item ID."""
        statement = select(feedback.c.item, feedback.c.kind).where(
            feedback.c.thread == thread_key(thread_id, owner)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {row.item: row.kind for row in rows}
