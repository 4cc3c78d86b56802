"""The store on PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from agent_framework_chatkit.stores import SQLStore

from ..postgres import PostgresServer
from ..unit.stores.contract import ANN, StoreContract, item, read_all, thread
from ..unit.stores.workers import run_worker


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.create_database()


class TestPostgreSQL(StoreContract):
    """What the store promises, on PostgreSQL."""


async def test_a_server_that_restarts_is_found_again(postgres: PostgresServer, url: str) -> None:
    async with SQLStore(url) as store:
        await store.save_thread(thread(), ANN)
        # Several connections, all of which die.
        await asyncio.gather(*(store.load_thread("thr_1", ANN) for _ in range(8)))
        for _ in range(2):
            await asyncio.to_thread(postgres.restart)
            await store.add_thread_item("thr_1", item("msg_1"), ANN)
        assert await read_all(store) == ["msg_1"]


async def test_a_server_that_is_gone_raises(postgres: PostgresServer, url: str) -> None:
    async with SQLStore(url) as store:
        await store.save_thread(thread(), ANN)
        await asyncio.to_thread(postgres.stop)
        try:
            for _ in range(3):
                with pytest.raises(OperationalError):
                    await store.check()
            with pytest.raises(OperationalError):
                await store.add_thread_item("thr_1", item("msg_1"), ANN)
        finally:
            await asyncio.to_thread(postgres.start)
        await store.check()
        assert await store.load_thread("thr_1", ANN) == thread()


async def test_a_turn_outlives_a_restart(postgres: PostgresServer, url: str) -> None:
    async with SQLStore(url, lease=1) as store:
        await store.save_thread(thread(), ANN)
        async with store.turn("thr_1", ANN):
            await asyncio.to_thread(postgres.stop)
            await asyncio.sleep(0.5)  # the lease is to be renewed meanwhile, and cannot be
            await asyncio.to_thread(postgres.start)
        async with store.turn("thr_1", ANN):
            pass


async def test_processes_set_a_database_up_at_once(postgres: PostgresServer) -> None:
    async with run_worker() as one, run_worker() as two:
        for _ in range(10):
            url = postgres.create_database()
            for worker in (one, two):
                worker.send("migrate", url)
            for worker in (one, two):
                await worker.read("migrated")
