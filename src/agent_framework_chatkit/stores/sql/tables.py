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
    Boolean,
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
    # Whether code has added it, and the agent is to be told.
    Column("is_news", Boolean, nullable=True),
    PrimaryKeyConstraint("thread", "position"),
    UniqueConstraint("thread", "id"),
)

TITLE = ""
"""Stands for a thread's title where the words of items are kept."""

# The words of each message and title, by which they are found.
words = Table(
    f"{PREFIX}words",
    metadata,
    Column("key", _KEY, primary_key=True),
    _thread(),
    Column("item", Name, nullable=False),
    # Each once, with spaces between them.
    Column("words", Text, nullable=False),
    UniqueConstraint("thread", "item"),
)
SEARCH = f"{PREFIX}search"
"""The index of the words: a full-text table that triggers keep in SQLite, or an index."""

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
    # A list of messages that were added together.
    Column("data", Text, nullable=False),
    # The position up to which the agent has been told of the thread's items, if this says.
    Column("read_to", BigInteger, nullable=True),
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

workers = Table(
    f"{PREFIX}workers",
    metadata,
    Column("id", Text, primary_key=True),
    # A counter that the worker moves while it lives, and that others time with their own clocks.
    Column("beat", BigInteger, nullable=False),
    # The worker that has seen the counter stand still and will soon take this one for dead.
    Column("suspect", Text, nullable=True),
)

# The last turn of a thread, and where the thread's event log stands.
turns = Table(
    f"{PREFIX}turns",
    metadata,
    _thread(),
    # The id of the user message that began the turn; empty if the thread has had none.
    Column("id", Name, nullable=False),
    # The run that executes the turn. Whoever writes for a run checks that it is still this one.
    Column("run", Text, nullable=False),
    # The worker that holds the lease; null when the turn has ended.
    Column("worker", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("ended_at", Double, nullable=True),
    # The run that somebody has asked to stop.
    Column("stop", Text, nullable=True),
    # A client tool's call that a page has claimed, as JSON: item, page and time.
    Column("claim", Text, nullable=True),
    # The number of the row that was added to the log last, and when.
    Column("log_position", BigInteger, nullable=False),
    Column("logged_at", Double, nullable=False),
    PrimaryKeyConstraint("thread"),
)
# Finds the turns of a worker that has died. It holds only turns that are running.
Index(
    None,
    turns.c.worker,
    sqlite_where=turns.c.worker.is_not(None),
    postgresql_where=turns.c.worker.is_not(None),
)

# The event log. A row holds events that were committed together.
events = Table(
    f"{PREFIX}events",
    metadata,
    _thread(),
    Column("position", BigInteger, nullable=False),
    Column("run", Text, nullable=False),
    # The numbers, within the run, of the row's first and last event.
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    # One event a line: its number, flags and JSON.
    Column("data", Text, nullable=False),
    # What the agent has sent meanwhile, as JSON, if the run may have to be finished by others.
    Column("updates", Text, nullable=True),
    PrimaryKeyConstraint("thread", "position"),
    UniqueConstraint("thread", "run", "first"),
)

# Requests that may be repeated, for a day.
requests = Table(
    f"{PREFIX}requests",
    metadata,
    Column("owner", Name, nullable=False),
    Column("id", Name, nullable=False),
    _thread(),
    Column("turn", Name, nullable=False),
    Column("run", Text, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
    PrimaryKeyConstraint("owner", "id"),
    Index(None, "thread"),
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
    # How many bytes it has, or may come to have.
    Column("size", BigInteger, nullable=False, server_default="0"),
    Index(None, "owner"),
)

doomed_attachments = Table(
    f"{PREFIX}doomed_attachments",
    metadata,
    Column("id", Name, primary_key=True),
)

audit = Table(
    f"{PREFIX}audit",
    metadata,
    Column("key", _KEY, primary_key=True),
    Column("at", Double, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("owner", Name, nullable=True),
    Column("thread", Name, nullable=True),
    Column("details", Text, nullable=False),
)

secrets = Table(
    f"{PREFIX}secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
