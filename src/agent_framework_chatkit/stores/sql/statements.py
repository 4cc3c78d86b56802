"""The statements that every turn executes, each built only once.

Building a statement takes longer than executing it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from .tables import events, items, messages, owners, requests, sessions, threads, turns, words
from .time import database_time

_OF_RUN = and_(
    turns.c.thread == bindparam("b_thread"),
    turns.c.run == bindparam("b_run"),
    turns.c.worker == bindparam("b_worker"),
)

ADVANCE = update(turns).values(
    log_position=turns.c.log_position + literal_column("1"), logged_at=database_time()
)
"""Counts a new row of the log, in all turns."""


class Statements:
    """The statements of turns.

    Args:
        upsert: Returns an insert statement that supports `ON CONFLICT`.
    """

    of_run = _OF_RUN
    """Finds a turn by its lease."""

    find_thread = (
        select(threads.c.key, threads.c.data)
        .where(threads.c.id == bindparam("b_id"), threads.c.owner == bindparam("b_owner"))
        # Others can still add to the log, which refers to the thread.
        .with_for_update(key_share=True)
    )
    number = (
        update(threads)
        .where(threads.c.key == bindparam("b_key"))
        .values(
            last_position=threads.c.last_position + bindparam("b_count"), active_at=database_time()
        )
        .returning(threads.c.last_position)
    )
    number_and_change = number.values(data=bindparam("b_data"))
    """Also changes the thread's metadata."""
    number_and_change_known = number_and_change.where(threads.c.data == bindparam("b_known"))
    """The same, if nobody else has changed the metadata."""
    add_message = insert(messages)
    advance = ADVANCE.where(_OF_RUN)
    end = advance.values(
        worker=None,
        state=bindparam("b_state"),
        ended_at=bindparam("b_ended_at"),
        stop=None,
        claim=None,
    )

    def __init__(self, upsert: Callable[[Table], postgresql.Insert]) -> None:
        self.add_owner = _add_owner(upsert)
        self.hold_owner = _hold_owner(upsert)
        """Locks the owner against other transactions, whether or not it has a row yet."""
        self.add_thread = _add_thread(upsert)
        self.add_item = _add_item(upsert)
        self.add_words = _add_words(upsert)
        self.add_session = _add_session(upsert)
        self.take_lease = _take_lease(upsert)
        new = upsert(requests).values(created_at=database_time())
        # PostgreSQL's driver does not report the number of inserted rows.
        self.add_request = new.on_conflict_do_nothing().returning(requests.c.id)
        selected = select(
            cast(bindparam("b_thread"), BigInteger),
            turns.c.log_position,
            cast(bindparam("b_run"), Text),
            cast(bindparam("b_first"), BigInteger),
            cast(bindparam("b_last"), BigInteger),
            cast(bindparam("b_data"), Text),
            cast(bindparam("b_updates"), Text),
        ).where(turns.c.thread == bindparam("b_thread"))
        self.add_events = add_events(selected)
        self.add_events_of_run = add_events(selected.where(turns.c.run == bindparam("b_run")))


def _add_owner(upsert: Callable[[Table], postgresql.Insert]) -> Any:
    new = upsert(owners).values(id=bindparam("b_owner"), last_position=1)
    return new.on_conflict_do_update(
        index_elements=[owners.c.id], set_={"last_position": owners.c.last_position + 1}
    ).returning(owners.c.last_position)


def _hold_owner(upsert: Callable[[Table], postgresql.Insert]) -> Any:
    new = upsert(owners).values(id=bindparam("b_owner"), last_position=0)
    return new.on_conflict_do_update(
        index_elements=[owners.c.id], set_={"last_position": owners.c.last_position}
    )


def _add_thread(upsert: Callable[[Table], postgresql.Insert]) -> Any:
    new = upsert(threads).values(active_at=database_time())
    # Another transaction may have added it in the meantime.
    return new.on_conflict_do_update(
        index_elements=[threads.c.id],
        set_={"data": new.excluded.data},
        where=threads.c.owner == new.excluded.owner,
    ).returning(threads.c.key)


def _add_item(upsert: Callable[[Table], postgresql.Insert]) -> Insert:
    new = upsert(items)
    return new.on_conflict_do_update(
        index_elements=[items.c.thread, items.c.id], set_={"data": new.excluded.data}
    )


def _add_words(upsert: Callable[[Table], postgresql.Insert]) -> Insert:
    new = upsert(words)
    return new.on_conflict_do_update(
        index_elements=[words.c.thread, words.c.item], set_={"words": new.excluded.words}
    )


def _add_session(upsert: Callable[[Table], postgresql.Insert]) -> Insert:
    new = upsert(sessions)
    return new.on_conflict_do_update(
        index_elements=[sessions.c.thread, sessions.c.id],
        set_={"position": new.excluded.position, "data": new.excluded.data},
    )


def _take_lease(upsert: Callable[[Table], postgresql.Insert]) -> Insert:
    new = upsert(turns).values(
        thread=bindparam("b_thread"),
        id=bindparam("b_id"),
        run=bindparam("b_run"),
        worker=bindparam("b_worker"),
        state=bindparam("b_state"),
        log_position=1,
        logged_at=database_time(),
    )
    return new.on_conflict_do_update(
        index_elements=[turns.c.thread],
        set_={
            "id": new.excluded.id,
            "run": new.excluded.run,
            "worker": new.excluded.worker,
            "state": new.excluded.state,
            "stop": None,
            "claim": None,
            "log_position": turns.c.log_position + 1,
            "logged_at": new.excluded.logged_at,
        },
    )


def add_events(selected: Select[Any]) -> Insert:
    """Return a statement that adds the selected rows to the log."""
    columns = ["thread", "position", "run", "first", "last", "data", "updates"]
    return insert(events).from_select(columns, selected)
