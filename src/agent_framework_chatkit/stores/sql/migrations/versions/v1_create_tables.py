"""Create the tables."""

import sqlalchemy as sa
from alembic import op

revision = "v1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    _create_threads()
    _create_items()
    _create_memory()
    _create_turns()
    _create_attachments()
    _create_secrets()


def _create_threads() -> None:
    op.create_table(
        "chatkit_owners",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chatkit_owners")),
    )
    op.create_table(
        "chatkit_threads",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("active_at", sa.Double(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["chatkit_owners.id"], name=op.f("fk_chatkit_threads_owner")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_chatkit_threads")),
        sa.UniqueConstraint("id", name=op.f("uq_chatkit_threads_id")),
        sa.UniqueConstraint("owner", "position", name=op.f("uq_chatkit_threads_owner_position")),
    )


def _create_items() -> None:
    op.create_table(
        "chatkit_items",
        _thread("items"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("thread", "position", name=op.f("pk_chatkit_items")),
        sa.UniqueConstraint("thread", "id", name=op.f("uq_chatkit_items_thread_id")),
    )
    op.create_table(
        "chatkit_feedback",
        sa.Column("thread", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread", "item"],
            ["chatkit_items.thread", "chatkit_items.id"],
            name=op.f("fk_chatkit_feedback_thread_item"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("thread", "item", name=op.f("pk_chatkit_feedback")),
    )


def _create_memory() -> None:
    op.create_table(
        "chatkit_sessions",
        _thread("sessions"),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("thread", "id", name=op.f("pk_chatkit_sessions")),
        sa.UniqueConstraint("thread", "position", name=op.f("uq_chatkit_sessions_thread_position")),
    )
    op.create_table(
        "chatkit_messages",
        _thread("messages"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("thread", "position", name=op.f("pk_chatkit_messages")),
    )
    op.create_index(op.f("ix_chatkit_messages_thread_turn"), "chatkit_messages", ["thread", "turn"])


def _create_turns() -> None:
    op.create_table(
        "chatkit_turns",
        _thread("turns"),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("thread", name=op.f("pk_chatkit_turns")),
    )


def _create_attachments() -> None:
    op.create_table(
        "chatkit_attachments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("thread", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread"], ["chatkit_threads.key"], name=op.f("fk_chatkit_attachments_thread")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chatkit_attachments")),
    )
    op.create_index(op.f("ix_chatkit_attachments_thread"), "chatkit_attachments", ["thread"])
    op.create_table(
        "chatkit_doomed_attachments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chatkit_doomed_attachments")),
    )


def _create_secrets() -> None:
    op.create_table(
        "chatkit_secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chatkit_secrets")),
    )


def _thread(table: str) -> sa.Column[int]:
    return sa.Column(
        "thread",
        sa.BigInteger(),
        sa.ForeignKey(
            "chatkit_threads.key", name=op.f(f"fk_chatkit_{table}_thread"), ondelete="CASCADE"
        ),
        nullable=False,
    )
