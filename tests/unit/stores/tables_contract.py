"""The tables and their migrations, and the use of indexes by each statement of a turn."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from agent_framework import AgentSession, Message
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event

from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.migrate import VERSION_TABLE
from agent_framework_chatkit.stores.sql.tables import SEARCH, metadata
from agent_framework_chatkit.stores.sql.turn_rows import (
    LogRow,
    NewTurn,
    ReadRows,
    StoredMessages,
    ThreadChange,
    TurnEnd,
    Writes,
)

from .stored import (
    ANN,
    BOB,
    create_older,
    engine_of,
    execute,
    file,
    item,
    numbers,
    read_all,
    thread,
)


class TablesContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_store_reports_health(self, store: SQLStore) -> None:
        await store.check()

    async def test_stored_data_persists(self, url: str) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(), ANN)
            await store.add_thread_item("thr_1", item("msg_1"), ANN)
        async with SQLStore(url) as store:
            assert await read_all(store) == ["msg_1"]

    async def test_concurrent_workers_create_database(self, url: str) -> None:
        stores = [SQLStore(url) for _ in range(5)]
        await asyncio.gather(*(store.save_thread(thread(), ANN) for store in stores))
        await asyncio.gather(*(store.close() for store in stores))

    async def test_migrations_create_tables(self, store: SQLStore, url: str) -> None:
        await store.migrate()
        await store.migrate()
        with engine_of(url) as engine, engine.connect() as connection:
            options = {
                "version_table": VERSION_TABLE,
                "compare_server_default": True,
                # Each database has its own type of search index.
                "include_name": lambda name, *_: not str(name).startswith(SEARCH),
            }
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, metadata) == []

    async def test_log_of_older_version_is_kept(self, url: str) -> None:
        create_older(url, "v6", thread())
        row = "INSERT INTO chatkit_events (thread, position, run, first, last, data) SELECT key,"
        execute(
            url,
            *(
                f"{row} {position}, '{run}', {first}, {first}, '{run}' FROM chatkit_threads"
                for position, run, first in [(1, "a", 1), (2, "b", 1), (3, "a", 2), (4, "c", 1)]
            ),
        )
        async with SQLStore(url) as store:
            key = await store.log.key_of("thr_1", ANN.user_id)
            rows = await store.log.read_log(key, 0)
            assert [(each.run, each.first) for each in rows] == [
                ("a", 1),
                ("b", 1),
                ("a", 2),
                ("c", 1),
            ]
            found = await store.log.find_in_log(key, "a", 2)
            assert found is not None
            assert found.position == 3
            assert await store.log.may_have_missed(key, "a", 2)
            assert not await store.log.may_have_missed(key, "b", 1)

    async def test_newer_database_is_not_changed(self, store: SQLStore, url: str) -> None:
        await store.migrate()
        execute(url, f"UPDATE {VERSION_TABLE} SET version_num = 'v99'")
        async with SQLStore(url) as older:
            with pytest.raises(RuntimeError, match="newer version \\(v99\\)"):
                await older.check()

    async def test_every_statement_of_a_turn_uses_an_index(self, store: SQLStore, url: str) -> None:
        await store.save_thread(thread(), ANN)
        fill(url)
        statements: list[tuple[str, Any]] = []

        def record(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            statements.append((statement, parameters))

        event.listen(Engine, "before_cursor_execute", record)
        try:
            for order in ("asc", "desc"):
                page = await store.load_thread_items("thr_1", None, 20, order, ANN)
                await store.load_thread_items("thr_1", page.after, 20, order, ANN)
                await store.load_thread_items("thr_1", "i20000", 20, order, ANN)
                await store.load_threads(20, None, order, ANN)
                await store.load_threads(20, "t5000", order, ANN)
            await store.load_thread("thr_1", ANN)
            await store.load_item("thr_1", "i1", ANN)
            await store.save_thread(thread(title="x"), ANN)
            await store.save_thread(thread("thr_2"), ANN)
            await store.add_thread_item("thr_1", item("msg_1"), ANN)
            await store.save_item("thr_1", item("i20000"), ANN)
            await store.save_attachment(file("atc_1", "thr_1"), ANN)
            await store.load_attachment("atc_1", ANN)
            await store.reserve_attachment(file("atc_2"), BOB, max_files=1, max_stored=1)
            await store.sessions("thr_1", ANN).set("i1", AgentSession())
            await store.sessions("thr_1", ANN).get("i1")
            await store.add_messages("thr_1", "i1", [Message("user", ["x"])], ANN)
            await store.delete_messages("thr_1", "i1", ANN)
            async with store.turn("thr_1", ANN):
                pass
            await store.save_feedback("thr_1", ["i1"], "positive", ANN)
            await store.delete_thread_item("thr_1", "i1", ANN)
            await take_a_turn(store)
        finally:
            event.remove(Engine, "before_cursor_execute", record)
        assert len(statements) > 40
        explain = "EXPLAIN QUERY PLAN " if url.startswith("sqlite") else "EXPLAIN "
        # There are only as many workers as processes.
        scan = re.compile(
            r"\bSCAN (?!CONSTANT|chatkit_workers)|TEMP B-TREE|\bSort\b"
            r"|Seq Scan (?!on chatkit_workers)"
        )
        with engine_of(url) as engine, engine.connect() as connection:
            if not url.startswith("sqlite"):
                # PostgreSQL scans small tables, or all rows of a thread, even if there is an index,
                # and sorts few rows.
                connection.exec_driver_sql("SET enable_seqscan = off")
                connection.exec_driver_sql("SET enable_bitmapscan = off")
            for statement, parameters in statements:
                if not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                    continue
                given = parameters[0] if isinstance(parameters, list) else parameters
                rows = connection.exec_driver_sql(explain + statement, given)
                plan = "\n".join(str(row[-1]) for row in rows)
                assert not scan.search(plan), f"{statement}\n{plan}"


async def take_a_turn(store: SQLStore) -> None:
    """Execute the statements of a turn."""
    turns, log, owner = store.turns, store.log, ANN.user_id
    await store.leases.start()
    begun = await turns.begin(
        NewTurn(
            owner,
            "thr_1",
            "run",
            store.leases.worker,
            turn_id="msg_2",
            item=item("msg_2"),
            request_id="request",
            log=lambda _: LogRow(1, 1, "{}"),
        )
    )
    key, lease = begun.lease.key, begun.lease
    await log.read_stored(key, "thr_1", ReadRows(9000, 9000, 9000))
    await turns.append([(lease, LogRow(2, 2, "{}", "[]"))])
    writes = Writes(
        items=[item("msg_2"), item("msg_3")],
        removed=["msg_3"],
        thread=ThreadChange(thread(title="x"), thread(title="y")),
        messages=[StoredMessages("msg_2", "[]", 1)],
        session=("msg_2", "{}"),
        log=LogRow(3, 3, "{}"),
    )
    await turns.commit(lease, writes)
    await turns.add("thr_1", owner, "other", replace(writes, session=None))
    await log.snapshot("thr_1", owner, 20, with_log=True)
    await log.read_log(key, 0)
    await log.find_in_log(key, "run", 2)
    await log.of_threads(["thr_1", "t1"], owner)
    await log.summary(key)
    await log.listed([owner])
    await log.listed([owner], {key})
    await log.find_request(owner, "request")
    await turns.claim("thr_1", owner, "msg_2", "page")
    (turn,) = await log.of_keys([key])
    await turns.ask_to_stop(turn)
    await log.orphans()
    await turns.commit(lease, Writes(log=LogRow(4, 4, "{}"), end=TurnEnd("completed")))


def fill(url: str) -> None:
    """Fill every table with so many rows that a scan would be slow."""
    one = "SELECT key FROM chatkit_threads WHERE id = 'thr_1'"
    many = numbers(url, 10_000)
    data = json.dumps({"type": "hologram"})
    session = json.dumps(AgentSession().to_dict())
    execute(
        url,
        f"INSERT INTO chatkit_owners SELECT 'o' || n, 0 FROM {many}",
        "INSERT INTO chatkit_threads (id, owner, position, last_position, active_at, data)"
        f" SELECT 't' || n, 'ann', n + 1, 0, 0, '{thread('t').model_dump_json()}' FROM {many}",
        "UPDATE chatkit_owners SET last_position = 20000 WHERE id = 'ann'",
        "UPDATE chatkit_threads SET last_position = 200000 WHERE id = 'thr_1'",
        "INSERT INTO chatkit_items (thread, position, id, data)"
        f" SELECT ({one}), n, 'i' || n, '{item('i').model_dump_json()}'"
        f" FROM {numbers(url, 50_000)}",
        "INSERT INTO chatkit_items (thread, position, id, data)"
        f" SELECT key, 1, 'i', '{data}' FROM chatkit_threads WHERE id <> 'thr_1'",
        f"INSERT INTO chatkit_sessions SELECT ({one}), 'i' || n, n, '{session}' FROM {many}",
        f"INSERT INTO chatkit_messages SELECT ({one}), n, 'i' || n, '[]', n FROM {many}",
        f"INSERT INTO chatkit_feedback SELECT ({one}), 'i' || n, 'positive' FROM {many}",
        "INSERT INTO chatkit_turns (thread, id, run, state, log_position, logged_at)"
        " SELECT key, '', '', '', 0, 0 FROM chatkit_threads",
        "INSERT INTO chatkit_events (thread, position, run, first, last, data)"
        f" SELECT ({one}), -n, 'r' || n, 1, 1, '{{}}' FROM {many}",
        "INSERT INTO chatkit_events (thread, position, run, first, last, data)"
        " SELECT key, 1, 'r', 1, 1, '{}' FROM chatkit_threads WHERE id <> 'thr_1'",
        "INSERT INTO chatkit_requests (owner, id, thread, turn, run, created_at)"
        " SELECT 'ann', 'r' || key, key, '', '', 0 FROM chatkit_threads",
        "INSERT INTO chatkit_attachments (id, owner, thread, created_at, data)"
        f" SELECT 'a' || n, 'ann', ({one}), 0, '' FROM {many}",
        "INSERT INTO chatkit_attachments (id, owner, created_at, data)"
        f" SELECT 'b' || n, 'o' || n, 0, '' FROM {many}",
        "ANALYZE",
    )
