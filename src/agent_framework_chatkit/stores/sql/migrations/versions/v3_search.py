"""Add the words of messages and titles, for the search."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from agent_framework_chatkit.stores.sql.search_text import words_of

revision = "v3"
down_revision = "v2"
branch_labels = None
depends_on = None

_BATCH = 1000
"""The number of rows read at a time."""

_FORGET = (
    "INSERT INTO chatkit_search (chatkit_search, rowid, words)"
    " VALUES ('delete', old.key, old.words);"
)
_ADD = "INSERT INTO chatkit_search (rowid, words) VALUES (new.key, new.words);"


def upgrade() -> None:
    """Apply the change."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "chatkit_words",
        sa.Column("key", key, nullable=False),
        sa.Column(
            "thread",
            sa.BigInteger(),
            sa.ForeignKey(
                "chatkit_threads.key", name=op.f("fk_chatkit_words_thread"), ondelete="CASCADE"
            ),
            nullable=False,
        ),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_chatkit_words")),
        sa.UniqueConstraint("thread", "item", name=op.f("uq_chatkit_words_thread_item")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in (
            "CREATE VIRTUAL TABLE chatkit_search USING fts5(words, content='')",
            f"CREATE TRIGGER chatkit_words_added AFTER INSERT ON chatkit_words BEGIN {_ADD} END",
            "CREATE TRIGGER chatkit_words_changed AFTER UPDATE ON chatkit_words"
            f" BEGIN {_FORGET} {_ADD} END",
            f"CREATE TRIGGER chatkit_words_gone AFTER DELETE ON chatkit_words BEGIN {_FORGET} END",
        ):
            op.execute(sa.text(statement))
    _index_all(connection)
    if connection.dialect.name == "postgresql":
        # Created after the table is filled, which is faster.
        op.create_index(
            "chatkit_search",
            "chatkit_words",
            [sa.text("array_to_tsvector(string_to_array(words, ' '))")],
            postgresql_using="gin",
        )


def _index_all(connection: sa.Connection) -> None:
    add = sa.text("INSERT INTO chatkit_words (thread, item, words) VALUES (:thread, :item, :words)")
    for rows in _batches(
        connection,
        "SELECT key AS thread, 0 AS position, '' AS id, data FROM chatkit_threads"
        " WHERE key > :thread ORDER BY key",
    ):
        _insert(connection, add, rows, lambda thread: str(thread.get("title") or ""))
    for rows in _batches(
        connection,
        "SELECT thread, position, id, data FROM chatkit_items"
        " WHERE (thread, position) > (:thread, :position) ORDER BY thread, position",
    ):
        _insert(connection, add, rows, _text_of)


def _batches(connection: sa.Connection, query: str) -> Iterator[list[Any]]:
    thread = position = -1
    while True:
        rows = connection.execute(
            sa.text(f"{query} LIMIT {_BATCH}"), {"thread": thread, "position": position}
        ).all()
        if not rows:
            return
        yield list(rows)
        thread, position = rows[-1].thread, rows[-1].position


def _insert(
    connection: sa.Connection,
    add: sa.TextClause,
    rows: list[Any],
    text_of: Callable[[dict[str, Any]], str],
) -> None:
    found = [
        {"thread": row.thread, "item": row.id, "words": words}
        for row in rows
        if (words := " ".join(words_of(_read(row.data, text_of))))
    ]
    if found:
        connection.execute(add, found)


def _read(data: str, text_of: Callable[[dict[str, Any]], str]) -> str:
    try:
        return text_of(json.loads(data))
    except (ValueError, TypeError, AttributeError):
        # A row that cannot be read is not indexed, and does not stop the migration.
        return ""


def _text_of(item: dict[str, Any]) -> str:
    if item.get("type") not in ("user_message", "assistant_message"):
        return ""
    return "\n".join(part.get("text") or "" for part in item.get("content") or ())
