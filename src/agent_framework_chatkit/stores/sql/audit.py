"""The audit trail: who did what, and when, as IDs and digests without any texts."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select

from .database import Database
from .tables import audit
from .time import database_time

logger = logging.getLogger("agent_framework_chatkit.audit")

AuditKind: TypeAlias = Literal[
    "approval.asked",
    "approval.decided",
    "action",
    "thread.deleted",
    "attachment.deleted",
    "attachment.uploaded",
    "attachment.downloaded",
    "request.refused",
]
"""The kinds of records."""

_BATCH = 500


class AuditTrail:
    """Stores audit records, and logs each of them.

    Args:
        database: The database.
        days: Days to keep the records.
    """

    def __init__(self, database: Database, days: float) -> None:
        self._database = database
        self._days = days

    async def record(
        self, kind: AuditKind, owner: str | None, thread: str | None = None, **details: Any
    ) -> None:
        """Store a record. If the database fails, the record is only in the log.

        Args:
            kind: The kind of action.
            owner: The owner who acted, or `None` if unknown.
            thread: The ID of the thread, if any.
            details: IDs, digests and numbers.
        """
        fields = {"kind": kind, "owner": owner, "thread": thread, **details}
        logger.info("%s", json.dumps(fields), extra={"audit": fields})
        row = insert(audit).values(
            at=database_time(), kind=kind, owner=owner, thread=thread, details=json.dumps(details)
        )
        try:
            await self._database.write(lambda connection: connection.execute(row))
        except Exception:
            logger.exception("Could not store an audit record; it is only in the log: %s", fields)

    async def records(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the records, oldest first."""
        last = 0
        while True:
            rows = await self._database.read(partial(_page, last))
            for row in rows:
                at = datetime.fromtimestamp(row.at, timezone.utc).isoformat(timespec="milliseconds")
                yield {
                    "at": at,
                    "kind": row.kind,
                    "owner": row.owner,
                    "thread": row.thread,
                    **json.loads(row.details),
                }
            if len(rows) < _BATCH:
                return
            last = rows[-1].key

    async def purge(self) -> None:
        """Delete expired records."""
        before = database_time() - timedelta(days=self._days).total_seconds()
        old = delete(audit).where(audit.c.at < before)
        await self._database.write(lambda connection: connection.execute(old))


def _page(after: int, connection: Connection) -> list[Any]:
    page = select(audit).where(audit.c.key > after).order_by(audit.c.key).limit(_BATCH)
    return list(connection.execute(page))


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value's JSON."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
