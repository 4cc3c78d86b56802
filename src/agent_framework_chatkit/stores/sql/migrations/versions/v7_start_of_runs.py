"""Index only the start of each run in the event log, because every token writes to this table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "v7"
down_revision = "v6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("chatkit_events") as events:
        events.drop_constraint("uq_chatkit_events_thread_run_first", type_="unique")
    op.create_index(
        op.f("ix_chatkit_events_thread_run"),
        "chatkit_events",
        ["thread", "run"],
        unique=True,
        sqlite_where=sa.text("first = 1"),
        postgresql_where=sa.text("first = 1"),
    )
