"""The store on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection
from sqlalchemy import text as statement
from sqlalchemy.exc import OperationalError

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import SQLStore, ThreadBusyError
from agent_framework_chatkit.stores.sql import changes
from agent_framework_chatkit.stores.sql.turn_rows import NewTurn

from ..fakes.scripted_agent import agent, text
from ..postgres import PostgresServer
from ..unit.live_client import LiveClient
from ..unit.stores.contract import StoreContract
from ..unit.stores.shared_contract import SharedContract
from ..unit.stores.stored import ANN, item, read_all, thread
from ..unit.stores.workers import run_worker


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.create_database()


class TestPostgreSQL(StoreContract, SharedContract):
    """The store's behavior on PostgreSQL."""


async def test_store_reconnects_after_server_restart(postgres: PostgresServer, url: str) -> None:
    async with SQLStore(url) as store:
        await store.save_thread(thread(), ANN)
        # Several connections, all of which die.
        await asyncio.gather(*(store.load_thread("thr_1", ANN) for _ in range(8)))
        for _ in range(2):
            await asyncio.to_thread(postgres.restart)
            await store.add_thread_item("thr_1", item("msg_1"), ANN)
        assert await read_all(store) == ["msg_1"]


async def test_stalled_transaction_does_not_keep_its_locks(url: str) -> None:
    is_stalled, may_continue = threading.Event(), threading.Event()
    change = statement("UPDATE chatkit_threads SET active_at = active_at WHERE id = 'thr_1'")

    def stall(connection: Connection) -> None:
        connection.execute(change)
        is_stalled.set()
        may_continue.wait()
        connection.execute(change)

    async with SQLStore(url) as store, SQLStore(url) as other:
        await store.save_thread(thread(), ANN)
        writing = asyncio.create_task(store.database.write(stall))
        await asyncio.to_thread(is_stalled.wait)
        await other.add_thread_item("thr_1", item("msg_1"), ANN)
        assert not writing.done()
        may_continue.set()
        await writing
        assert await read_all(store) == ["msg_1"]


@pytest.mark.parametrize("is_writing", [True, False])
async def test_stalled_transaction_is_repeated(url: str, is_writing: bool) -> None:
    works: list[int] = []

    def stall(connection: Connection) -> str:
        works.append(connection.scalar(statement("SELECT pg_backend_pid()")) or 0)
        with psycopg.connect(url, autocommit=True) as other:
            alive = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
            while len(works) == 1 and other.execute(alive, works).fetchone():
                time.sleep(0.1)
        return "done"

    async with SQLStore(url) as store:
        if is_writing:
            assert await store.database.write(stall) == "done"
        else:
            assert await store.database.read(stall, is_snapshot=True) == "done"
    assert len(works) == 2


async def test_deadlock_is_resolved(url: str, caplog: pytest.LogCaptureFixture) -> None:
    both = threading.Barrier(2)
    change = statement("UPDATE chatkit_threads SET active_at = active_at WHERE id = :id")

    async with SQLStore(url) as one, SQLStore(url) as two:
        for name in ("thr_1", "thr_2"):
            await one.save_thread(thread(name), ANN)

        async def cross(store: SQLStore, first: str, second: str) -> None:
            tries = 0

            def work(connection: Connection) -> None:
                nonlocal tries
                tries += 1
                connection.execute(change, {"id": first})
                if tries == 1:
                    both.wait()
                connection.execute(change, {"id": second})

            await store.database.write(work)

        await asyncio.gather(cross(one, "thr_1", "thr_2"), cross(two, "thr_2", "thr_1"))
    # The database did respond.
    assert caplog.records == []


async def test_write_to_thread_that_was_just_deleted_is_repeated(url: str) -> None:
    tries = 0
    add = statement(
        "INSERT INTO chatkit_attachments (id, owner, thread, created_at, data)"
        " VALUES ('atc_1', 'ann', 99, 0, '')"
    )

    def work(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            connection.execute(add)
        return tries

    async with SQLStore(url) as store:
        assert await store.database.write(work) == 2


async def test_missing_server_raises(postgres: PostgresServer, url: str) -> None:
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


async def test_turn_survives_restart(postgres: PostgresServer, url: str) -> None:
    async with SQLStore(url, lease=1) as store:
        await store.save_thread(thread(), ANN)
        async with store.turn("thr_1", ANN):
            await asyncio.to_thread(postgres.stop)
            await asyncio.sleep(0.5)  # The lease cannot be renewed meanwhile.
            await asyncio.to_thread(postgres.start)
        async with store.turn("thr_1", ANN):
            pass


async def test_concurrent_processes_create_database(postgres: PostgresServer) -> None:
    async with run_worker() as one, run_worker() as two:
        for _ in range(10):
            url = postgres.create_database()
            for worker in (one, two):
                worker.send("migrate", url)
            for worker in (one, two):
                await worker.read("migrated")


async def test_change_during_reconnect_is_seen(url: str) -> None:
    async with SQLStore[Any](url) as store, SQLStore[Any](url) as elsewhere:
        server = AgentChatKitServer(agent([text("One")], [text("Two")]), store)
        other = AgentChatKitServer(agent(), elsewhere)
        client, editor, watcher = LiveClient(server), LiveClient(other), LiveClient(server)
        # A client follows another thread, so this worker is notified of others' writes.
        await (await watcher.ask("Hello")).rest()
        watching = await watcher.follow()
        await watching.until("thread.state")
        asking = await client.ask("Hello")
        await asking.rest()
        snapshot = store.log.snapshot

        async def slowly(*arguments: Any, **options: Any) -> Any:
            found = await snapshot(*arguments, **options)
            await editor.send("threads.update", thread_id=client.thread_id, title="Seen")
            await asyncio.sleep(0.5)
            return found

        store.log.snapshot = slowly  # type: ignore[method-assign]
        following = await client.follow(asking.ids[-1])
        assert (await following.until("thread.updated"))["thread"]["title"] == "Seen"
        await following.close()
        await watching.close()
        await server.close(grace=0)
        await other.close(grace=0)


async def check_that_changes_elsewhere_are_seen(store: SQLStore[Any], url: str) -> None:
    async with store, SQLStore[Any](url) as elsewhere:
        server = AgentChatKitServer(agent(), store)
        other = AgentChatKitServer(agent([text("One")], [text("Two")]), elsewhere)
        client, second = LiveClient(other), LiveClient(other)
        await (await client.ask("Hello")).rest()
        watcher = LiveClient(server)
        watcher.thread_id = client.thread_id
        following = await watcher.follow(list=True)
        await following.until("thread.state")
        await client.send("threads.update", thread_id=client.thread_id, title="Seen")
        assert (await following.until("thread.updated"))["thread"]["title"] == "Seen"
        await (await second.ask("Hello")).rest()
        await following.until("threads.changed")
        await second.send("threads.delete", thread_id=second.thread_id)
        await following.until("threads.deleted", thread_id=second.thread_id)
        await client.send("threads.delete", thread_id=client.thread_id)
        await following.until("thread.deleted")
        await following.rest()
        await server.close(grace=0)
        await other.close(grace=0)


async def test_workers_see_changes_without_notifications(
    postgres: PostgresServer,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(changes, "_HEARD_WITHIN", 0.1)
    monkeypatch.setattr(changes, "_LISTEN_AGAIN_AFTER", 0.1)
    # Another database's notifications do not arrive, like those behind a pooler.
    await check_that_changes_elsewhere_are_seen(
        SQLStore(url, direct_url=postgres.create_database()), url
    )
    (logged,) = caplog.messages
    assert "notifications do not arrive; polling instead." in logged


async def test_workers_see_changes_without_a_connection_that_listens(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changes, "_LISTEN_AGAIN_AFTER", 0.01)
    await check_that_changes_elsewhere_are_seen(
        SQLStore(url, direct_url="postgresql://nobody@/?host=/nowhere"), url
    )
    (logged,) = caplog.messages
    assert logged.startswith("Cannot watch the other workers: ")


async def test_workers_listen_through_their_own_connection(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Workers poll until they are notified.
    monkeypatch.setattr(changes, "CATCH_UP_EVERY", 600)
    await check_that_changes_elsewhere_are_seen(SQLStore(url, direct_url=url), url)
    assert not caplog.messages


async def test_statements_are_not_prepared_for_a_pooler(url: str) -> None:
    async with SQLStore[Any](url, direct_url=url) as store:

        def count(connection: Connection) -> Any:
            for _ in range(20):
                prepared = connection.scalar(
                    statement("SELECT count(*) FROM pg_prepared_statements")
                )
            return prepared

        assert await store.database.read(count) == 0


async def test_connection_that_is_lost_while_a_turn_starts_is_replaced(url: str) -> None:
    async with SQLStore[Any](url) as store:
        await store.save_thread(thread(), ANN)
        checks = []

        def cut(_: Any) -> None:
            checks.append(True)
            if len(checks) > 1:
                return
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

        new = NewTurn(
            ANN.user_id,
            "thr_1",
            "run",
            store.leases.worker,
            turn_id="msg_1",
            check=cut,
            request_id="r1",
        )
        async with store.turn("thr_1", ANN):
            with pytest.raises(ThreadBusyError):
                await store.turns.begin(new)
        assert len(checks) == 2
        checks.clear()
        assert (await store.turns.begin(new)).turn_id == "msg_1"
        assert len(checks) == 2
