"""Stores agents' sessions in the database."""

from __future__ import annotations

import json
import logging
import warnings
from typing import Any, NamedTuple

from agent_framework import AgentSession, SessionStore
from sqlalchemy import Connection, Select, delete, select

from .database import Database
from .rows import number, thread_key
from .tables import sessions

logger = logging.getLogger(__name__)


class StoredSession(NamedTuple):
    """A session and its ID."""

    id: str
    session: AgentSession


def read_session(session_id: str, data: str, thread_id: str) -> StoredSession | None:
    """Return the session in a row, or `None` if it cannot be restored."""
    try:
        return StoredSession(session_id, AgentSession.from_dict(json.loads(data)))
    except Exception:
        # The caller rebuilds a session that is missing.
        logger.exception("A session of thread %r cannot be restored.", thread_id)
        return None


def write_session(
    database: Database, connection: Connection, thread: int, position: int, name: str, data: str
) -> None:
    """Store a session as the thread's last one, replacing any with the same ID."""
    values = {"thread": thread, "id": name, "position": position, "data": data}
    connection.execute(database.statements.add_session, values)


# The framework warns that this class may change, which is not for users to deal with.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)

    class SQLSessionStore(SessionStore):
        """The sessions of a thread's turns.

        Sessions are deleted with the thread, or with the item whose ID they have.

        Args:
            database: The database.
            thread_id: The thread's ID.
            owner: The thread's owner.
        """

        def __init__(self, database: Database, thread_id: str, owner: str) -> None:
            self._database = database
            self._thread_id = thread_id
            self._owner = owner

        async def get(self, session_id: str) -> AgentSession | None:
            """Return the stored session, or `None` if there is none or it cannot be restored.

            Raises:
                ValueError: If the ID is empty.
            """
            self.validate_session_id(session_id)
            mine = sessions.c.thread == thread_key(self._thread_id, self._owner)
            stored = await self._load(
                select(sessions.c.id, sessions.c.data).where(mine, sessions.c.id == session_id)
            )
            return None if stored is None else stored.session

        async def latest(self) -> StoredSession | None:
            """Return the session stored last, or `None` as for `get`."""
            mine = sessions.c.thread == thread_key(self._thread_id, self._owner)
            return await self._load(
                select(sessions.c.id, sessions.c.data)
                .where(mine)
                .order_by(sessions.c.position.desc())
                .limit(1)
            )

        async def _load(self, statement: Select[Any]) -> StoredSession | None:
            row = await self._database.read(lambda c: c.execute(statement).one_or_none())
            return None if row is None else read_session(row.id, row.data, self._thread_id)

        async def set(self, session_id: str, session: AgentSession) -> None:
            """Store a session, replacing any with the same ID.

            Raises:
                NotFoundError: If the owner has no such thread.
                TypeError: If the session's state contains a value that is not JSON and whose type
                    is not registered with `agent_framework.register_state_type`.
                ValueError: If the ID is empty.
            """
            self.validate_session_id(session_id)
            data = json.dumps(session.to_dict())

            def store(connection: Connection) -> None:
                thread, position = number(connection, self._thread_id, self._owner)
                write_session(self._database, connection, thread, position, session_id, data)

            await self._database.write(store)

        async def delete(self, session_id: str) -> None:
            """Delete the stored session, if it exists.

            Raises:
                ValueError: If the ID is empty.
            """
            self.validate_session_id(session_id)
            statement = delete(sessions).where(
                sessions.c.thread == thread_key(self._thread_id, self._owner),
                sessions.c.id == session_id,
            )
            await self._database.write(lambda connection: connection.execute(statement))
