"""The life of turns, against a model of it: whatever happens, in whatever order.

People write, answer, stop, leave, come back and send things twice, on two workers that die, lose
their leases and are started again. Every word has a token of its own, so that the model of a
thread is a list of tokens: what its agent's model must have read, once and in order.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from agent_framework import (
    Agent,
    ChatResponseUpdate,
    Content,
    Message,
    tool,
)
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    InferenceOptions,
    ThreadItem,
    UserMessageItem,
    UserMessageTextContent,
)
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import create_engine, make_url, text

from agent_framework_chatkit import AgentChatKitServer, client_tool
from agent_framework_chatkit.interrupts.pause import Pause
from agent_framework_chatkit.server.event_log import read_row
from agent_framework_chatkit.server.run import current_run
from agent_framework_chatkit.stores import SQLStore, ThreadBusyError
from agent_framework_chatkit.stores.sql.turn_rows import LogRow

from ..fake_models import FakeModel, update
from ..integration.providers.rules import check_strictest
from .chat_client import message
from .event_reader import ITEM, Client, Event
from .simulation import SimulatedWorker, Simulation, simulated

T = TypeVar("T")

ANN = {"user_id": "ann"}

TOKEN = re.compile(r"\b[A-Z]\d+\b")
"""U: a user's message. S: the input of a turn that code has started. A: an item that code has
added. T: text of the agent. C: a call. R: its result."""

_NOTE = re.compile(r"<HIDDEN_CONTEXT>(?!A\d+</).*?</HIDDEN_CONTEXT>", re.DOTALL)
"""What the agent is told of how an answer ended, which may name what it had done."""

Plan = list[list[tuple[str, float]]]
"""What the model does in each of its calls: the steps, and how long they take."""


@dataclass
class Word:
    """A token that the agent's model has to read, or may.

    Attributes:
        token: What it says.
        run: The run in which it was said.
        is_placed: Whether it is known where it stands among the others.
        is_certain: Whether it must be read. It need not be if whoever knew of it may have died.
        is_proven: Whether it is known to be stored.
        settled_at: For an item that code has added: how many tokens there were when no turn was
            running. Turns that begin later read it.
    """

    token: str
    run: str = ""
    is_placed: bool = True
    is_certain: bool = False
    is_proven: bool = False
    settled_at: int | None = None

    def prove(self) -> None:
        self.is_certain = self.is_proven = True


@dataclass
class Exchange:
    """The model of a thread: what was exchanged in it, oldest first.

    Attributes:
        words: What was exchanged.
        lost_runs: Runs whose worker died, or lost its lease.
    """

    words: list[Word] = field(default_factory=list)
    lost_runs: set[str] = field(default_factory=set)

    def find(self, token: str) -> Word | None:
        return next((word for word in self.words if word.token == token), None)

    def add(self, token: str) -> Word:
        word = self.find(token)
        if word is None:
            run = current_run.get()
            word = Word(token, "" if run is None else run.id)
            self.words.append(word)
        return word

    def cut(self, token: str, replacement: str | None) -> None:
        """Forget what came after a word, which may be replaced."""
        index = next(i for i, word in enumerate(self.words) if word.token == token)
        del self.words[index + 1 :]
        self.words[index].token = replacement or token
        self.words[index].prove()

    def lose(self, run: str) -> None:
        """Be sure of nothing that a run has said, but of what is known to be stored."""
        self.lost_runs.add(run)
        for word in self.words:
            if word.run == run and not word.is_proven:
                word.is_certain = False


@dataclass
class Sent:
    """A request that begins a turn, once.

    Attributes:
        kind: Its type.
        params: Its parameters.
        metadata: What else it says.
        token: The message that it sends, if it sends one.
        retried: The message that it has answered anew.
        has_begun: Whether it has begun a turn.
        thread_id: The thread.
    """

    kind: str
    params: dict[str, Any]
    metadata: dict[str, Any]
    token: str | None = None
    retried: str | None = None
    has_begun: bool = False
    thread_id: str = ""


class ThreadModel(FakeModel):
    """A language model that does what it is told to in a thread, and checks what it is given."""

    def __init__(self, machine: TurnsMachine, thread_id: str) -> None:
        super().__init__()
        self._machine = machine
        self._thread_id = thread_id

    async def answer(
        self, messages: list[Message], options: dict[str, Any]
    ) -> AsyncIterator[ChatResponseUpdate]:
        machine = self._machine
        steps = machine.on_asked(self._thread_id, messages)
        exchange = machine.threads[self._thread_id]
        message_id = machine.token("m")
        results: list[str] = []
        try:
            for kind, value in steps:
                if kind == "pause":
                    await asyncio.sleep(value)
                    continue
                if kind == "fail":
                    raise RuntimeError("The model is down.")
                if kind == "say":
                    token = machine.token("T")
                    content = Content.from_text(f"{token} ")
                else:
                    token = machine.token("C")
                    results.append("R" + token[1:])
                    arguments = json.dumps({"token": token, "takes": value})
                    content = Content.from_function_call(token, kind, arguments=arguments)
                word = exchange.add(token)
                yield update(content, message_id)
                # It asks for more, so it has this.
                word.is_certain = word.run not in exchange.lost_runs
        finally:
            for token in results:
                exchange.add(token)


PAUSES = st.sampled_from([0.0, 0.01, 0.05, 0.2])
STEPS = st.one_of(
    st.tuples(st.just("say"), st.just(0.0)),
    st.tuples(st.just("pause"), PAUSES),
    st.tuples(st.sampled_from(["quick", "slow", "broken", "pay", "locate"]), PAUSES),
)
CALLS = st.lists(STEPS, min_size=1, max_size=4) | st.just([("say", 0.0), ("fail", 0.0)])
PLANS = st.lists(CALLS, max_size=2)
WORKERS = st.sampled_from([0, 1])
WHICH = st.integers(0, 7)
WAITS = st.sampled_from([0.0, 0.0, 0.3])
"""Seconds that a client takes to read what is there."""

FIRST, SECOND = "A", "B"


class TurnsMachine(RuleBasedStateMachine):
    """People and workers; subclasses name the database."""

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
        self.complaints: list[str] = []
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
                machine.complaints.append(f"{token} runs, and was not approved.")
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
        """Return a worker, which is started again if it has died."""
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
        """Return the thread's last turn as it is stored."""
        rows = self.select(
            "SELECT t.* FROM chatkit_turns t JOIN chatkit_threads ON t.thread = key WHERE "
            "chatkit_threads.id = :id",
            id=self.thread_id,
        )
        return rows[0] if rows else None

    def is_there(self, thread_id: str) -> bool:
        return bool(self.select("SELECT 1 FROM chatkit_threads WHERE id = :id", id=thread_id))

    def items(self) -> list[dict[str, Any]]:
        """Return the thread's items as they are stored."""
        rows = self.select(
            "SELECT i.data FROM chatkit_items i JOIN chatkit_threads t ON i.thread = t.key "
            "WHERE t.id = :id ORDER BY i.position",
            id=self.thread_id,
        )
        return [json.loads(row.data) for row in rows]

    # What happens

    def sync(self) -> None:
        """Learn which requests have begun a turn."""
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
        """Learn which runs another has taken the thread from."""
        for run in {word.run for word in exchange.words} - exchange.lost_runs - {""}:
            if not self.select(
                "SELECT 1 FROM chatkit_events WHERE run = :run AND data LIKE '%ended_at\":\"%' "
                "UNION SELECT 1 FROM chatkit_turns WHERE run = :run",
                run=run,
            ):
                exchange.lose(run)

    def on_asked(self, thread_id: str, messages: list[Message]) -> list[tuple[str, float]]:
        """Check what the model is given, and return what it does."""
        self.sync()
        if not self.is_there(thread_id):
            return [("say", 0.0)]
        exchange = self.threads[thread_id]
        for complaint in check_strictest(messages):
            self.complaints.append(f"{complaint}: {_short(messages)}")
        read = _tokens(messages)
        inputs = [token for token in read if token[0] in "US"]
        if not inputs:
            self.complaints.append(f"There is no input: {_short(messages)}")
            return [("say", 0.0)]
        run = current_run.get()
        assert run is not None
        if self.select("SELECT 1 FROM chatkit_turns WHERE run = :run", run=run.id):
            self._check_read(exchange, read, inputs[-1], _short(messages))
        plan = self.plans.get(inputs[-1], [])
        return plan.pop(0) if plan else [("say", 0.0)]

    def _check_read(self, exchange: Exchange, read: list[str], newest: str, given: str) -> None:
        for token, count in Counter(read).items():
            if count > 1:
                self.complaints.append(f"{token} is read {count} times: {given}")
        known = [word.token for word in exchange.words]
        unknown = [token for token in read if token not in known]
        if unknown:
            self.complaints.append(f"{unknown} should not be read: {given}, only {known}")
        self._place(exchange, read)
        # What code adds during a turn is read with the next.
        known = [word.token for word in exchange.words]
        in_order = [token for token in known if token in read and token[0] != "A"]
        if in_order != [token for token in read if token in known and token[0] != "A"]:
            self.complaints.append(f"Wrong order: {given}, not {known}")
        missing = [
            word.token
            for word in exchange.words
            if word.is_certain and word.token not in read and not _is_later(word, newest)
        ]
        if missing:
            self.complaints.append(f"{missing} are missing: {given}")
        # What it has read is stored, and what it has not read now, it never will.
        kept = [word for word in exchange.words if word.token in read or _is_later(word, newest)]
        exchange.words = kept
        for word in kept:
            if word.token in read:
                word.prove()

    def _place(self, exchange: Exchange, read: list[str]) -> None:
        """Learn where the input of turns stands that code has started."""
        for word in [word for word in exchange.words if not word.is_placed]:
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
            self.complaints.append(f"{token} runs on a worker that has died.")
        self.ran[token] += 1
        if self.ran[token] > 1:
            self.complaints.append(f"{token} has run {self.ran[token]} times.")
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
            self.complaints.append(f"{token} runs before its call is stored.")

    def on_event(self, client: Client, told: Event, data: str) -> None:
        event_id, event = told
        kind = event["type"]
        if event.get("code") == "stream.error" and self.is_there(client.thread_id):
            self.complaints.append(f"{client.kind} was sent {data}")
        if event_id is not None and kind != "thread.state":
            data = data.replace(',"can_follow":true}', "}")
            known = self.data_of.setdefault(event_id, data)
            if known != data:
                self.complaints.append(f"{event_id} is both {known} and {data}")
        if kind in ("thread.item.done", "thread.item.replaced"):
            item_id = event["item"]["id"]
            if not self.select("SELECT 1 FROM chatkit_items WHERE id = :id", id=item_id):
                self.unstored[item_id] = data

    # What people do

    def open_client(
        self, worker: int, kind: str, params: Any, metadata: Any, waits: float
    ) -> Client:
        client = Client(
            self.worker(worker), ANN, kind, params, metadata, waits, on_event=self.on_event
        )
        self.clients.append(client)
        return client

    def send(self, worker: int, sent: Sent, *, detached: bool, waits: float) -> Client:
        """Send a request, and wait until it is clear what comes of it."""
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
            self.complaints.append(f"{client.kind} was answered with {client.error!r}")
        return client

    def do(self, worker: SimulatedWorker, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        """Have a worker do something; return its outcome, unless the worker has died."""
        task = worker.start(work)
        # Nobody hears of what a dead worker has done.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.wait_for(lambda: task.done() or worker.is_dead)
        return None if worker.is_dead else task

    def wait_for(
        self, condition: Callable[[], bool], within: float = 60, every: float = 0.001
    ) -> None:
        """Let time pass until something is so."""

        async def wait() -> None:
            deadline = self.simulation.loop.now + within
            while not condition():
                assert self.simulation.loop.now < deadline, "It takes too long."
                await asyncio.sleep(every)

        self.simulation.run(wait())

    async def request(self, worker: SimulatedWorker, kind: str, params: dict[str, Any]) -> Any:
        """Return the answer to a request that is answered at once; nothing if there is none."""
        body = json.dumps({"type": kind, "params": params, "metadata": {"turn_ends": True}})
        try:
            result: Any = await worker.server.process(body, ANN)
        except NotFoundError:
            return None
        return json.loads(result.json)

    @rule(worker=WORKERS, detached=st.booleans(), plan=PLANS, waits=WAITS)
    def ask(self, worker: int, detached: bool, plan: Plan, waits: float) -> None:
        token = self.token("U")
        self.plans[token] = plan
        params: dict[str, Any] = {"input": message(token)}
        kind = "threads.create"
        if self.thread_id:
            kind = "threads.add_user_message"
            params["thread_id"] = self.thread_id
        sent = Sent(kind, params, {}, token)
        self.send(worker, sent, detached=detached, waits=waits)

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, which=WHICH, edits=st.booleans(), detached=st.booleans(), plan=PLANS)
    def retry(self, worker: int, which: int, edits: bool, detached: bool, plan: Plan) -> None:
        """Have a message answered anew, which may be edited."""
        items = self.items()
        messages = [
            (item["id"], _found(item)[0])
            for item in items
            if item["type"] == "user_message" and _found(item)[0][0] == "U"
        ]
        item_id, token = messages[-1 - which % len(messages)]
        params = {"thread_id": self.thread_id, "item_id": item_id}
        sent = Sent("threads.retry_after_item", params, {}, None, retried=token)
        if edits:
            sent.token = token = self.token("U")
            sent.metadata["input"] = message(token)
        self.plans[token] = plan
        self.send(worker, sent, detached=detached, waits=0)

    @precondition(lambda self: self.sent)
    @rule(worker=WORKERS, which=WHICH, waits=WAITS)
    def repeat(self, worker: int, which: int, waits: float) -> None:
        """Send a request again, which has begun a turn or was lost."""
        known = [sent for sent in self.sent if sent.thread_id in ("", self.thread_id)]
        if not known:
            return
        sent = known[-1 - which % len(known)]
        has_begun = sent.has_begun
        client = self._send(worker, sent, waits)
        client.is_repeat = has_begun

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, which=WHICH, approves=st.booleans(), detached=st.booleans(), plan=PLANS)
    def decide(self, worker: int, which: int, approves: bool, detached: bool, plan: Plan) -> None:
        """Approve or decline a call."""
        cards = [item for item in self.items() if _is_open_card(item)]
        if not cards:
            return
        card = cards[-1 - which % len(cards)]
        (token,) = {each for each in TOKEN.findall(json.dumps(card["widget"])) if each[0] == "C"}
        if approves:
            self.approved.add(token)
        action = card["widget"]["confirm" if approves else "cancel"]["action"]
        params = {"thread_id": self.thread_id, "item_id": card["id"], "action": action}
        sent = Sent("threads.custom_action", params, {})
        self.send(worker, sent, detached=detached, waits=0)

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, detached=st.booleans())
    def return_output(self, worker: int, detached: bool) -> None:
        """Give the agent what a client tool has returned."""
        calls = [item for item in self.items() if _is_open_call(item)]
        if not calls:
            return
        result = {"result": "R" + calls[-1]["call_id"][1:]}
        params = {"thread_id": self.thread_id, "result": result}
        sent = Sent("threads.add_client_tool_output", params, {"call_id": calls[-1]["call_id"]})
        self.send(worker, sent, detached=detached, waits=0)

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, waits=WAITS)
    def follow(self, worker: int, waits: float) -> None:
        params = {"thread_id": self.thread_id, "limit": 100}
        self.open_client(worker, "threads.follow", params, {}, waits)

    @precondition(lambda self: self.data_of)
    @rule(worker=WORKERS, which=WHICH, back=st.integers(0, 12))
    def resume(self, worker: int, which: int, back: int) -> None:
        """Follow from where a client was, with what it has shown until then."""
        known = [
            client
            for client in self.clients
            if client.thread_id == self.thread_id
            and client.ids
            and (client.is_following or client.is_detached)
        ]
        if not known:
            return
        client = known[-1 - which % len(known)]
        at = [i for i, (event_id, _) in enumerate(client.events) if event_id is not None]
        index = at[-1 - back % len(at)]
        after = client.events[index][0]
        params = {"thread_id": self.thread_id, "limit": 100, "after": after}
        self.open_client(worker, "threads.follow", params, {}, 0).go_on(client, index)

    @precondition(lambda self: any(client.is_open for client in self.clients))
    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        clients = [client for client in self.clients if client.is_open]
        clients[-1 - which % len(clients)].leave()

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS)
    def stop(self, worker: int) -> None:
        stopping = self.request(self.worker(worker), "threads.stop", {"thread_id": self.thread_id})
        self.worker(worker).start(stopping)

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS)
    def rename(self, worker: int) -> None:
        params = {"thread_id": self.thread_id, "title": self.token("title ")}
        self.worker(worker).start(self.request(self.worker(worker), "threads.update", params))

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS)
    def delete(self, worker: int) -> None:
        deleting = self.request(
            self.worker(worker), "threads.delete", {"thread_id": self.thread_id}
        )
        self.do(self.worker(worker), deleting)
        if self.is_there(self.thread_id):
            return
        self.simulation.wait(2)
        for client in self.clients:
            if client.thread_id == self.thread_id and not client.has_left:
                assert not client.is_open, f"{client.kind} goes on in a deleted thread."
        self.thread_id = ""

    # What code does

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, kind=st.sampled_from(["user", "hidden", "assistant"]))
    def add_item(self, worker: int, kind: str) -> None:
        token = self.token("A")
        item = _item(kind, token, self.thread_id)
        adding = self.worker(worker)
        # Before it is stored, since a turn that begins at once may read it.
        self.threads[self.thread_id].add(token)
        task = self.do(adding, adding.server.add_items(self.thread_id, [item], ANN))
        if task is not None:
            task.result()
        self.sync()

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, plan=PLANS)
    def start_turn(self, worker: int, plan: Plan) -> None:
        token = self.token("S")
        self.plans[token] = plan
        exchange = self.threads[self.thread_id]
        starting = self.worker(worker)
        word = exchange.add(token)
        word.is_placed = False
        task = self.do(starting, starting.server.start_turn(self.thread_id, token, ANN))
        if task is None:
            return
        if isinstance(task.exception(), ThreadBusyError):
            exchange.words.remove(word)
        elif isinstance(task.exception(), RuntimeError):
            # It was stopped before anybody knew whether the agent would be told.
            assert str(task.exception()).endswith("Start it again.")
        else:
            task.result()
            word.prove()

    # What happens to workers

    @rule(worker=WORKERS, steps=st.integers(1, 400), is_found=st.booleans())
    def kill(self, worker: int, steps: int, is_found: bool) -> None:
        """Have a worker die soon, wherever it is then; it may be found dead at once."""
        dying = self.worker(worker)

        def die() -> None:
            if not dying.is_dead:
                dying.die()
                if is_found:
                    dying.bury()
                    self._find_dead()

        self.simulation.loop.in_steps(steps, die)

    @rule(worker=WORKERS)
    def lose_leases(self, worker: int) -> None:
        """Have the other worker take a worker for dead that goes on."""
        losing = self.worker(worker)
        losing.database.is_paused = True
        losing.bury()
        self._find_dead()

    def _find_dead(self) -> None:
        for worker in self.workers:
            worker.store.leases.found_dead.set()

    @rule(worker=WORKERS)
    def restart(self, worker: int) -> None:
        """Stop a worker, as for an upgrade."""
        stopping = self.worker(worker)
        self.do(stopping, stopping.server.close(0.5))
        stopping.die()

    @rule(seconds=st.sampled_from([0.005, 0.03, 0.1, 0.3, 1.0]))
    def wait(self, seconds: float) -> None:
        self.simulation.wait(seconds)

    # Comparing

    @precondition(lambda self: self.thread_id)
    @rule()
    def settle(self) -> None:
        """Wait until nothing happens any more, and compare."""
        self.simulation.loop.forget_hooks()
        for index in (0, 1):
            self.worker(index).database.is_paused = False
            # Who is asked nothing looks for no one who has died.
            self.simulation.run(self.request(self.worker(index), "threads.list", {}))
        self.wait_for(lambda: not self.is_running(), every=0.05)
        self.simulation.wait(2)
        self.compare()

    def is_running(self) -> bool:
        row = self.turn_row()
        return (row is not None and row.worker is not None) or any(
            client.is_open and not client.is_following for client in self.clients
        )

    def load(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the thread as a page loads it."""

        async def load() -> tuple[dict[str, Any], list[dict[str, Any]]]:
            worker = self.worker(0)
            params: dict[str, Any] = {"thread_id": self.thread_id}
            thread = await self.request(worker, "threads.get_by_id", params)
            items: list[dict[str, Any]] = []
            params |= {"order": "asc", "limit": 100}
            while True:
                page = await self.request(worker, "items.list", params)
                items += page["data"]
                if not page["has_more"]:
                    return thread, items
                params["after"] = page["after"]

        return self.simulation.run(load())

    def compare(self) -> None:
        """Compare every client with a fresh load, and the events with the log."""
        self.nothing_is_wrong()
        self.sync()
        thread, items = self.load()
        fresh = {item["id"]: item for item in items}
        for item_id, told in self.unstored.items():
            assert item_id not in fresh, f"It was stored after it was told: {told}"
        for client in self.clients:
            if client.thread_id == self.thread_id and client.is_following and client.is_open:
                self.compare_view(client, thread, fresh)
        self.compare_log()
        self.compare_words(items)
        asking = {item["id"] for item in items if _is_open_card(item) or _is_open_call(item)}
        assert asking == self.answerable(), f"{asking} ask for an answer, of {items}"
        assert asking or thread["turn"]["state"] != "waiting"

    def answerable(self) -> set[str]:
        """Return the items by which the agent asks what a person or the page may still answer."""
        sessions = self.worker(0).store.sessions(self.thread_id, ANN)
        stored = self.simulation.run(sessions.latest())
        pause = None if stored is None else Pause.of(stored.session)
        if pause is None or pause.is_resumed:
            return set()
        return {each.item_id for each in pause.interrupts if each.is_open and each.item_id}

    def compare_view(self, client: Client, thread: dict[str, Any], fresh: dict[str, Any]) -> None:
        who, view = f"A follower at {client.worker}", client.view
        assert client.error is None, f"{who}: {client.error!r}"
        if not client.is_whole and not view.has_state:
            return
        difference = _difference(view.items, fresh)
        assert not difference, f"{who}: {difference}\nafter {client.told()}"
        shown, stored = _ordered(view.items), _ordered(fresh)
        assert shown == stored, f"{who} is shown {shown}, not {stored}, after {client.told()}"
        title, turn = view.thread.get("title"), view.turn or {}
        assert title == thread.get("title"), (
            f"{who} shows {title}, not {thread.get('title')}, after {client.told()}"
        )
        for name in ("id", "state"):
            assert turn.get(name) == thread["turn"][name], (
                f"{who} has {turn}, not {thread['turn']}, after {client.told()}"
            )

    def compare_words(self, items: Sequence[dict[str, Any]]) -> None:
        """Check that what is shown is what was said."""
        exchange = self.threads[self.thread_id]
        shown = [token for item in items for token in _found(item)]
        for token, count in Counter(shown).items():
            assert count == 1, f"{token} is shown {count} times."
            word = exchange.find(token)
            assert word is not None, f"{token} is shown, and was not said."
            word.prove()
        for word in [word for word in exchange.words if word.token[0] in "UT"]:
            if word.token not in shown:
                assert not word.is_certain, f"{word.token} was said, and is not shown."
                # Nor may it be read.
                exchange.words.remove(word)
        for word in exchange.words:
            if word.token[0] == "A" and word.settled_at is None:
                word.settled_at = self.count

    def compare_log(self) -> None:
        """Check that clients have seen what the log has, all of it and once."""
        logged: dict[str, dict[int, bool]] = {}
        of_turns: set[str] = set()
        for row in self.select(
            "SELECT run, first, last, data FROM chatkit_events ORDER BY thread, position"
        ):
            for entry in read_row(LogRow(row.first, row.last, row.data, None, row.run)):
                is_told = not (entry.is_internal or entry.is_passing)
                logged.setdefault(entry.run, {})[entry.number] = is_told
                if b'"turn.updated"' in entry.data:
                    of_turns.add(entry.run)
        for client in self.clients:
            seen: dict[str, list[int]] = {}
            for event_id, event in [*client.past, *client.events]:
                if event["type"] == "thread.state":
                    seen = {}
                elif event_id is not None:
                    run, _, number = event_id.rpartition(".")
                    seen.setdefault(run, []).append(int(number))
            for run, numbers in seen.items():
                who = f"{client.kind} at {client.worker}"
                if run not in of_turns:
                    # Who resumes may be told again of what happened outside turns: it stands
                    # elsewhere among a turn's events on each worker.
                    numbers = sorted(set(numbers))
                assert numbers == sorted(set(numbers)), f"{who} was sent {numbers} of {run}"
                told = {
                    number
                    for number, is_told in logged.get(run, {}).items()
                    if is_told and numbers[0] <= number <= numbers[-1]
                }
                missing = told - set(numbers)
                assert not missing, f"{who} misses {missing} of {run}"
            if client.is_repeat and client.is_detached and client.ids:
                assert client.ids[0].endswith(".1"), f"{client.kind} was not sent the first events"

    @invariant()
    def nothing_is_wrong(self) -> None:
        if not hasattr(self, "simulation"):
            return
        assert not self.complaints, "\n".join(self.complaints)
        assert not self.simulation.loop.unhandled, self.simulation.loop.unhandled

    def teardown(self) -> None:
        if not hasattr(self, "simulation"):
            return
        try:
            if self.thread_id:
                self.settle()
                self.ask(0, True, [], 0)
                self.settle()
                self.nothing_is_wrong()
        finally:
            for worker in self.workers:
                worker.die()
            self.simulation.close()
            self._simulated.__exit__(None, None, None)
            self.engine.dispose()


def _is_later(word: Word, newest: str) -> bool:
    """Return whether a turn may have begun before it could read what code has given."""
    if word.token[0] == "S":
        return not word.is_certain and int(word.token[1:]) > int(newest[1:])
    if word.token[0] == "A":
        return word.settled_at is None or word.settled_at > int(newest[1:])
    # A turn that goes on after an answer is told of a message that came meanwhile, and whose turn
    # was cut short, no sooner than with the next.
    return word.token[0] == "U" and int(word.token[1:]) > int(newest[1:])


def _item(kind: str, token: str, thread_id: str) -> ThreadItem:
    """Return an item that code adds."""
    fields: Any = {"id": f"item_{token}", "thread_id": thread_id, "created_at": datetime.now()}
    if kind == "user":
        return UserMessageItem(
            **fields,
            content=[UserMessageTextContent(text=token)],
            attachments=[],
            inference_options=InferenceOptions(),
        )
    if kind == "hidden":
        return HiddenContextItem(**fields, content=token)
    return AssistantMessageItem(**fields, content=[AssistantMessageContent(text=token)])


def _is_open_card(item: dict[str, Any]) -> bool:
    return bool(item["type"] == "widget" and "confirm" in item["widget"])


def _is_open_call(item: dict[str, Any]) -> bool:
    return bool(item["type"] == "client_tool_call" and item["status"] == "pending")


def _tokens(messages: list[Message]) -> list[str]:
    """Return what messages say, token by token."""
    found: list[str] = []
    for each in messages:
        for content in each.contents:
            if content.type == "text":
                found += TOKEN.findall(_NOTE.sub("", content.text or ""))
            elif content.type == "function_call":
                found.append(str(content.call_id))
            elif content.type == "function_result":
                found += TOKEN.findall(str(content.result))
    return found


def _short(messages: list[Message]) -> str:
    return " | ".join(
        f"{each.role}: "
        + ", ".join(
            str(content.text or content.result or content.call_id) for content in each.contents
        )
        for each in messages
    )


def _found(item: dict[str, Any]) -> list[str]:
    """Return what a message says, token by token."""
    if item["type"] not in ("user_message", "assistant_message"):
        return []
    return [token for part in item["content"] for token in TOKEN.findall(part["text"])]


def _ordered(items: dict[str, Any]) -> list[str]:
    """Return the ids of items in order.

    What code adds while an answer is written is told when it comes. It may stand before the
    answer's part that was being written.
    """
    return [item_id for item_id in items if not item_id.startswith("item_A")]


def _comparable(item: dict[str, Any] | None) -> Any:
    if item is None or item["type"] == "end_of_turn":
        return item
    return json.loads(ITEM.validate_python(item).model_dump_json(exclude_none=True))


def _difference(shown: dict[str, Any], stored: dict[str, Any]) -> str:
    return "\n".join(
        f"shown: {json.dumps(shown.get(each))}\nstored: {json.dumps(stored.get(each))}"
        for each in {**shown, **stored}
        if _comparable(shown.get(each)) != _comparable(stored.get(each))
    )


# The same examples each time: a rare one that is found by chance would fail a change that has
# nothing to do with it.
SETTINGS = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    # To make a failing example smaller takes longer than a test may.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
