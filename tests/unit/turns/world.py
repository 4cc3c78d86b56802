"""Users, workers and language models, whose turns are compared with the model of a thread."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from agent_framework import (
    Agent,
    ChatResponseUpdate,
    Content,
    Message,
    tool,
)
from chatkit.store import NotFoundError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize
from sqlalchemy import create_engine, make_url, text

from agent_framework_chatkit import AgentChatKitServer, client_tool
from agent_framework_chatkit.server.run import current_run
from agent_framework_chatkit.stores import SQLStore

from ...fakes.models import FakeModel, update
from ...integration.providers.rules import check_strictest
from .event_reader import Client, Event
from .simulation import SimulatedWorker, Simulation, simulated
from .words import Exchange, Plan, Sent, is_later, short, tokens_of

T = TypeVar("T")

ANN = {"user_id": "ann"}

FIRST, SECOND = "A", "B"


class ThreadModel(FakeModel):
    """A language model that follows a thread's plan, and checks its input."""

    def __init__(self, world: TurnsWorld, thread_id: str) -> None:
        super().__init__()
        self._world = world
        self._thread_id = thread_id

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        world = self._world
        steps = world.on_asked(self._thread_id, messages)
        exchange = world.threads[self._thread_id]
        message_id = world.token("m")
        results: list[str] = []
        try:
            for kind, value in steps:
                if kind == "pause":
                    await asyncio.sleep(value)
                    continue
                if kind == "fail":
                    raise RuntimeError("The model is down.")
                if kind == "say":
                    token = world.token("T")
                    content = Content.from_text(f"{token} ")
                else:
                    token = world.token("C")
                    results.append("R" + token[1:])
                    arguments = json.dumps({"token": token, "takes": value})
                    content = Content.from_function_call(token, kind, arguments=arguments)
                word = exchange.add(token)
                yield update(content, message_id)
                # The server asks for more, so it has this.
                word.is_certain = word.run not in exchange.lost_runs
        finally:
            for token in results:
                exchange.add(token)


class TurnsWorld(RuleBasedStateMachine):
    """Users and workers. Subclasses set the database."""

    is_sqlite = True

    def new_url(self) -> str:
        """Return the URL of a database with empty tables."""
        raise NotImplementedError

    # The world

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self._simulated = simulated(is_sqlite=self.is_sqlite)
        self.simulation: Simulation = self._simulated.__enter__()
        self.url = self.new_url()
        driver = "sqlite" if self.is_sqlite else "postgresql+psycopg"
        self.engine = create_engine(
            make_url(self.url).set(drivername=driver), isolation_level="AUTOCOMMIT"
        )
        self.count = 0
        self.threads: dict[str, Exchange] = {}
        self.plans: dict[str, Plan] = {}
        self.sent: list[Sent] = []
        self.approved: set[str] = set()
        self.ran: Counter[str] = Counter()
        self.clients: list[Client] = []
        self.data_of: dict[str, str] = {}
        self.problems: list[str] = []
        self.unstored: dict[str, str] = {}
        self.thread_id = ""
        self.workers = [self._start_worker(FIRST), self._start_worker(SECOND)]

    def _start_worker(self, name: str) -> SimulatedWorker:
        return SimulatedWorker(self.simulation, name, self._build, self.url, self.chance)

    def _build(self, store: SQLStore[Any], worker: SimulatedWorker) -> AgentChatKitServer[Any]:
        machine = self

        async def run(token: str, takes: float) -> str:
            machine.on_tool(worker, token)
            await asyncio.sleep(takes)
            return "R" + token[1:]

        @tool(approval_mode="never_require")
        async def quick(token: str, takes: float) -> str:
            """Do something."""
            return await run(token, 0)

        @tool(approval_mode="never_require")
        async def slow(token: str, takes: float) -> str:
            """Do something."""
            return await run(token, takes)

        @tool(approval_mode="never_require")
        async def broken(token: str, takes: float) -> str:
            """Do something."""
            await run(token, takes)
            raise RuntimeError("The tool is broken.")

        @tool(approval_mode="always_require")
        async def pay(token: str, takes: float) -> str:
            """Do something."""
            if token not in machine.approved:
                machine.problems.append(f"{token} runs, and was not approved.")
            return await run(token, takes)

        @client_tool
        def locate(token: str, takes: float) -> str:
            """Do something."""
            raise AssertionError("The page runs it.")

        tools: Any = [quick, slow, broken, pay, locate]

        def agent(thread: Any, context: Any) -> Any:
            return Agent(client=ThreadModel(machine, thread.id), tools=tools)

        return AgentChatKitServer(agent, store)

    def worker(self, index: int) -> SimulatedWorker:
        """Return a worker; start it again if it died."""
        if self.workers[index].is_dead:
            self.workers[index] = self._start_worker(self.workers[index].name)
        return self.workers[index]

    def token(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def select(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def turn_row(self) -> Any:
        """Return the thread's last stored turn."""
        rows = self.select(
            "SELECT t.* FROM chatkit_turns t JOIN chatkit_threads ON t.thread = key WHERE "
            "chatkit_threads.id = :id",
            id=self.thread_id,
        )
        return rows[0] if rows else None

    def is_there(self, thread_id: str) -> bool:
        return bool(self.select("SELECT 1 FROM chatkit_threads WHERE id = :id", id=thread_id))

    def items(self) -> list[dict[str, Any]]:
        """Return the thread's stored items."""
        rows = self.select(
            "SELECT i.data FROM chatkit_items i JOIN chatkit_threads t ON i.thread = t.key "
            "WHERE t.id = :id ORDER BY i.position",
            id=self.thread_id,
        )
        return [json.loads(row.data) for row in rows]

    # Events

    def sync(self) -> None:
        """Find out which requests started a turn."""
        for sent in self.sent:
            if sent.has_begun:
                continue
            found = self.select(
                "SELECT t.id FROM chatkit_requests r JOIN chatkit_threads t ON r.thread = t.key "
                "WHERE r.id = :id",
                id=sent.metadata["request_id"],
            )
            if found:
                sent.has_begun = True
                sent.thread_id = found[0].id
                exchange = self.threads.setdefault(sent.thread_id, Exchange())
                if sent.retried is not None:
                    exchange.cut(sent.retried, sent.token)
                elif sent.token is not None:
                    exchange.add(sent.token).prove()
        for thread_id, exchange in self.threads.items():
            self._find_lost(thread_id, exchange)
            for word in exchange.words:
                if word.token[0] == "A" and not word.is_proven:
                    item_id = f"item_{word.token}"
                    if self.select("SELECT 1 FROM chatkit_items WHERE id = :id", id=item_id):
                        word.prove()

    def _find_lost(self, thread_id: str, exchange: Exchange) -> None:
        """Find out which runs lost their thread to another run."""
        for run in {word.run for word in exchange.words} - exchange.lost_runs - {""}:
            if not self.select(
                "SELECT 1 FROM chatkit_events WHERE run = :run AND data LIKE '%ended_at\":\"%' "
                "UNION SELECT 1 FROM chatkit_turns WHERE run = :run",
                run=run,
            ):
                exchange.lose(run)

    def on_asked(self, thread_id: str, messages: list[Message]) -> list[tuple[str, float]]:
        """Check the model's input, and return its next steps."""
        self.sync()
        if not self.is_there(thread_id):
            return [("say", 0.0)]
        exchange = self.threads[thread_id]
        for problem in check_strictest(messages):
            self.problems.append(f"{problem}: {short(messages)}")
        read = tokens_of(messages)
        inputs = [token for token in read if token[0] in "US"]
        if not inputs:
            self.problems.append(f"The input is empty: {short(messages)}")
            return [("say", 0.0)]
        run = current_run.get()
        assert run is not None
        if self.select("SELECT 1 FROM chatkit_turns WHERE run = :run", run=run.id):
            self._check_read(exchange, read, inputs[-1], short(messages))
        plan = self.plans.get(inputs[-1], [])
        return plan.pop(0) if plan else [("say", 0.0)]

    def _check_read(self, exchange: Exchange, read: list[str], newest: str, given: str) -> None:
        for token, count in Counter(read).items():
            if count > 1:
                self.problems.append(f"{token} is read {count} times: {given}")
        known = [word.token for word in exchange.words]
        unknown = [token for token in read if token not in known]
        if unknown:
            self.problems.append(f"{unknown} should not be read: {given}, only {known}")
        self._place(exchange, read)
        # Items that code adds during a turn are read in the next turn.
        known = [word.token for word in exchange.words]
        in_order = [token for token in known if token in read and token[0] != "A"]
        if in_order != [token for token in read if token in known and token[0] != "A"]:
            self.problems.append(f"Wrong order: {given}, not {known}")
        missing = [
            word.token
            for word in exchange.words
            if word.is_certain and word.token not in read and not is_later(word, newest)
        ]
        if missing:
            self.problems.append(f"{missing} are missing: {given}")
        # Everything it read is stored, and it will never read the rest.
        kept = [word for word in exchange.words if word.token in read or is_later(word, newest)]
        exchange.words = kept
        for word in kept:
            if word.token in read:
                word.prove()
            elif word.token[0] == "U":
                # It is sent with the next message, after this turn's answer.
                word.is_placed = False

    def _place(self, exchange: Exchange, read: list[str]) -> None:
        """Find the places of words that the model reads later than they were sent."""
        for word in [word for word in reversed(exchange.words) if not word.is_placed]:
            if word.token in read:
                exchange.words.remove(word)
                later = read[read.index(word.token) + 1 :]
                index = next(
                    (
                        i
                        for i, each in enumerate(exchange.words)
                        if each.token in later and each.token[0] != "A"
                    ),
                    len(exchange.words),
                )
                exchange.words.insert(index, word)
                word.is_placed = True

    def on_tool(self, worker: SimulatedWorker, token: str) -> None:
        if worker.is_dead:
            self.problems.append(f"{token} runs on a worker that has died.")
        self.ran[token] += 1
        if self.ran[token] > 1:
            self.problems.append(f"{token} has run {self.ran[token]} times.")
        thread_id, word = next(
            (thread_id, word)
            for thread_id, exchange in self.threads.items()
            for word in exchange.words
            if word.token == token
        )
        if not self.is_there(thread_id):
            return
        word.prove()
        if not self.select(
            "SELECT 1 FROM chatkit_events WHERE updates LIKE :call", call=f'%"{token}"%'
        ):
            self.problems.append(f"{token} runs before its call is stored.")

    def on_event(self, client: Client, received: Event, data: str) -> None:
        event_id, event = received
        kind = event["type"]
        # A worker that stops ends the streams of runs that lost their thread.
        is_stopping = client.worker.server.worker.is_closing
        is_error = event.get("code") == "stream.error"
        if is_error and not is_stopping and self.is_there(client.thread_id):
            self.problems.append(f"{client.kind} was sent {data}")
        if event_id is not None and kind != "thread.state":
            data = data.replace(',"can_follow":true}', "}")
            known = self.data_of.setdefault(event_id, data)
            if known != data:
                self.problems.append(f"{event_id} is both {known} and {data}")
        if kind in ("thread.item.done", "thread.item.replaced"):
            item_id = event["item"]["id"]
            if not self.select("SELECT 1 FROM chatkit_items WHERE id = :id", id=item_id):
                self.unstored[item_id] = data

    # Actions of users

    def open_client(
        self, worker: int, kind: str, params: Any, metadata: Any, waits: float
    ) -> Client:
        client = Client(
            self.worker(worker), ANN, kind, params, metadata, waits, on_event=self.on_event
        )
        self.clients.append(client)
        return client

    def send(self, worker: int, sent: Sent, *, detached: bool, waits: float) -> Client:
        """Send a request, and wait until its outcome is clear."""
        sent.metadata["request_id"] = self.token("request ")
        if detached:
            sent.metadata["detached"] = True
        self.sent.append(sent)
        return self._send(worker, sent, waits)

    def _send(self, worker: int, sent: Sent, waits: float) -> Client:
        client = self.open_client(worker, sent.kind, sent.params, sent.metadata, waits)
        self.wait_for(lambda: bool(client.events) or not client.is_open)
        self.sync()
        if sent.has_begun and not self.thread_id:
            self.thread_id = sent.thread_id
        if client.error is not None and not isinstance(client.error, (NotFoundError, ValueError)):
            self.problems.append(f"{client.kind} was answered with {client.error!r}")
        return client

    def do(self, worker: SimulatedWorker, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        """Run a coroutine on a worker, and return its outcome unless the worker died."""
        task = worker.start(work)
        # Nobody learns what a dead worker did.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.wait_for(lambda: task.done() or worker.is_dead)
        return None if worker.is_dead else task

    def wait_for(
        self, condition: Callable[[], bool], within: float = 60, every: float = 0.001
    ) -> None:
        """Let time pass until a condition is true."""

        async def wait() -> None:
            deadline = self.simulation.loop.now + within
            while not condition():
                assert self.simulation.loop.now < deadline, "It takes too long."
                await asyncio.sleep(every)

        self.simulation.run(wait())

    async def request(self, worker: SimulatedWorker, kind: str, params: dict[str, Any]) -> Any:
        """Return the response to a non-streaming request, or `None` if there is none."""
        body = json.dumps({"type": kind, "params": params, "metadata": {"turn_ends": True}})
        try:
            result: Any = await worker.server.process(body, ANN)
        except NotFoundError:
            return None
        return json.loads(result.json)
