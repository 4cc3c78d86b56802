"""Runs that lost their thread to another worker and do not know it yet.

Each test repeats the steps of a failure that the model found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .on_sqlite import OnSQLite

FAILS = [("say", 0.0), ("fail", 0.0)]


@contextmanager
def world(seed: int) -> Iterator[OnSQLite]:
    """Yield a world, and compare it with the model at the end."""
    created = OnSQLite()
    created.begin(seed=seed)
    try:
        yield created
        created.nothing_is_wrong()
    finally:
        created.teardown()


def test_lost_run_does_not_extend_history_of_next_run() -> None:
    with world(1_215_230_791) as turns:
        turns.ask(detached=False, plan=[], waits=0.0, worker=1)
        turns.lose_leases(worker=1)
        turns.lose_leases(worker=0)
        turns.settle()
        turns.start_turn(plan=[FAILS], worker=0)
        turns.ask(detached=True, plan=[], waits=0.3, worker=0)
        turns.lose_leases(worker=0)
        turns.start_turn(plan=[], worker=0)


def test_lost_run_sends_nothing_once_next_run_begins() -> None:
    slow = [("pause", 0.0), ("pause", 0.2), ("slow", 0.05), ("pause", 0.2)]
    with world(9324) as turns:
        turns.ask(detached=True, plan=[], waits=0.0, worker=1)
        turns.start_turn(plan=[], worker=0)
        turns.lose_leases(worker=1)
        turns.retry(detached=False, edits=False, plan=[], which=2, worker=0)
        turns.lose_leases(worker=0)
        turns.start_turn(plan=[], worker=1)
        turns.stop(worker=0)
        turns.add_item(kind="user", worker=0)
        turns.lose_leases(worker=0)
        turns.follow(waits=0.0, worker=1)
        turns.start_turn(plan=[[("pay", 0.05)], FAILS], worker=0)
        turns.retry(detached=False, edits=True, plan=[], which=6, worker=0)
        turns.follow(waits=0.0, worker=0)
        turns.start_turn(plan=[slow, FAILS], worker=1)
        turns.retry(detached=True, edits=True, plan=[], which=6, worker=0)
        turns.ask(detached=True, plan=[[("say", 0.0)]], waits=0.3, worker=1)
        turns.ask(detached=False, plan=[FAILS, FAILS], waits=0.0, worker=0)
