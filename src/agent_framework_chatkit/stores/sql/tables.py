"""The tables.

Each owner numbers its threads, and each thread numbers the rows added to it. These numbers, not
times or IDs, define the order of everything. A number is never used twice. It is assigned under the
lock of the row with the counter, so a new visible number is greater than all earlier ones: pages
neither repeat nor miss rows, whatever is added meanwhile.

Rows that belong to a thread refer to its key, and thus to its owner, and are deleted with it.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
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
    literal_column,
)

PREFIX = "chatkit_"
"""The prefix of each table's name, for a database that contains other tables too."""

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
    r"""A string used for lookups: an ID or an owner.

    Clients send IDs, so any string must be valid in a query. PostgreSQL refuses NUL characters, and
    both databases refuse lone surrogates. These characters, and backslashes, are stored as `\` and
    four hexadecimal digits.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the stored form of a string."""
        if value is None:
            return None
        return _UNSTORABLE.sub(lambda found: f"\\{ord(found.group()):04x}", value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Return the string for its stored form."""
        if value is None:
            return None
        return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value)


# SQLite fills in a key only if its type is exactly INTEGER.
_KEY = BigInteger().with_variant(Integer(), "sqlite")


def _thread(*, nullable: bool = False) -> Column[int]:
    return Column(
        "thread", BigInteger, ForeignKey(threads.c.key, ondelete="CASCADE"), nullable=nullable
    )


owners = Table(
    f"{PREFIX}owners",
    metadata,
    Column("id", Name, primary_key=True),
    # The number of the last thread added.
    Column("last_position", BigInteger, nullable=False),
)

threads = Table(
    f"{PREFIX}threads",
    metadata,
    Column("key", _KEY, primary_key=True),
    Column("id", Name, nullable=False),
    Column("owner", Name, ForeignKey(owners.c.id), nullable=False),
    Column("position", BigInteger, nullable=False),
    # The number of the last row added to the thread.
    Column("last_position", BigInteger, nullable=False),
    # The time of the last write, in seconds since 1970. There is no index: with one, PostgreSQL
    # would update every index of the table whenever an item is added.
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
    # Whether code added the item for the agent to read.
    Column("is_news", Boolean, nullable=True),
    PrimaryKeyConstraint("thread", "position"),
    UniqueConstraint("thread", "id"),
)

TITLE = ""
"""Stands for a thread's title in the table of words."""

# The words of each message and title, for the search.
words = Table(
    f"{PREFIX}words",
    metadata,
    Column("key", _KEY, primary_key=True),
    _thread(),
    Column("item", Name, nullable=False),
    # Distinct words, separated by spaces.
    Column("words", Text, nullable=False),
    UniqueConstraint("thread", "item"),
)
SEARCH = f"{PREFIX}search"
"""The index of the words: a full-text table updated by triggers in SQLite, otherwise an index."""

sessions = Table(
    f"{PREFIX}sessions",
    metadata,
    _thread(),
    Column("id", Name, nullable=False),
    # A session moves to the end when it is stored again.
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
    # The messages that were added together.
    Column("data", Text, nullable=False),
    # The position of the last thread item that the messages include, if known.
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
    # A counter that the worker increments while it is alive, and that others time with their own
    # clocks.
    Column("beat", BigInteger, nullable=False),
    # The worker that saw the counter stand still and will soon consider this one dead.
    Column("suspect", Text, nullable=True),
)

# The last turn of a thread, and the position of the thread's event log.
turns = Table(
    f"{PREFIX}turns",
    metadata,
    _thread(),
    # The ID of the user message that started the turn; empty if the thread had none.
    Column("id", Name, nullable=False),
    # The run that executes the turn. Every write for a run checks that it is still this one.
    Column("run", Text, nullable=False),
    # The worker that holds the lease; null after the turn ended.
    Column("worker", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("ended_at", Double, nullable=True),
    # The run that someone asked to stop.
    Column("stop", Text, nullable=True),
    # The client tool call that a page has claimed, as JSON: item, page and time.
    Column("claim", Text, nullable=True),
    # The number of the last log row, and the time when it was added.
    Column("log_position", BigInteger, nullable=False),
    Column("logged_at", Double, nullable=False),
    PrimaryKeyConstraint("thread"),
)
# Finds the turns of a dead worker. It contains only running turns.
Index(
    None,
    turns.c.worker,
    sqlite_where=turns.c.worker.is_not(None),
    postgresql_where=turns.c.worker.is_not(None),
)

# The event log. Each row contains the events of one commit.
events = Table(
    f"{PREFIX}events",
    metadata,
    _thread(),
    Column("position", BigInteger, nullable=False),
    Column("run", Text, nullable=False),
    # The numbers of the row's first and last event within the run.
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    # One event per line: its flags and JSON.
    Column("data", Text, nullable=False),
    # The agent's updates since the previous row, as JSON, so that others can end the run.
    Column("updates", Text, nullable=True),
    PrimaryKeyConstraint("thread", "position"),
)
FIRST: ColumnClause[int] = literal_column("1")
"""The number of a run's first event. As a parameter, it would not match the index's condition."""

# Finds where a run starts in the log. An index of all rows would take as long to write as the rows.
Index(
    None,
    events.c.thread,
    events.c.run,
    unique=True,
    sqlite_where=events.c.first == FIRST,
    postgresql_where=events.c.first == FIRST,
)

# Requests that may be repeated within a day.
requests = Table(
    f"{PREFIX}requests",
    metadata,
    Column("owner", Name, nullable=False),
    Column("id", Name, nullable=False),
    # Null once the thread is deleted, so that a repeated request does not create it again.
    _thread(nullable=True),
    Column("turn", Name, nullable=False),
    Column("run", Text, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
    Column("digest", Text),
    PrimaryKeyConstraint("owner", "id"),
    Index(None, "thread"),
)

attachments = Table(
    f"{PREFIX}attachments",
    metadata,
    Column("id", Name, primary_key=True),
    Column("owner", Name, nullable=False),
    # Does not cascade: the attachment's ID must outlive the row until its bytes are deleted.
    Column("thread", BigInteger, ForeignKey(threads.c.key), nullable=True, index=True),
    Column("created_at", Double, nullable=False),
    Column("data", Text, nullable=False),
    # The size in bytes, or the announced size.
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
