"""Add tables for each thread's last turn, its event log, and repeatable requests."""

import sqlalchemy as sa
from alembic import op

revision = "v2"
down_revision = "v1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    _create_turns()
    _create_events()
    _create_requests()
    op.add_column("chatkit_items", sa.Column("is_news", sa.Boolean(), nullable=True))
    op.add_column("chatkit_messages", sa.Column("read_to", sa.BigInteger(), nullable=True))
    # A turn's messages include all items up to the message that started the turn.
    op.execute(
        "UPDATE chatkit_messages SET read_to = (SELECT position FROM chatkit_items AS i"
        " WHERE i.thread = chatkit_messages.thread AND i.id = chatkit_messages.turn)"
    )


def _create_turns() -> None:
    # Each row of the old table is the lease of a worker that no longer runs.
    op.drop_table("chatkit_turns")
    op.create_table(
        "chatkit_workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("suspect", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chatkit_workers")),
    )
    op.create_table(
        "chatkit_turns",
        _thread("turns"),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("stop", sa.Text(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("log_position", sa.BigInteger(), nullable=False),
        sa.Column("logged_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("thread", name=op.f("pk_chatkit_turns")),
    )
    op.create_index(
        op.f("ix_chatkit_turns_worker"),
        "chatkit_turns",
        ["worker"],
        sqlite_where=sa.text("worker IS NOT NULL"),
        postgresql_where=sa.text("worker IS NOT NULL"),
    )


def _create_events() -> None:
    op.create_table(
        "chatkit_events",
        _thread("events"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("updates", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("thread", "position", name=op.f("pk_chatkit_events")),
        sa.UniqueConstraint(
            "thread", "run", "first", name=op.f("uq_chatkit_events_thread_run_first")
        ),
    )


def _create_requests() -> None:
    op.create_table(
        "chatkit_requests",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        _thread("requests"),
        sa.Column("turn", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name=op.f("pk_chatkit_requests")),
    )
    op.create_index(op.f("ix_chatkit_requests_created_at"), "chatkit_requests", ["created_at"])
    op.create_index(op.f("ix_chatkit_requests_thread"), "chatkit_requests", ["thread"])


def _thread(table: str) -> sa.Column[int]:
    return sa.Column(
        "thread",
        sa.BigInteger(),
        sa.ForeignKey(
            "chatkit_threads.key", name=op.f(f"fk_chatkit_{table}_thread"), ondelete="CASCADE"
        ),
        nullable=False,
    )
