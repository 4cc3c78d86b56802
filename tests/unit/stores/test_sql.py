"""The store on SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from agent_framework_chatkit import stores
from agent_framework_chatkit.stores import SQLStore

from .contract import StoreContract
from .shared_contract import SharedContract
from .stored import ANN, execute, ids, item, read_all, thread
from .workers import run_worker


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/100% chat.db"


class TestSQLite(StoreContract, SharedContract):
    """The store's behavior on SQLite."""


async def test_memory_database_belongs_to_store() -> None:
    async with SQLStore("sqlite://") as one, SQLStore("sqlite:///:memory:") as two:
        await asyncio.gather(
            *(one.save_thread(thread(f"thr_{number}"), ANN) for number in range(20))
        )
        assert len((await one.load_threads(50, None, "asc", ANN)).data) == 20
        assert ids(await two.load_threads(50, None, "asc", ANN)) == []


async def test_memory_database_survives_cancellation() -> None:
    async with SQLStore("sqlite://") as store:
        await store.save_thread(thread(), ANN)
        for _ in range(20):
            tasks = [asyncio.create_task(store.load_thread("thr_1", ANN)) for _ in range(3)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert await store.load_thread("thr_1", ANN) == thread()


async def test_readers_and_writer_do_not_block_each_other(url: str) -> None:
    async with SQLStore(url) as store:
        await store.save_thread(thread(), ANN)
        assert execute(url, "PRAGMA journal_mode") == [("wal",)]
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert await store.load_thread("thr_1", ANN) == thread()


async def test_killed_process_loses_nothing_stored(url: str) -> None:
    async with SQLStore(url) as store:
        await store.save_thread(thread(), ANN)
    async with run_worker() as worker:
        worker.send("write", url)
        stored = [await worker.read() for _ in range(20)]
        worker.kill()
        stored += await worker.read_rest()
    async with SQLStore(url) as store:
        found = await read_all(store, size=50)
        # The last one may have been stored, but not reported.
        assert found[: len(stored)] == stored
        assert len(found) <= len(stored) + 1
        await store.add_thread_item("thr_1", item("more"), ANN)
    assert execute(url, "PRAGMA integrity_check") == [("ok",)]


async def test_concurrent_processes_create_database(tmp_path: Path) -> None:
    async with run_worker() as one, run_worker() as two:
        for number in range(10):
            for worker in (one, two):
                worker.send("migrate", f"sqlite:///{tmp_path}/{number}.db")
            for worker in (one, two):
                await worker.read("migrated")


async def test_unopenable_database_raises_until_it_opens(tmp_path: Path) -> None:
    async with SQLStore(f"sqlite:///{tmp_path}/folder/chat.db") as store:
        with pytest.raises(OperationalError):
            await store.check()
        (tmp_path / "folder").mkdir()
        await store.check()


def test_other_databases_are_rejected() -> None:
    with pytest.raises(ValueError, match="mysql:// databases are not supported"):
        SQLStore("mysql://user:secret@host/db")
    with pytest.raises(ValueError, match="Only PostgreSQL has a direct URL"):
        SQLStore("sqlite://", direct_url="postgresql://user@host/db")


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoStore"):
        _ = stores.NoStore


@pytest.mark.parametrize(
    ("missing", "code", "extra"),
    [
        ("sqlalchemy", "from agent_framework_chatkit.stores import SQLStore", "sql"),
        ("alembic", "stores.SQLStore", "sql"),
        ("psycopg", "stores.SQLStore('postgresql://h/d')", "postgres"),
    ],
)
def test_missing_dependency_is_named(missing: str, code: str, extra: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.modules[{missing!r}] = None\n"
            "import agent_framework_chatkit.stores as stores; stores.ThreadBusyError\n" + code,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("ImportError:")
    assert f"pip install 'agent-framework-chatkit[{extra}]'" in error


async def test_database_error_does_not_reveal_content(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with SQLStore(f"sqlite:///{path}") as store:
        await store.save_thread(thread(), ANN)
        with closing(sqlite3.connect(path)) as database:
            database.execute("ALTER TABLE chatkit_threads RENAME COLUMN data TO other")
        with pytest.raises(OperationalError) as caught:
            await store.save_thread(thread(title="what only they know"), ANN)
    assert "what only they know" not in str(caught.value)
