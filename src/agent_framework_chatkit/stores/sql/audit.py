"""Who did what, and when: ids and digests, and nothing of what was said."""

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
"""What is recorded."""

_BATCH = 500


class AuditTrail:
    """Keeps the records of a database, each in the log as well.

    Args:
        database: Where they are.
        days: How long they are kept.
    """

    def __init__(self, database: Database, days: float) -> None:
        self._database = database
        self._days = days

    async def record(
        self, kind: AuditKind, owner: str | None, thread: str | None = None, **details: Any
    ) -> None:
        """Keep one record. What cannot be kept is in the log.

        Args:
            kind: What was done.
            owner: Who did it; `None` if that is not known.
            thread: The thread that it was done in.
            details: Ids, digests and numbers.
        """
        fields = {"kind": kind, "owner": owner, "thread": thread, **details}
        logger.info("%s", json.dumps(fields), extra={"audit": fields})
        row = insert(audit).values(
            at=database_time(), kind=kind, owner=owner, thread=thread, details=json.dumps(details)
        )
        try:
            await self._database.write(lambda connection: connection.execute(row))
        except Exception:
            logger.exception("A record of the audit trail is only in the log: %s", fields)

    async def records(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the records, the oldest first."""
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
        """Delete the records that are older than they are kept."""
        before = database_time() - timedelta(days=self._days).total_seconds()
        old = delete(audit).where(audit.c.at < before)
        await self._database.write(lambda connection: connection.execute(old))


def _page(after: int, connection: Connection) -> list[Any]:
    page = select(audit).where(audit.c.key > after).order_by(audit.c.key).limit(_BATCH)
    return list(connection.execute(page))


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value's JSON."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
