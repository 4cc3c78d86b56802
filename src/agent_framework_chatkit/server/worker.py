"""Executes runs, and delivers the events of local and remote runs to followers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Literal

from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import TypeVar

from ..stores import SQLStore
from ..stores.sql.turn_rows import BegunTurn, LogRow, NewTurn, OrphanedTurnError
from .channel import Channel
from .event_log import Entry, log_row
from .follower import Follower
from .group_commits import GroupCommits
from .housekeeping import Housekeeping
from .other_workers import OtherWorkers
from .run import Run
from .signals import StopSignals
from .thread_lists import ThreadLists

if TYPE_CHECKING:
    from .server import AgentChatKitServer


T = TypeVar("T")
TContext = TypeVar("TContext", default=Any)

STOPPED_WITHIN = 5.0
"""Seconds that a stop waits for the turn to end."""

StopStatus = Literal["stopped", "idle", "stopping"]


class Worker(Generic[TContext]):
    """Executes the runs of this process.

    Args:
        server: The server that owns the turns.
        store: Stores the threads and their logs.
        text_interval: Seconds between two text deltas of a run.
    """

    def __init__(
        self,
        server: AgentChatKitServer[TContext],
        store: SQLStore[TContext],
        text_interval: float,
    ) -> None:
        self.server = server
        self.store = store
        self.is_closing = False
        self._is_shutting_down = False
        self._signals = StopSignals(self._start_shutdown)
        self._has_started = False
        self._text_interval = text_interval
        self._channels: dict[int, Channel] = {}
        self._runs: dict[str, Run] = {}
        self._beginning: dict[str, asyncio.Event] = {}
        """Runs that may already be in the log, but whose first events are not delivered yet."""
        self._group_commits = GroupCommits(self._runs, store, text_interval)
        self._housekeeping = Housekeeping(store, self.pull_soon)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.lists = ThreadLists(store.log)
        """The followers of thread lists on this worker."""
        self._other_workers = OtherWorkers(self, self._channels)

    async def start(self) -> None:
        """Start the heartbeat, the signal handlers and the cleanup after dead workers."""
        if not (self._has_started or self.is_closing):
            await self.store.leases.start()
            self._has_started = True
            self._signals.listen()
            self._housekeeping.start()

    # Runs

    async def begin(
        self,
        new: NewTurn,
        prelude: Callable[[BegunTurn], Sequence[Entry]],
        body: Callable[[Run], Awaitable[None]],
        context: TContext,
        *,
        page: str | None = None,
        time_limit: float = 0,
    ) -> tuple[Run, Follower]:
        """Start a turn and execute it.

        Args:
            new: The new turn.
            prelude: Returns the first events, which are stored in the same transaction.
            body: Emits the other events.
            context: The request's context.
            page: The ID of the page that sent the request.
            time_limit: Seconds after which the turn is stopped; 0 for no limit.

        Returns:
            The run, and a follower that reads its events from the start.

        Raises:
            NotFoundError: If the owner has no such thread, or the thread no such message.
            ThreadBusyError: If the thread is running another turn.
            RepeatedRequestError: If the request was received before.
        """
        if self.is_closing:
            raise RuntimeError("The server is stopping.")
        await self.start()
        entries: list[Entry] = []
        self._beginning[new.run] = asyncio.Event()
        try:
            begun = await self._begin(new, prelude, entries)
            before = begun.log_position - 1
            channel = self.channel(begun.lease.key, begun.thread.id, new.owner, before)
            run = Run(self, channel, begun, context, page=page, text_interval=self._text_interval)
            channel.begin_run(run)
            self._runs[run.id] = run
            if before > channel.known:
                await self.store.database.availability.retry(channel.pull)
            follower = Follower(channel, channel.end, is_of_run=True, log_position=before)
            run.writer.deliver_first(entries)
            channel.ahead += 1
        finally:
            self._beginning.pop(new.run).set()
        run.start(body, time_limit)
        if channel.must_pull:
            self.pull_soon(channel.key)
        self.lists.thread_changed(new.owner, begun.lease.key)
        self._group_commits.start()
        self.watch()
        return run, follower

    async def _begin(
        self,
        new: NewTurn,
        prelude: Callable[[BegunTurn], Sequence[Entry]],
        entries: list[Entry],
    ) -> BegunTurn:
        """Store a new turn and its first events, and put the events into `entries`."""
        tried: BegunTurn | None = None

        def log(begun: BegunTurn) -> LogRow:
            nonlocal tried
            tried = begun
            entries[:] = prelude(begun)
            return log_row(entries, None)

        new = replace(new, log=log, worker=self.store.leases.worker)
        try:
            try:
                return await self.store.turns.begin(new)
            except OrphanedTurnError as orphaned:
                await self._housekeeping.end_orphan(orphaned.turn)
                return await self.store.turns.begin(new)
        except SQLAlchemyError:
            # The connection may have been lost just after the commit.
            if tried is None or not await self._has_begun(tried):
                raise
            return tried

    async def _has_begun(self, begun: BegunTurn) -> bool:
        keys = [begun.lease.key]
        found = await self.store.database.availability.retry(lambda: self.store.log.of_keys(keys))
        return any(turn.run == begun.lease.run for turn in found)

    def run_of(self, key: int) -> Run | None:
        """Return the run that this worker executes in a thread, if any."""
        channel = self._channels.get(key)
        return None if channel is None else channel.run

    def run_ended(self, run: Run) -> None:
        """Remove an ended run."""
        self._runs.pop(run.id, None)
        self._drop_unused(run.channel)

    async def stop(self, thread_id: str, owner: str, turn_id: str | None) -> StopStatus:
        """Stop the turn of a thread, wherever it runs.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        turn = await self.store.log.of_thread(thread_id, owner)
        if turn is None or turn.worker is None or turn.state != "running":
            return "idle"
        if turn_id is not None and turn.id != turn_id:
            return "idle"
        run = self.run_of(turn.key)
        if run is not None and run.id == turn.run:
            return "stopped" if await run.stop(timeout=STOPPED_WITHIN) else "stopping"
        await self.store.turns.ask_to_stop(turn)
        deadline = time.monotonic() + STOPPED_WITHIN
        while time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            now = await self.store.log.of_thread(thread_id, owner)
            if now is None or now.worker is None or now.run != turn.run:
                return "stopped"
        return "stopping"

    # Channels

    def channel(self, key: int, thread_id: str, owner: str, log_position: int) -> Channel:
        """Return a thread's channel, and create it if necessary."""
        channel = self._channels.get(key)
        if channel is None:
            channel = Channel(self.store.log, key, thread_id, owner, log_position)
            channel.is_closed = self._is_shutting_down
            channel.beginning = self._beginning
            self._channels[key] = channel
        return channel

    def find_channel(self, key: int) -> Channel | None:
        """Return a thread's channel, if it is in use."""
        return self._channels.get(key)

    def release(self, follower: Follower) -> None:
        """Close a follower, and drop its channel if it is no longer used."""
        follower.close()
        self._drop_unused(follower.channel)

    def forget(self, channel: Channel) -> None:
        """Drop a channel whose events a failover has lost, and disconnect its followers."""
        channel.close()
        if self._channels.get(channel.key) is channel:
            del self._channels[channel.key]

    async def open_channel(self, thread_id: str, owner: str) -> Channel:
        """Return the channel of a thread that a client wants to follow.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        key = await self.store.log.key_of(thread_id, owner)
        while True:
            channel = self._channels.get(key)
            if channel is not None:
                return channel
            snapshot = await self.store.log.snapshot(thread_id, owner, 1, with_log=True)
            beginning = None
            if snapshot.turn is not None:
                beginning = self._beginning.get(snapshot.turn.run)
            if beginning is None:
                break
            # The first events of a local run are stored and about to be delivered.
            await beginning.wait()
        position = 0 if snapshot.turn is None else snapshot.turn.log_position
        channel = self.channel(key, thread_id, owner, position)
        if channel.log_position == position and channel.run is None:
            channel.restore(snapshot.log)
        # The watcher did not know yet that this thread is being followed.
        self.pull_soon(key)
        return channel

    def thread_deleted(self, key: int, thread_id: str, owner: str) -> None:
        """Stop the run of a deleted thread, and disconnect its followers."""
        self.lists.thread_deleted(owner, key, thread_id)
        channel = self._channels.get(key)
        if channel is None:
            return
        if channel.run is not None:
            channel.run.lose(is_deleted=True)
        channel.delete()

    def pull_soon(self, key: int) -> None:
        """Deliver new rows of a thread's log in the background."""
        channel = self._channels.get(key)
        if channel is not None:
            task = asyncio.create_task(self._pull(channel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pull(self, channel: Channel) -> None:
        with suppress(SQLAlchemyError):  # The worker is stopping.
            await self.store.database.availability.retry(channel.pull)

    def _drop_unused(self, channel: Channel) -> None:
        if not channel.is_used and self._channels.get(channel.key) is channel:
            del self._channels[channel.key]

    def watch(self) -> None:
        """Watch for changes by other workers in the threads followed here."""
        self._other_workers.watch()

    # Shutdown

    def _start_shutdown(self) -> None:
        """Start to shut down before the ASGI server waits for its connections."""
        if not self._is_shutting_down:
            self._disconnect_followers()
            grace = self.server.shutdown_grace
            asyncio.get_running_loop().call_later(grace, self._stop_runs)

    def _stop_runs(self) -> None:
        for run in tuple(self._runs.values()):
            run.cancel("interrupted")

    def _disconnect_followers(self) -> None:
        """Disconnect the clients that follow threads: they reconnect to another worker."""
        self._is_shutting_down = True
        for channel in tuple(self._channels.values()):
            channel.close()

    async def close(self, grace: float) -> None:
        """Wait for running turns, stop those that do not finish, and disconnect all clients.

        Args:
            grace: Seconds that running turns have to finish.
        """
        self.is_closing = self.store.database.availability.is_closing = True
        self._disconnect_followers()
        self._signals.close()
        runs = tuple(self._runs.values())
        if runs:
            ended = [asyncio.create_task(run.has_ended.wait()) for run in runs]
            await asyncio.wait(ended, timeout=grace)
            for run in runs:
                run.cancel("interrupted")
            await asyncio.wait(ended, timeout=STOPPED_WITHIN)
            for task in ended:
                task.cancel()
        await self._other_workers.close()
        await self._group_commits.close()
        await self._housekeeping.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def shielded(
    beginning: Coroutine[Any, Any, tuple[Run, Follower]], *, is_live: bool = True
) -> tuple[Run, Follower]:
    """Start a turn. If the caller is cancelled, the turn may still start.

    Args:
        beginning: Starts the turn.
        is_live: Whether the turn continues if the caller is cancelled.
    """
    task = asyncio.ensure_future(beginning)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda begun: _abandon(begun, is_live=is_live))
        raise


def _abandon(begun: asyncio.Future[tuple[Run, Follower]], *, is_live: bool) -> None:
    """Release a turn that started after its caller was cancelled."""
    if begun.cancelled() or begun.exception() is not None:
        return
    run, follower = begun.result()
    run.worker.release(follower)
    if not is_live:
        run.cancel("stopped")
