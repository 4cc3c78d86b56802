"""Add the sizes of attachments, for the limits of owners."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v5"
down_revision = "v4"
branch_labels = None
depends_on = None

_BATCH = 1000
"""The number of rows read at a time."""


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "chatkit_attachments",
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.create_index(op.f("ix_chatkit_attachments_owner"), "chatkit_attachments", ["owner"])
    connection = op.get_bind()
    table = sa.table("chatkit_attachments", sa.column("id"), sa.column("data"), sa.column("size"))
    save = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("b_id"))
        .values(size=sa.bindparam("b_size"))
    )
    for rows in _batches(connection, table):
        sizes = [{"b_id": row.id, "b_size": size} for row in rows if (size := _size(row.data))]
        if sizes:
            connection.execute(save, sizes)


def _batches(connection: sa.Connection, table: Any) -> Iterator[Any]:
    after = ""
    while True:
        page = sa.select(table.c.id, table.c.data).where(table.c.id > after)
        rows = connection.execute(page.order_by(table.c.id).limit(_BATCH)).all()
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _size(data: str) -> int:
    try:
        size = json.loads(data)["metadata"]["size"]
    except (ValueError, LookupError, TypeError):
        return 0  # Written by another version, or damaged.
    return size if isinstance(size, int) else 0
