"""The life of turns, against a model of it: whatever happens, in whatever order.

People write, stop, leave, come back and send things twice, on two workers that die, lose their
leases and are started again. Every word has a token of its own, so that the model of a thread is
a list of tokens: what its agent's model must have read, once and in order.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
    tool,
)
from chatkit.types import (
    ThreadItem,
    ThreadItemUpdate,
)
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import TypeAdapter
from sqlalchemy import text

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.bridge.item_updates import apply_update
from agent_framework_chatkit.server.event_log import read_row
from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.turn_rows import LogRow

from ..integration.providers.rules import check_strictest
from .chat_client import message
from .simulation import SimulatedWorker, Simulation, simulated

ANN = {"user_id": "ann"}

TOKEN = re.compile(r"\b[A-Z]\d+\b")
"""U: a user's message. S: the input of a turn that code has started. A: an item that code has
added. T: text of the agent. C: a call. R: its result."""

ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
UPDATE: TypeAdapter[ThreadItemUpdate] = TypeAdapter(ThreadItemUpdate)


@dataclass
class Word:
    """A token that the agent's model has to read, or may.

    Attributes:
        token: What it says.
        is_certain: Whether it must be read. If it need not be, whoever knew of it may have died.
        is_fleeting: Whether it may be missing for good: nobody was told of it.
    """

    token: str
    is_certain: bool = False


@dataclass
class Exchange:
    """The model of a thread: what was exchanged in it, oldest first."""

    words: list[Word] = field(default_factory=list)

    def find(self, token: str) -> Word | None:
        return next((word for word in self.words if word.token == token), None)

    def add(self, token: str, *, is_certain: bool = False) -> Word:
        word = self.find(token)
        if word is None:
            word = Word(token)
            self.words.append(word)
        word.is_certain = word.is_certain or is_certain
        return word

    def cut(self, token: str) -> None:
        """Forget what came after a word."""
        index = next(i for i, word in enumerate(self.words) if word.token == token)
        del self.words[index + 1 :]


class View:
    """What a client shows, made of the events that it has read."""

    def __init__(self) -> None:
        self.thread: dict[str, Any] = {}
        self.items: dict[str, Any] = {}
        self.turn: dict[str, Any] | None = None
        self.is_deleted = False
        self.has_state = False

    def apply(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "thread.state":
            self.has_state = True
            self.thread = event["thread"]
            self.turn = event["turn"]
            self.items = {item["id"]: item for item in event["items"]["data"][::-1]}
            for item in event["open_items"]:
                self.items[item["id"]] = item
        elif kind in ("thread.created", "thread.updated"):
            self.thread = event["thread"]
        elif kind in ("thread.item.added", "thread.item.done", "thread.item.replaced"):
            self.items[event["item"]["id"]] = event["item"]
        elif kind == "thread.item.removed":
            self.items.pop(event["item_id"], None)
        elif kind == "thread.item.updated":
            found = self.items.get(event["item_id"])
            if found is not None:
                item = ITEM.validate_python(found)
                apply_update(item, UPDATE.validate_python(event["update"]))
                self.items[item.id] = json.loads(item.model_dump_json(exclude_none=True))
        elif kind == "turn.updated":
            self.turn = event["turn"]
        elif kind == "thread.deleted":
            self.is_deleted = True


class Client:
    """A connection that reads events.

    Args:
        machine: Whose client it is.
        worker: The worker that it is connected to.
        kind: The request.
        params: Its parameters.
        metadata: What else it says.
        waits: Seconds that it takes to read what is there.
    """

    def __init__(
        self,
        machine: TurnsMachine,
        worker: SimulatedWorker,
        kind: str,
        params: dict[str, Any],
        metadata: dict[str, Any],
        waits: float = 0,
    ) -> None:
        self.machine = machine
        self.worker = worker
        self.kind = kind
        self.params = params
        self.metadata = metadata
        self.waits = waits
        self.view = View()
        self.past: list[tuple[str | None, dict[str, Any]]] = []
        """What was read over the connections before this one."""
        self.events: list[tuple[str | None, dict[str, Any]]] = []
        self.is_whole = kind == "threads.create"
        """Whether it has read all that has happened, if it was not told how the thread stands."""
        self.error: BaseException | None = None
        self.has_left = False
        self.is_done = False
        self.thread_id: str = params.get("thread_id", "")
        self._task = worker.start(self._read())

    @property
    def is_following(self) -> bool:
        return self.kind == "threads.follow"

    @property
    def is_detached(self) -> bool:
        return bool(self.metadata.get("detached"))

    @property
    def is_open(self) -> bool:
        return not (self.is_done or self.has_left or self.worker.is_dead)

    @property
    def ids(self) -> list[str]:
        return [event_id for event_id, _ in self.events if event_id is not None]

    def types(self) -> list[str]:
        return [event["type"] for _, event in self.events]

    def told(self) -> str:
        return "\n".join(
            f"{event_id}: {json.dumps(event)[:400]}"
            for event_id, event in [*self.past, *self.events]
        )

    def leave(self) -> None:
        """Close the connection."""
        self.has_left = True
        self._task.cancel()

    async def _read(self) -> None:
        body = {"type": self.kind, "params": self.params, "metadata": self.metadata}
        try:
            result: Any = await self.worker.server.process(json.dumps(body), ANN)
            try:
                async for frames in result.batches:
                    for frame in b"".join(frames).split(b"\n\n"):
                        self._take(frame)
                    if self.waits:
                        await asyncio.sleep(self.waits)
            finally:
                await result.batches.aclose()
        except Exception as error:
            self.error = error
        finally:
            self.is_done = True

    def _take(self, frame: bytes) -> None:
        if self.worker.is_dead or self.has_left or not frame.strip() or frame == b":":
            return
        lines = frame.decode().split("\n")
        event_id = next((each[4:] for each in lines if each.startswith("id: ")), None)
        data = next((each[6:] for each in lines if each.startswith("data: ")), None)
        if data is None:
            return
        event = json.loads(data)
        self.events.append((event_id, event))
        self.view.apply(event)
        if event["type"] == "thread.created":
            self.thread_id = event["thread"]["id"]
        self.machine.on_event(self, event_id, data, event)


class ThreadModel(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """A language model that does what it is told to in a thread, and checks what it is given."""

    def __init__(self, machine: TurnsMachine, thread_id: str) -> None:
        super().__init__()
        self._machine = machine
        self._thread_id = thread_id

    def _inner_get_response(
        self, *, messages: Any, stream: bool, options: Any, **kwargs: Any
    ) -> Any:
        return ResponseStream(
            self._updates(list(messages)),
            finalizer=lambda updates: ChatResponse.from_updates(updates),
        )

    async def _updates(self, messages: list[Message]) -> AsyncIterator[ChatResponseUpdate]:
        machine = self._machine
        steps = machine.on_asked(self._thread_id, messages)
        message_id = machine.token("m")
        exchange = machine.threads[self._thread_id]
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
                    content = Content.from_function_call(
                        token, kind, arguments=json.dumps({"token": token, "takes": value})
                    )
                word = exchange.add(token)
                yield ChatResponseUpdate(
                    contents=[content], role="assistant", message_id=message_id
                )
                # It asks for more, so it has this.
                word.is_certain = True
        finally:
            for token in results:
                exchange.add(token)


PAUSES = st.sampled_from([0.0, 0.01, 0.05, 0.2])
SAY = st.tuples(st.just("say"), st.just(0.0))
STEPS = st.one_of(
    SAY,
    st.tuples(st.just("pause"), PAUSES),
    st.tuples(st.sampled_from(["quick", "slow", "broken"]), PAUSES),
)
PLANS = st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=0, max_size=2)
FAILS = st.sampled_from([False, False, False, True])
WORKERS = st.sampled_from([0, 1])
WHICH = st.integers(0, 7)


class TurnsMachine(RuleBasedStateMachine):
    """People and workers; subclasses name the database."""

    is_sqlite = True

    def new_url(self) -> str:
        raise NotImplementedError

    # The world

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self._simulated = simulated(is_sqlite=self.is_sqlite)
        self.simulation: Simulation = self._simulated.__enter__()
        self.url = self.new_url()
        self.numbers: Counter[str] = Counter()
        self.threads: dict[str, Exchange] = {}
        self.plans: dict[str, list[list[tuple[str, float]]]] = {}
        self.ran: Counter[str] = Counter()
        self.clients: list[Client] = []
        self.data_of: dict[str, str] = {}
        self.complaints: list[str] = []
        self.unstored: dict[str, str] = {}
        self.thread_id = ""
        self.workers = [self._start_worker("A"), self._start_worker("B")]

    def _start_worker(self, name: str) -> SimulatedWorker:
        return SimulatedWorker(self.simulation, name, self._build, self.url, self.chance)

    def _build(self, store: SQLStore[Any], worker: SimulatedWorker) -> AgentChatKitServer[Any]:
        machine = self

        async def run(token: str, takes: float) -> str:
            machine.on_tool(token)
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

        def agent(thread: Any, context: Any) -> Any:
            return Agent(client=ThreadModel(machine, thread.id), tools=[quick, slow, broken])

        return AgentChatKitServer(agent, store)

    def token(self, kind: str) -> str:
        self.numbers["all"] += 1
        return f"{kind}{self.numbers['all']}"

    # What happens

    def on_asked(self, thread_id: str, messages: list[Message]) -> list[tuple[str, float]]:
        """Check what the model is given, and return what it does."""
        exchange = self.threads.setdefault(thread_id, Exchange())
        for complaint in check_strictest(messages):
            self.complaints.append(f"{complaint}: {_short(messages)}")
        read = _tokens(messages)
        for token, count in Counter(read).items():
            if count > 1:
                self.complaints.append(f"{token} is read {count} times: {_short(messages)}")
        inputs = [token for token in read if token[0] in "US"]
        if inputs and inputs[-1][0] in "US":
            exchange.add(inputs[-1])
        known = [word.token for word in exchange.words]
        unknown = [token for token in read if token not in known]
        if unknown:
            self.complaints.append(f"{unknown} should not be read: {_short(messages)}")
        if [token for token in known if token in read] != [t for t in read if t in known]:
            self.complaints.append(f"Wrong order: {_short(messages)}, not {known}")
        missing = [w.token for w in exchange.words if w.is_certain and w.token not in read]
        if missing:
            self.complaints.append(f"{missing} are missing: {_short(messages)}")
        # What the model has read is stored.
        for token in read:
            exchange.add(token, is_certain=True)
        # What it has not read now, it never will.
        exchange.words = [word for word in exchange.words if word.token in read]
        plan = self.plans.get(inputs[-1], []) if inputs else []
        return plan.pop(0) if plan else [("say", 0.0)]

    def on_tool(self, token: str) -> None:
        self.ran[token] += 1
        if self.ran[token] > 1:
            self.complaints.append(f"{token} has run {self.ran[token]} times.")
        if not self.select("SELECT 1 FROM chatkit_events WHERE updates LIKE :like", f'%"{token}"%'):
            self.complaints.append(f"{token} runs before its call is stored.")

    def on_event(
        self, client: Client, event_id: str | None, data: str, event: dict[str, Any]
    ) -> None:
        kind = event["type"]
        if kind == "error" and event.get("code") == "stream.error" and not event.get("message"):
            self.complaints.append(f"{client.kind} was sent {data}")
        if event_id is not None and kind != "thread.state":
            data = data.replace(',"can_follow":true}', "}")
            known = self.data_of.setdefault(event_id, data)
            if known != data:
                self.complaints.append(f"{event_id} is both {known} and {data}")
        if kind in ("thread.item.done", "thread.item.replaced"):
            item_id = event["item"]["id"]
            if not self.select("SELECT 1 FROM chatkit_items WHERE id = :like", item_id):
                self.unstored[item_id] = data

    def select(self, statement: str, like: str) -> list[Any]:
        worker = next(worker for worker in self.workers if not worker.is_dead)
        with worker.database._engine.connect() as connection:
            return list(connection.execute(text(statement), {"like": like}))

    # Rules

    def worker(self, index: int) -> SimulatedWorker:
        return self.workers[index]

    def open_client(
        self, worker: int, kind: str, params: Any, metadata: Any, waits: float
    ) -> Client:
        client = Client(self, self.workers[worker], kind, params, metadata, waits)
        self.clients.append(client)
        return client

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

    @rule(
        worker=WORKERS,
        detached=st.booleans(),
        plan=PLANS,
        fails=FAILS,
        waits=st.sampled_from([0.0, 0.0, 0.3]),
    )
    def ask(
        self,
        worker: int,
        detached: bool,
        plan: list[list[tuple[str, float]]],
        fails: bool,
        waits: float,
    ) -> None:
        token = self.token("U")
        if fails:
            plan = [*plan, [("say", 0.0), ("fail", 0.0)]]
        self.plans[token] = plan
        metadata: dict[str, Any] = {"request_id": f"request {token}"}
        if detached:
            metadata |= {"detached": True}
        if self.thread_id:
            client = self.open_client(
                worker,
                "threads.add_user_message",
                {"thread_id": self.thread_id, "input": message(token)},
                metadata,
                waits,
            )
        else:
            client = self.open_client(
                worker, "threads.create", {"input": message(token)}, metadata, waits
            )
        self.wait_for(lambda: bool(client.events) or client.is_done)
        if client.types()[:1] == ["notice"]:
            return
        assert client.events, client.error
        if not self.thread_id:
            self.thread_id = client.thread_id
        self.threads.setdefault(self.thread_id, Exchange()).add(token, is_certain=True)

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, waits=st.sampled_from([0.0, 0.0, 0.3]))
    def follow(self, worker: int, waits: float) -> None:
        self.open_client(
            worker, "threads.follow", {"thread_id": self.thread_id, "limit": 100}, {}, waits
        )

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
        resumed = self.open_client(
            worker,
            "threads.follow",
            {"thread_id": self.thread_id, "limit": 100, "after": after},
            {},
            0,
        )
        # It shows what the other had shown.
        resumed.is_whole = client.is_whole
        resumed.past = [*client.past, *client.events[: index + 1]]
        for _, event in resumed.past:
            resumed.view.apply(event)

    @precondition(lambda self: any(client.is_open for client in self.clients))
    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        clients = [client for client in self.clients if client.is_open]
        clients[-1 - which % len(clients)].leave()

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS)
    def stop(self, worker: int) -> None:
        self.workers[worker].start(
            self.request(worker, "threads.stop", {"thread_id": self.thread_id})
        )

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS)
    def rename(self, worker: int) -> None:
        title = self.token("title ")
        self.workers[worker].start(
            self.request(worker, "threads.update", {"thread_id": self.thread_id, "title": title})
        )

    async def request(self, worker: int, kind: str, params: dict[str, Any]) -> Any:
        body = json.dumps({"type": kind, "params": params, "metadata": {"turn_ends": True}})
        result: Any = await self.workers[worker].server.process(body, ANN)
        return json.loads(result.json)

    @rule(seconds=st.sampled_from([0.005, 0.03, 0.1, 0.3, 1.0]))
    def wait(self, seconds: float) -> None:
        self.simulation.wait(seconds)

    @precondition(lambda self: self.thread_id)
    @rule()
    def settle(self) -> None:
        """Wait until nothing happens any more, and compare."""
        self.wait_for(lambda: not self.is_running(), every=0.05)
        self.simulation.wait(2)
        self.compare()

    def is_running(self) -> bool:
        rows = self.select("SELECT 1 FROM chatkit_turns WHERE worker IS NOT NULL", "")
        return bool(rows) or any(
            client.is_open and not client.is_following for client in self.clients
        )

    async def load(self, worker: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return a thread as a page loads it."""
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

    def compare(self) -> None:
        """Compare every client with a fresh load, and the events with the log."""
        index = next(i for i, worker in enumerate(self.workers) if not worker.is_dead)
        thread, items = self.simulation.run(self.load(index))
        fresh = {item["id"]: item for item in items}
        for item_id, told in self.unstored.items():
            assert item_id not in fresh, f"It was stored after it was told: {told}"
        for client in self.clients:
            if (
                client.is_following
                and client.is_open
                and (client.is_whole or client.view.has_state)
            ):
                who = f"a follower at {client.worker}"
                assert client.error is None, f"{who}: {client.error!r}"
                view = client.view
                assert _comparable(view.items) == _comparable(fresh), (
                    f"{who}: {_difference(view.items, fresh)}\nafter {client.told()}"
                )
                assert list(view.items) == list(fresh), f"{who} shows another order"
                title = view.thread.get("title")
                assert title == thread.get("title"), (
                    f"{who} shows {title}, not {thread.get('title')}, after {client.told()}"
                )
                turn = view.turn or {}
                assert turn.get("id") == thread["turn"]["id"], who
                assert turn.get("state") == thread["turn"]["state"], who
        self.compare_log()
        exchange = self.threads[self.thread_id]
        shown = [t for item in items if item["type"] == "assistant_message" for t in _found(item)]
        for token in shown:
            word = exchange.find(token)
            assert word is not None, f"{token} is shown, and was not said"
            word.is_certain = True
        for word in exchange.words:
            if word.token[0] == "T" and word.is_certain:
                assert word.token in shown, (
                    f"{word.token} was said, and is not shown: {_listed(fresh)}"
                )

    def compare_log(self) -> None:
        """Check that clients have seen what the log has, all of it and once."""
        rows = self.select(
            "SELECT run, first, last, data FROM chatkit_events ORDER BY thread, position", ""
        )
        logged: dict[str, dict[int, bool]] = {}
        of_turns: set[str] = set()
        for row in rows:
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
                if run not in of_turns:
                    # Who resumes may be told again of what happened outside turns: it stands
                    # elsewhere among a turn's events on each worker.
                    numbers = sorted(set(numbers))
                assert numbers == sorted(set(numbers)), f"{client.kind} was sent {numbers} of {run}"
                told = [
                    number
                    for number, is_told in logged.get(run, {}).items()
                    if is_told and numbers[0] <= number <= numbers[-1]
                ]
                missing = set(told) - set(numbers)
                assert not missing, f"{client.kind} at {client.worker} misses {missing} of {run}"

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
                self.ask(0, True, [], False, 0)
                self.settle()
                self.nothing_is_wrong()
        finally:
            for worker in self.workers:
                worker.die()
            self.simulation.close()
            self._simulated.__exit__(None, None, None)


def _tokens(messages: list[Message]) -> list[str]:
    """Return what messages say, token by token."""
    found: list[str] = []
    for each in messages:
        for content in each.contents:
            if content.type == "text":
                found += TOKEN.findall(content.text or "")
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
    return [token for part in item["content"] for token in TOKEN.findall(part["text"])]


def _comparable(items: dict[str, Any]) -> dict[str, Any]:
    return {
        item_id: json.loads(ITEM.validate_python(item).model_dump_json(exclude_none=True))
        if item["type"] != "end_of_turn"
        else item
        for item_id, item in items.items()
    }


def _difference(shown: dict[str, Any], stored: dict[str, Any]) -> str:
    shown, stored = _comparable(shown), _comparable(stored)
    return "\n".join(
        f"shown: {json.dumps(shown.get(each))}\nstored: {json.dumps(stored.get(each))}"
        for each in {**shown, **stored}
        if shown.get(each) != stored.get(each)
    )


def _listed(items: dict[str, Any]) -> str:
    return "\n".join(json.dumps(item) for item in items.values())
