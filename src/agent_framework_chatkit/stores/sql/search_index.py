"""Maintains the search index of threads."""

from __future__ import annotations

from collections.abc import Sequence

from chatkit.types import ThreadItem
from sqlalchemy import Connection, bindparam, delete

from .database import Database
from .search_text import text_of, words_of
from .tables import TITLE, words

_FORGET = delete(words).where(
    words.c.thread == bindparam("b_thread"), words.c.item == bindparam("b_item")
)


def index_items(
    database: Database, connection: Connection, key: int, added: Sequence[ThreadItem]
) -> None:
    """Index items.

    Args:
        database: Provides the statements.
        connection: The transaction's connection.
        key: The thread's key.
        added: The items.
    """
    _index(database, connection, key, {item.id: text_of(item) for item in added})


def index_title(database: Database, connection: Connection, key: int, title: str | None) -> None:
    """Index a thread's title."""
    _index(database, connection, key, {TITLE: title or ""})


def _index(database: Database, connection: Connection, key: int, texts: dict[str, str]) -> None:
    found = {item: " ".join(words_of(text)) for item, text in texts.items()}
    indexed = [
        {"thread": key, "item": item, "words": joined} for item, joined in found.items() if joined
    ]
    empty = [{"b_thread": key, "b_item": item} for item, joined in found.items() if not joined]
    if indexed:
        connection.execute(database.statements.add_words, indexed)
    if empty:
        connection.execute(_FORGET, empty)
