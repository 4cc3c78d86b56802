"""Compares turns with a model, whatever happens and in any order.

Users write, answer, stop, leave, return and repeat requests, on two workers that die, lose
their leases and restart. Every word has a unique token, so the model of a thread is a list
of tokens that the agent's model must receive exactly once and in order.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

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
from hypothesis.stateful import invariant, precondition, rule

from agent_framework_chatkit.stores import ThreadBusyError

from ..chat_client import message
from .checks import compare, is_open_call, is_open_card, is_running
from .words import TOKEN, Plan, Sent, tokens_shown
from .world import ANN, TurnsWorld

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
"""The seconds between two reads of a client."""


class TurnsMachine(TurnsWorld):
    """Actions of users and code, and accidents, in any order. Subclasses set the database."""

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
        """Request another answer to a message, which may be edited."""
        items = self.items()
        messages = [
            (item["id"], tokens_shown(item)[0])
            for item in items
            if item["type"] == "user_message" and tokens_shown(item)[0][0] == "U"
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
        """Repeat a request that started a turn or was lost."""
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
        cards = [item for item in self.items() if is_open_card(item)]
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
        """Send a client tool's output."""
        calls = [item for item in self.items() if is_open_call(item)]
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
        """Follow from a client's last event, with the thread as it showed it."""
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

    # Actions of code

    @precondition(lambda self: self.thread_id)
    @rule(worker=WORKERS, kind=st.sampled_from(["user", "hidden", "assistant"]))
    def add_item(self, worker: int, kind: str) -> None:
        token = self.token("A")
        item = _item(kind, token, self.thread_id)
        adding = self.worker(worker)
        # Added before it is stored, because a turn that starts immediately may read it.
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
            # The turn was stopped before it was clear whether the agent receives it.
            assert str(task.exception()).endswith("Start it again.")
        else:
            task.result()
            word.prove()

    # Accidents

    @rule(worker=WORKERS, steps=st.integers(1, 400), is_found=st.booleans())
    def kill(self, worker: int, steps: int, is_found: bool) -> None:
        """Kill a worker soon, at any point; others may detect it at once."""
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
        """Make a worker that continues appear dead to the other worker."""
        losing = self.worker(worker)
        losing.database.is_paused = True
        losing.bury()
        self._find_dead()

    def _find_dead(self) -> None:
        for worker in self.workers:
            worker.store.leases.found_dead.set()

    @rule(worker=WORKERS)
    def restart(self, worker: int) -> None:
        """Stop a worker, as an upgrade does."""
        stopping = self.worker(worker)
        self.do(stopping, stopping.server.close(0.5))
        stopping.die()

    @rule(seconds=st.sampled_from([0.005, 0.03, 0.1, 0.3, 1.0]))
    def wait(self, seconds: float) -> None:
        self.simulation.wait(seconds)

    # Comparison

    @precondition(lambda self: self.thread_id)
    @rule()
    def settle(self) -> None:
        """Wait until nothing happens anymore, and compare."""
        self.simulation.loop.forget_hooks()
        for index in (0, 1):
            self.worker(index).database.is_paused = False
            # A worker without requests does not look for dead workers.
            self.simulation.run(self.request(self.worker(index), "threads.list", {}))
        self.wait_for(lambda: not is_running(self), every=0.05)
        self.simulation.wait(2)
        self.nothing_is_wrong()
        compare(self)

    @invariant()
    def nothing_is_wrong(self) -> None:
        if not hasattr(self, "simulation"):
            return
        assert not self.problems, "\n".join(self.problems)
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


def _item(kind: str, token: str, thread_id: str) -> ThreadItem:
    """Return an item for code to add."""
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


SETTINGS = settings(
    max_examples=40,
    stateful_step_count=20,
    # Shrinking a failing example takes too long.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
