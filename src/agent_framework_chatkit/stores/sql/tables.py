"""The tables.

An owner numbers its threads, and a thread numbers what is added to it. Those numbers, not times
or ids, are the order of everything; a number is never given twice. They are given under the lock
of the row that counts them, so a number that can be seen is greater than all that were seen
before: a page neither repeats nor misses a row, whatever is added meanwhile.

Rows that belong to a thread refer to its key, and so to its owner, and go when it goes.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

PREFIX = "chatkit_"
"""Begins the name of each table, for a database that holds other things too."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_UNSTORABLE = re.compile("[\\\\\0\ud800-\udfff]")
_ESCAPED = re.compile(r"\\([0-9a-f]{4})")


class Name(TypeDecorator[str]):
    r"""A string that something is found by: an id, or an owner.

    Clients send ids, so any string must be fit to ask for. PostgreSQL refuses NUL characters, and
    both databases refuse lone surrogates: these, and backslashes, are stored as `\` and four
    hexadecimal digits.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what is stored for a string."""
        if value is None:
            return None
        return _UNSTORABLE.sub(lambda found: f"\\{ord(found.group()):04x}", value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Return the string that was stored."""
        if value is None:
            return None
        return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value)


# SQLite fills in a key only if its type is exactly INTEGER.
_KEY = BigInteger().with_variant(Integer(), "sqlite")


def _thread() -> Column[int]:
    return Column(
        "thread", BigInteger, ForeignKey(threads.c.key, ondelete="CASCADE"), nullable=False
    )


owners = Table(
    f"{PREFIX}owners",
    metadata,
    Column("id", Name, primary_key=True),
    # The number of the thread that was added last.
    Column("last_position", BigInteger, nullable=False),
)

threads = Table(
    f"{PREFIX}threads",
    metadata,
    Column("key", _KEY, primary_key=True),
    Column("id", Name, nullable=False),
    Column("owner", Name, ForeignKey(owners.c.id), nullable=False),
    Column("position", BigInteger, nullable=False),
    # The number of what was added to the thread last.
    Column("last_position", BigInteger, nullable=False),
    # When it was last written to, in seconds since 1970. It has no index: with one, PostgreSQL
    # would write to every index of the table whenever an item is added.
    Column("active_at", Double, nullable=False),
    Column("data", Text, nullable=False),
    UniqueConstraint("id"),
    UniqueConstraint("owner", "position"),
)

items = Table(
    f"{PREFIX}items",
    metadata,
    _thread(),
    Column("position", BigInteger, nullable=False),
    Column("id", Name, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("thread", "position"),
    UniqueConstraint("thread", "id"),
)

sessions = Table(
    f"{PREFIX}sessions",
    metadata,
    _thread(),
    Column("id", Name, nullable=False),
    # A session that is stored again moves to the end.
    Column("position", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("thread", "id"),
    UniqueConstraint("thread", "position"),
)

messages = Table(
    f"{PREFIX}messages",
    metadata,
    _thread(),
    Column("position", BigInteger, nullable=False),
    Column("turn", Name, nullable=False),
    # A list of messages: what one call has added.
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("thread", "position"),
    Index(None, "thread", "turn"),
)

feedback = Table(
    f"{PREFIX}feedback",
    metadata,
    Column("thread", BigInteger, nullable=False),
    Column("item", Name, nullable=False),
    Column("kind", Text, nullable=False),
    PrimaryKeyConstraint("thread", "item"),
    ForeignKeyConstraint(["thread", "item"], [items.c.thread, items.c.id], ondelete="CASCADE"),
)

turns = Table(
    f"{PREFIX}turns",
    metadata,
    _thread(),
    # Known only to whoever holds the lease.
    Column("token", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    PrimaryKeyConstraint("thread"),
)

attachments = Table(
    f"{PREFIX}attachments",
    metadata,
    Column("id", Name, primary_key=True),
    Column("owner", Name, nullable=False),
    # Does not cascade: the attachment's id must outlive the row, for its bytes to be deleted.
    Column("thread", BigInteger, ForeignKey(threads.c.key), nullable=True, index=True),
    Column("created_at", Double, nullable=False),
    Column("data", Text, nullable=False),
)

doomed_attachments = Table(
    f"{PREFIX}doomed_attachments",
    metadata,
    Column("id", Name, primary_key=True),
)

secrets = Table(
    f"{PREFIX}secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
