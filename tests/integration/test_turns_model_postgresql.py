"""Turns on PostgreSQL, compared with a model."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from hypothesis.stateful import run_state_machine_as_test

from agent_framework_chatkit.stores import SQLStore

from ..postgres import PostgresServer
from ..unit.turns.machine import SETTINGS, TurnsMachine


async def _create_tables(url: str) -> None:
    async with SQLStore(url) as store:
        await store.load_threads(1, None, "asc", {"user_id": "ann"})


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    created = postgres.create_database()
    asyncio.run(_create_tables(created))
    return created


def test_turns(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:

        class OnPostgreSQL(TurnsMachine):
            is_sqlite = False

            def new_url(self) -> str:
                connection.execute(
                    "TRUNCATE chatkit_owners, chatkit_workers, chatkit_requests CASCADE"
                )
                return url

        run_state_machine_as_test(OnPostgreSQL, settings=SETTINGS)
