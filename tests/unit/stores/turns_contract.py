"""One turn at a time, dead workers, and concurrent writes."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress

import pytest
from agent_framework import AgentSession, Message
from chatkit.store import NotFoundError
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from agent_framework_chatkit.stores import SQLStore, ThreadBusyError
from agent_framework_chatkit.stores.sql.turn_rows import LogRow, NewTurn, TurnEnd, Writes

from .stored import ANN, execute, file, ids, item, numbers, read_all, thread
from .workers import run_worker


class TurnsContract:
    """Requires the fixtures `store` and `url`, the URL of its database."""

    async def test_thread_has_one_turn_at_a_time(self, store: SQLStore, url: str) -> None:
        for name in ("thr_1", "thr_2"):
            await store.save_thread(thread(name), ANN)
        async with SQLStore(url) as other, store.turn("thr_1", ANN):
            for each in (store, other):
                with pytest.raises(ThreadBusyError, match="thr_1") as raised:
                    await each.turn("thr_1", ANN).__aenter__()
                assert raised.value.thread_id == "thr_1"
            async with other.turn("thr_2", ANN):
                pass
        async with store.turn("thr_1", ANN):
            pass

    async def test_old_log_is_purged_while_turns_write(self, store: SQLStore, url: str) -> None:
        await store.leases.start()
        ended, running = [
            (
                await store.turns.begin(
                    NewTurn(
                        ANN.user_id,
                        name,
                        name,
                        store.leases.worker,
                        turn_id="msg_1",
                        new_thread=thread(name),
                    )
                )
            ).lease
            for name in ("thr_1", "thr_2")
        ]
        await store.turns.commit(ended, Writes(end=TurnEnd("completed")))
        execute(
            url,
            "INSERT INTO chatkit_events (thread, position, run, first, last, data)"
            f" SELECT key, -n, 'run', n, n, '{{}}' FROM chatkit_threads, {numbers(url, 3_000)}",
        )
        purging = asyncio.create_task(store.turns.purge_log(-1))
        written = 0
        while not purging.done():
            written += 1
            await store.turns.append([(running, LogRow(written, written, "{}"))])
        await purging
        assert written > 4
        assert await store.log.read_log(ended.key, -4_000) == []
        kept = await store.log.read_log(running.key, -4_000, limit=10_000)
        assert len([row for row in kept if row.run == "run"]) == 3_000

    async def test_write_happens_once_although_its_answer_is_lost(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        lease = await store.turns.hold("thr_1", ANN.user_id, "run", "worker")
        for first in (1, 2):
            event.listen(Engine, "commit", lose_answer, once=True)
            if first == 1:
                assert await store.turns.append([(lease, LogRow(1, 1, "{}"))]) == []
            else:
                writes = Writes(items=[item("msg_1")], log=LogRow(2, 2, "{}"))
                await store.turns.commit(lease, writes)
            rows = await store.log.read_log(lease.key, 0)
            assert [row.first for row in rows] == [1, 2][:first]
            (turn,) = await store.log.of_keys([lease.key])
            assert turn.log_position == rows[-1].position == first
        assert await read_all(store) == ["msg_1"]

    async def test_turn_ends_when_it_fails(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        with pytest.raises(RuntimeError, match="the model"):
            async with store.turn("thr_1", ANN):
                raise RuntimeError("the model is gone")
        async with store.turn("thr_1", ANN):
            pass

    async def test_turn_ends_despite_repeated_cancellation(self, url: str) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(), ANN)
            started = asyncio.Event()

            async def turn() -> None:
                async with store.turn("thr_1", ANN):
                    started.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(turn())
            await started.wait()
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        # Closing waits until the lease is released.
        assert execute(url, "SELECT worker FROM chatkit_turns") == [(None,)]
        assert execute(url, "SELECT count(*) FROM chatkit_workers") == [(0,)]

    async def test_worker_with_leases_sends_heartbeats(self, url: str) -> None:
        async with SQLStore(url, lease=0.3) as store:
            await store.save_thread(thread(), ANN)
            async with store.turn("thr_1", ANN):
                beat = "SELECT beat FROM chatkit_workers"
                first = execute(url, beat)
                while execute(url, beat) == first:
                    await asyncio.sleep(0.05)

    async def test_lost_lease_is_not_taken_back(
        self, url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with SQLStore(url) as store:
            await store.save_thread(thread(), ANN)
            async with store.turn("thr_1", ANN), SQLStore(url) as other:
                await other.load_threads(1, None, "asc", ANN)
                later = await self._taken_over(url, other)
                other_holds = "SELECT run FROM chatkit_turns"
                run = execute(url, other_holds)
                await self._end_quietly(store)
                assert execute(url, other_holds) == run
                await later.__aexit__(None, None, None)
        assert "was lost" in caplog.text

    async def _taken_over(self, url: str, other: SQLStore) -> AbstractAsyncContextManager[None]:
        while True:
            # As if the first worker had slept long enough to appear dead.
            execute(url, "DELETE FROM chatkit_workers")
            later = other.turn("thr_1", ANN)
            # It may have just sent a heartbeat.
            with suppress(ThreadBusyError):
                await later.__aenter__()
                return later

    async def _end_quietly(self, store: SQLStore) -> None:
        with pytest.raises(ThreadBusyError):
            await store.turn("thr_1", ANN).__aenter__()

    async def test_workers_take_turns(self, store: SQLStore, url: str) -> None:
        await store.save_thread(thread(metadata={"count": 0}), ANN)
        async with run_worker() as one, run_worker() as two:
            for worker in (one, two):
                worker.send("count", url, 15)
            for worker in (one, two):
                await worker.read("counted")
        assert (await store.load_thread("thr_1", ANN)).metadata == {"count": 30}

    @pytest.mark.parametrize("count", [1, 4])
    async def test_dead_worker_loses_its_thread(
        self, store: SQLStore, url: str, count: int
    ) -> None:
        await store.save_thread(thread(), ANN)
        async with run_worker() as worker:
            worker.send("hold", url, 1)
            await worker.read("held")
            worker.kill()
        suspecting: list[str] = []
        async with AsyncExitStack() as stores:
            watching = [
                await stores.enter_async_context(SQLStore(url, lease=1)) for _ in range(count)
            ]

            async def is_free() -> bool:
                for each in watching:
                    with suppress(ThreadBusyError):
                        async with each.turn("thr_1", ANN):
                            return True
                return False

            while not await is_free():
                for (name,) in execute(url, "SELECT suspect FROM chatkit_workers"):
                    if name is not None and name not in suspecting[-1:]:
                        suspecting.append(name)
                await asyncio.sleep(0.02)
        # They do not suspect each other again and again.
        assert len(suspecting) == len(set(suspecting))

    async def test_concurrent_writes_to_thread(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await one.save_thread(thread(), ANN)
            await asyncio.gather(
                *(
                    (one if number % 2 else two).add_thread_item(
                        # Each is written twice, but is one item.
                        "thr_1",
                        item(f"msg_{number // 2}"),
                        ANN,
                    )
                    for number in range(100)
                ),
                *(one.save_thread(thread(title="x"), ANN) for _ in range(10)),
            )
            assert sorted(await read_all(one, size=7)) == sorted(f"msg_{n}" for n in range(50))

    async def test_concurrent_creation_of_thread(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await asyncio.gather(
                *(store.save_thread(thread(), ANN) for store in (one, two) for _ in range(10))
            )
            assert ids(await one.load_threads(9, None, "asc", ANN)) == ["thr_1"]

    async def test_reader_misses_no_added_item(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            await one.save_thread(thread(), ANN)
            added = [f"msg_{number}" for number in range(60)]

            async def write(store: SQLStore, names: list[str]) -> None:
                for name in names:
                    await store.add_thread_item("thr_1", item(name), ANN)

            writing = asyncio.gather(
                *(write(store, added[n::6]) for n, store in enumerate([one, two] * 3))
            )
            seen: list[str] = []
            while len(seen) < len(added):
                after = seen[-1] if seen else None
                page = await one.load_thread_items("thr_1", after, 5, "asc", ANN)
                seen += ids(page)
            await writing
            assert sorted(seen) == sorted(added)
            assert seen == await read_all(one, size=50)

    async def test_concurrent_delete_and_add(self, url: str) -> None:
        async with SQLStore(url) as one, SQLStore(url) as two:
            for _ in range(10):
                await one.save_thread(thread(), ANN)
                results = await asyncio.gather(
                    one.add_thread_item("thr_1", item("msg_1"), ANN),
                    two.save_attachment(file("atc_1", "thr_1"), ANN),
                    two.sessions("thr_1", ANN).set("msg_1", AgentSession()),
                    one.delete_thread("thr_1", ANN),
                    two.add_messages("thr_1", "msg_1", [Message("user", ["x"])], ANN),
                    one.save_feedback("thr_1", ["msg_1"], "positive", ANN),
                    return_exceptions=True,
                )
                assert {type(result) for result in results} <= {type(None), NotFoundError}
                saved = results[1] is None
                assert (await one.doomed_attachments() == ["atc_1"]) == saved
                await one.forget_attachments(["atc_1"])

    async def test_cancellation_leaves_store_usable(self, store: SQLStore) -> None:
        await store.save_thread(thread(), ANN)
        random.seed(0)
        for number in range(40):
            task = asyncio.create_task(store.add_thread_item("thr_1", item(f"msg_{number}"), ANN))
            await asyncio.sleep(random.random() / 200)  # noqa: S311 any time will do
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await store.add_thread_item("thr_1", item("last"), ANN)
        assert (await read_all(store, size=9))[-1] == "last"


def lose_answer(connection: Connection) -> None:
    """Commit a transaction, but lose the connection before the database answers."""
    connection.connection.commit()
    raise OperationalError("COMMIT", None, ConnectionError("lost"), connection_invalidated=True)
