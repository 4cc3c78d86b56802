"""Workers in one process and thread, with simulated time, so that each run is the same.

Nothing waits for a clock: time passes at once when there is nothing to do. The time that a database
takes before and after each operation comes from a random number generator, so that requests
overtake each other, as they do in threads. A worker can die between any two steps of its
event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import secrets
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar
from unittest.mock import patch

from sqlalchemy import delete, event

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.server import other_workers as other_workers_module
from agent_framework_chatkit.server import worker as worker_module
from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql import database as database_module
from agent_framework_chatkit.stores.sql import leases as leases_module
from agent_framework_chatkit.stores.sql import store as store_module
from agent_framework_chatkit.stores.sql.changes import Check, watch_changes
from agent_framework_chatkit.stores.sql.database import Database, Work
from agent_framework_chatkit.stores.sql.tables import workers

T = TypeVar("T")

_current: contextvars.ContextVar[SimulatedWorker | None] = contextvars.ContextVar(
    "current worker", default=None
)


class Stuck(Exception):  # noqa: N818
    """Raised when nothing will ever happen again."""


class _Selector(selectors.DefaultSelector):
    """A selector that advances the loop's time instead of waiting."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> Any:
        self.loop.step()
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stuck
            self.loop.now += timeout
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes at once when there is nothing to do."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = 0.0
        self.steps = 0
        self._hooks: dict[int, Callable[[], None]] = {}
        super().__init__(selector)
        self.unhandled: list[dict[str, Any]] = []
        """Exceptions that nothing handled."""
        self.set_exception_handler(self._keep)
        self.set_task_factory(_create_task)

    def time(self) -> float:
        return self.now

    def step(self) -> None:
        self.steps += 1
        hook = self._hooks.pop(self.steps, None)
        if hook is not None:
            hook()

    def in_steps(self, count: int, hook: Callable[[], None]) -> None:
        """Call a function between two steps of the loop, after a number of steps."""
        self._hooks[self.steps + count] = hook

    def forget_hooks(self) -> None:
        """Cancel all scheduled functions."""
        self._hooks.clear()

    def _keep(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), WorkerDiedError):
            self.unhandled.append(context)


def _create_task(
    loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    worker = _current.get()
    if worker is not None:
        worker.tasks[task] = None
        task.add_done_callback(worker.tasks.pop)
    return task


class WorkerDiedError(Exception):
    """A dead worker can do nothing more."""


class SimulatedDatabase(Database):
    """A database that executes everything in the loop's thread, after a delay.

    Args:
        url: The database.
        network: Notifies the other workers of writes.
        chance: Generates the delays.
    """

    def __init__(self, url: str, network: Network, chance: random.Random) -> None:
        super().__init__(url)
        self.network = network
        self.chance = chance
        self.is_dead = False
        self.is_paused = False
        """Whether it sends no heartbeats."""
        self._writer_is_free_at = 0.0
        self._delivered_at = 0.0
        self._is_beating = False
        if self.is_sqlite:

            @event.listens_for(self._engine, "connect")
            def connect(connection: Any, _: Any) -> None:
                connection.execute("PRAGMA synchronous = OFF")

    def _takes(self) -> float:
        return self.chance.choice((0.0, 0.0, 0.0002, 0.001, 0.001, 0.004, 0.015))

    async def read(self, work: Work[T], *, is_snapshot: bool = False) -> T:
        engine = self._snapshots if is_snapshot else self._reading
        loop, future = _loop(), asyncio.get_running_loop().create_future()

        def do() -> None:
            if self.is_dead:
                return
            outcome = _outcome_of(lambda: database_module._read(engine, work))
            loop.call_later(self._takes(), self._resolve, future, outcome)

        self._raise_if_dead()
        loop.call_later(self._takes(), do)
        result: T = await future
        return result

    async def write(self, work: Work[T]) -> T:
        loop, future = _loop(), asyncio.get_running_loop().create_future()

        def do() -> None:
            if self.is_dead:
                return
            job = database_module._Job(work, future, loop)
            ((_, result, error),) = self._do([job])
            self.network.tell(self, set(self._announced))
            # Outcomes arrive in order.
            at = self._delivered_at = max(loop.now + self._takes(), self._delivered_at + 1e-7)
            loop.call_at(at, self._resolve, future, (result, error))

        self._raise_if_dead()
        self._beat_on()
        # One after another, in the order of the requests.
        at = max(loop.now + self._takes(), self._writer_is_free_at + 1e-7)
        self._writer_is_free_at = at
        loop.call_at(at, do)
        result: T = await future
        return result

    async def migrate(self) -> None:
        self._upgrade()

    async def close(self) -> None:
        while _loop().now < max(self._writer_is_free_at, self._delivered_at):
            await asyncio.sleep(0.01)
        self.is_dead = True
        self._engine.dispose()

    def die(self) -> None:
        self.is_dead = True
        self._engine.dispose()

    def _raise_if_dead(self) -> None:
        if self.is_dead:
            raise WorkerDiedError

    def _resolve(self, future: asyncio.Future[Any], outcome: Any) -> None:
        if self.is_dead or future.done():
            return
        result, error = outcome
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def _beat_on(self) -> None:
        if not self._is_beating:
            self._is_beating = True
            self._beat_regularly()

    def _beat_regularly(self) -> None:
        if self.is_dead:
            return
        if self.heartbeat is not None and not self.is_paused:
            with self._engine.begin() as connection:
                self.heartbeat(connection)
        _loop().call_later(self.heartbeat_interval, self._beat_regularly)


def _loop() -> SimulatedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    return loop


def _outcome_of(work: Callable[[], Any]) -> Any:
    try:
        return work(), None
    except Exception as error:
        return None, error


class Network:
    """Notifies workers of the writes of others, as PostgreSQL does."""

    def __init__(self) -> None:
        self._listening: list[_Listening] = []

    def listen(self, database: SimulatedDatabase, check: Check) -> _Listening:
        listening = _Listening(self, database, check)
        self._listening.append(listening)
        return listening

    def tell(self, sender: SimulatedDatabase, keys: set[int]) -> None:
        for listening in self._listening:
            if keys and listening.database is not sender:
                listening.notify(keys)

    def leave(self, listening: _Listening) -> None:
        self._listening.remove(listening)


class _Listening:
    """Receives notifications of the writes of others, one after another."""

    wanted = False

    def __init__(self, network: Network, database: SimulatedDatabase, check: Check) -> None:
        self.database = database
        self._network = network
        self._heard: asyncio.Queue[set[int] | None] = asyncio.Queue()
        self._heard.put_nowait(None)
        self._check = check
        self._task = asyncio.create_task(self._run())

    def notify(self, keys: set[int]) -> None:
        _loop().call_later(self.database._takes(), self._heard.put_nowait, keys)

    async def close(self) -> None:
        self._network.leave(self)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._check(await self._heard.get())


class _Clock:
    """The worker's replacement for the module `time`."""

    @staticmethod
    def monotonic() -> float:
        return asyncio.get_running_loop().time()


class SimulatedWorker:
    """A worker with its own server.

    Args:
        simulation: The simulation.
        name: Its name.
        build: Creates its server.
        url: The database.
        chance: Generates the delays.
    """

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        build: Callable[[SQLStore[Any], SimulatedWorker], AgentChatKitServer[Any]],
        url: str,
        chance: random.Random,
    ) -> None:
        self.simulation = simulation
        self.name = name
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.is_dead = False
        with patch.object(
            store_module,
            "Database",
            lambda url, _: SimulatedDatabase(url, simulation.network, chance),
        ):
            self.store: SQLStore[Any] = SQLStore(url)
        assert isinstance(self.store.database, SimulatedDatabase)
        self.database = self.store.database
        self.server = build(self.store, self)

    def __repr__(self) -> str:
        return self.name

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that ends when the worker dies."""
        context = contextvars.copy_context()
        context.run(_current.set, self)
        return context.run(self.simulation.loop.create_task, coroutine)

    def die(self) -> None:
        """Die: do nothing more from now on."""
        self.is_dead = True
        self.database.die()
        for task in tuple(self.tasks):
            task.cancel()

    def bury(self) -> None:
        """Make this living worker appear dead to the others."""
        name = self.store.leases.worker
        with self.database._engine.begin() as connection:
            connection.execute(delete(workers).where(workers.c.id == name))
        if self.is_dead:
            self.database._engine.dispose()


class Simulation:
    """Workers, and their simulated time."""

    def __init__(self) -> None:
        self.loop = SimulatedLoop()
        self.network = Network()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(coroutine)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.run(asyncio.sleep(seconds))

    def close(self) -> None:
        for _ in range(100):
            tasks = asyncio.all_tasks(self.loop)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            self.wait(0.01)
        self.loop.close()


@contextmanager
def simulated(*, is_sqlite: bool) -> Iterator[Simulation]:
    """Make workers use the loop's time."""
    simulation = Simulation()

    def watch(database: Database, check: Check) -> Any:
        assert isinstance(database, SimulatedDatabase)
        if is_sqlite:
            return watch_changes(database, check)
        return simulation.network.listen(database, check)

    with ExitStack() as stack:
        # Use the same names each time.
        named = random.Random(0)  # noqa: S311
        stack.enter_context(
            patch.object(
                secrets, "token_hex", lambda size=32: f"{named.getrandbits(8 * size):0{2 * size}x}"
            )
        )
        stack.enter_context(patch.object(secrets, "randbits", named.getrandbits))
        for module in (worker_module, leases_module):
            stack.enter_context(patch.object(module, "time", _Clock))
        stack.enter_context(patch.object(other_workers_module, "watch_changes", watch))
        with suppress(Stuck):
            yield simulation
