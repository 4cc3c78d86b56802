"""Compares a store with a model: both give the same results for any actions in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from agent_framework import AgentSession, Message
from chatkit.store import NotFoundError
from chatkit.types import FeedbackKind, FileAttachment, HiddenContextItem, Page, ThreadMetadata
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from agent_framework_chatkit.stores import SQLStore, ThreadBusyError

T = TypeVar("T")


@dataclass
class ThreadModel:
    owner: str
    position: int
    metadata: ThreadMetadata
    items: dict[str, tuple[int, HiddenContextItem]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)
    feedback: dict[str, FeedbackKind] = field(default_factory=dict)
    is_busy: bool = False


@dataclass
class Walk:
    """A reader of pages, while others write."""

    owner: str
    thread: str | None
    order: str
    after: str | None
    position: int | None


owners = st.sampled_from(["ann", "bob"])
names = st.sampled_from(["1", "2", "3"])
strings = st.text(max_size=5) | st.sampled_from(["\0", "\ud83d", "\\0000"])
times = st.sampled_from([datetime(2026, 1, 1), datetime(2026, 1, 1, 1), datetime(2025, 1, 1)])
orders = st.sampled_from(["asc", "desc"])


class StoreMachine(RuleBasedStateMachine):
    """Applies the same actions to a store and to its model.

    Each run has unique names, so that all runs can share a database.
    """

    def __init__(self, store: SQLStore, loop: asyncio.AbstractEventLoop, run: int) -> None:
        super().__init__()
        self.store = store
        self.loop = loop
        self.run = run
        self.positions = count(1)
        self.threads: dict[str, ThreadModel] = {}
        self.attachments: dict[str, tuple[str, FileAttachment]] = {}
        self.doomed: set[str] = set()
        self.walks: list[Walk] = []
        self.turns = AsyncExitStack()

    def teardown(self) -> None:
        self.do(self.turns.aclose())

    def unique(self, name: str) -> str:
        return f"{name} of {self.run}"

    def context(self, owner: str) -> dict[str, str]:
        return {"user_id": self.unique(owner)}

    def do(self, call: Awaitable[T]) -> T:
        async def await_() -> T:
            return await call

        return self.loop.run_until_complete(await_())

    def found(self, call: Awaitable[T]) -> T | None:
        """Return a call's result, or `None` if it finds nothing."""
        try:
            return self.do(call)
        except NotFoundError:
            return None

    def succeeds(self, call: Awaitable[None]) -> bool:
        try:
            self.do(call)
        except NotFoundError:
            return False
        return True

    def thread_of(self, owner: str, name: str) -> ThreadModel | None:
        thread = self.threads.get(name)
        return thread if thread is not None and thread.owner == owner else None

    # Threads

    @rule(owner=owners, name=names, title=strings)
    def save_thread(self, owner: str, name: str, title: str) -> None:
        metadata = ThreadMetadata(
            id=self.unique(name), created_at=datetime(2026, 1, 1), title=title
        )
        known = self.threads.get(name)
        saved = self.succeeds(self.store.save_thread(metadata, self.context(owner)))
        assert saved == (known is None or known.owner == owner)
        if known is None:
            self.threads[name] = ThreadModel(owner, next(self.positions), metadata)
        elif saved:
            known.metadata = metadata

    @rule(owner=owners, name=names)
    def load_thread(self, owner: str, name: str) -> None:
        thread = self.thread_of(owner, name)
        loaded = self.found(self.store.load_thread(self.unique(name), self.context(owner)))
        assert loaded == (thread.metadata if thread else None)

    @rule(owner=owners, name=names)
    def delete_thread(self, owner: str, name: str) -> None:
        thread = self.thread_of(owner, name)
        deleted = self.succeeds(self.store.delete_thread(self.unique(name), self.context(owner)))
        assert deleted == (thread is not None)
        if thread:
            del self.threads[name]
            for each, (_, attachment) in list(self.attachments.items()):
                if attachment.thread_id == self.unique(name):
                    del self.attachments[each]
                    self.doomed.add(attachment.id)
            self.walks = [walk for walk in self.walks if walk.thread != name]

    # Items

    @rule(
        owner=owners,
        name=names,
        item=names,
        content=strings,
        created_at=times,
        method=st.sampled_from(["add_thread_item", "save_item"]),
    )
    def save_item(
        self,
        owner: str,
        name: str,
        item: str,
        content: str,
        created_at: datetime,
        method: str,
    ) -> None:
        thread = self.thread_of(owner, name)
        saved = HiddenContextItem(
            id=item, thread_id=name, created_at=created_at, content={content: content}
        )
        save = getattr(self.store, method)
        assert self.succeeds(save(self.unique(name), saved, self.context(owner))) == (
            thread is not None
        )
        if thread:
            position = thread.items[item][0] if item in thread.items else next(self.positions)
            thread.items[item] = (position, saved)

    @rule(owner=owners, name=names, item=names)
    def load_item(self, owner: str, name: str, item: str) -> None:
        thread = self.thread_of(owner, name)
        known = thread.items.get(item) if thread else None
        loaded = self.found(self.store.load_item(self.unique(name), item, self.context(owner)))
        assert loaded == (known[1] if known else None)

    @rule(owner=owners, name=names, item=names)
    def delete_item(self, owner: str, name: str, item: str) -> None:
        self.do(self.store.delete_thread_item(self.unique(name), item, self.context(owner)))
        thread = self.thread_of(owner, name)
        if thread:
            thread.items.pop(item, None)
            thread.sessions.pop(item, None)
            thread.feedback.pop(item, None)
            thread.messages = [each for each in thread.messages if each[0] != item]

    # Pages

    @rule(owner=owners, name=st.none() | names, order=orders)
    def begin_to_read(self, owner: str, name: str | None, order: str) -> None:
        if name is None or self.thread_of(owner, name):
            self.walks.append(Walk(owner, name, order, None, None))

    @rule(which=st.integers(0, 9), size=st.integers(1, 4))
    def read_on(self, which: int, size: int) -> None:
        if not self.walks:
            return
        walk = self.walks[which % len(self.walks)]
        context = self.context(walk.owner)
        rows: list[tuple[int, Any]]
        page: Page[Any]
        if walk.thread is None:
            rows = [
                (thread.position, thread.metadata)
                for thread in self.threads.values()
                if thread.owner == walk.owner
            ]
            page = self.do(self.store.load_threads(size, walk.after, walk.order, context))
        else:
            rows = list(self.threads[walk.thread].items.values())
            page = self.do(
                self.store.load_thread_items(
                    self.unique(walk.thread), walk.after, size, walk.order, context
                )
            )
        sign = 1 if walk.order == "asc" else -1
        rows = sorted(
            (row for row in rows if walk.position is None or sign * row[0] > sign * walk.position),
            key=lambda row: sign * row[0],
        )
        assert page.data == [row[1] for row in rows[:size]]
        assert page.has_more == (len(rows) > size)
        assert (page.after is not None) == page.has_more
        if page.has_more:
            walk.after = page.after
            walk.position = rows[size - 1][0]
        else:
            self.walks.remove(walk)

    @rule(owner=owners, name=names)
    def read_what_is_not_there(self, owner: str, name: str) -> None:
        if not self.thread_of(owner, name):
            for after in (None, "1"):
                page = self.do(
                    self.store.load_thread_items(
                        self.unique(name), after, 9, "asc", self.context(owner)
                    )
                )
                assert page == Page()

    # Data of agents, and feedback

    @rule(owner=owners, name=names, turn=names, text=strings)
    def set_session(self, owner: str, name: str, turn: str, text: str) -> None:
        thread = self.thread_of(owner, name)
        session = AgentSession()
        session.state["text"] = text
        sessions = self.store.sessions(self.unique(name), self.context(owner))
        assert self.succeeds(sessions.set(turn, session)) == (thread is not None)
        if thread:
            thread.sessions[turn] = text

    @rule(owner=owners, name=names, turn=names)
    def get_session(self, owner: str, name: str, turn: str) -> None:
        thread = self.thread_of(owner, name)
        sessions = self.store.sessions(self.unique(name), self.context(owner))
        session = self.do(sessions.get(turn))
        assert (session.state["text"] if session else None) == (
            thread.sessions.get(turn) if thread else None
        )

    @rule(owner=owners, name=names, turn=names)
    def delete_session(self, owner: str, name: str, turn: str) -> None:
        thread = self.thread_of(owner, name)
        self.do(self.store.sessions(self.unique(name), self.context(owner)).delete(turn))
        if thread:
            thread.sessions.pop(turn, None)

    @rule(owner=owners, name=names, turn=names, texts=st.lists(strings, max_size=3))
    def add_messages(self, owner: str, name: str, turn: str, texts: list[str]) -> None:
        thread = self.thread_of(owner, name)
        messages = [Message("user", [text]) for text in texts]
        added = self.store.add_messages(self.unique(name), turn, messages, self.context(owner))
        assert self.succeeds(added) == (thread is not None)
        if thread:
            thread.messages += [(turn, text) for text in texts]

    @rule(owner=owners, name=names)
    def load_messages(self, owner: str, name: str) -> None:
        thread = self.thread_of(owner, name)
        messages = self.do(self.store.load_messages(self.unique(name), self.context(owner)))
        expected = [text for _, text in thread.messages] if thread else []
        assert [message.text for message in messages] == expected

    @rule(owner=owners, name=names, turn=names)
    def delete_messages(self, owner: str, name: str, turn: str) -> None:
        thread = self.thread_of(owner, name)
        self.do(self.store.delete_messages(self.unique(name), turn, self.context(owner)))
        if thread:
            thread.messages = [each for each in thread.messages if each[0] != turn]

    @rule(
        owner=owners,
        name=names,
        items=st.lists(names, max_size=3),
        kind=st.sampled_from(["positive", "negative"]),
    )
    def save_feedback(self, owner: str, name: str, items: list[str], kind: FeedbackKind) -> None:
        thread = self.thread_of(owner, name)
        saved = self.store.save_feedback(self.unique(name), items, kind, self.context(owner))
        assert self.succeeds(saved) == (thread is not None)
        if thread:
            thread.feedback |= {item: kind for item in items if item in thread.items}

    @rule(owner=owners, name=names)
    def load_feedback(self, owner: str, name: str) -> None:
        thread = self.thread_of(owner, name)
        feedback = self.do(self.store.load_feedback(self.unique(name), self.context(owner)))
        assert feedback == (thread.feedback if thread else {})

    @rule(owner=owners, name=names)
    def begin_turn(self, owner: str, name: str) -> None:
        thread = self.thread_of(owner, name)
        turn = self.store.turn(self.unique(name), self.context(owner))
        try:
            begun = self.succeeds(self.turns.enter_async_context(turn))
        except ThreadBusyError:
            assert thread is not None
            assert thread.is_busy
            return
        assert begun == (thread is not None)
        if thread:
            assert not thread.is_busy
            thread.is_busy = True

    @rule()
    def end_turns(self) -> None:
        self.do(self.turns.aclose())
        for thread in self.threads.values():
            thread.is_busy = False

    # Attachments

    @rule(owner=owners, name=names, thread=st.none() | names)
    def save_attachment(self, owner: str, name: str, thread: str | None) -> None:
        attachment = FileAttachment(
            id=self.unique(name),
            name="f",
            mime_type="text/plain",
            thread_id=None if thread is None else self.unique(thread),
        )
        known = self.attachments.get(name)
        may_save = (known is None or known[0] == owner) and (
            thread is None or self.thread_of(owner, thread) is not None
        )
        saved = self.succeeds(self.store.save_attachment(attachment, self.context(owner)))
        assert saved == may_save
        if saved:
            self.attachments[name] = (owner, attachment)

    @rule(owner=owners, name=names)
    def load_attachment(self, owner: str, name: str) -> None:
        known = self.attachments.get(name)
        loaded = self.found(self.store.load_attachment(self.unique(name), self.context(owner)))
        assert loaded == (known[1] if known and known[0] == owner else None)

    @rule(owner=owners, name=names)
    def delete_attachment(self, owner: str, name: str) -> None:
        known = self.attachments.get(name)
        deleted = self.succeeds(
            self.store.delete_attachment(self.unique(name), self.context(owner))
        )
        assert deleted == (known is not None and known[0] == owner)
        if deleted:
            del self.attachments[name]

    @rule()
    def delete_bytes(self) -> None:
        doomed = self.do(self.store.doomed_attachments(10_000))
        own = {each for each in doomed if each.endswith(f" of {self.run}")}
        assert own == self.doomed
        self.do(self.store.forget_attachments(doomed))
        self.doomed.clear()


def check_store(store: SQLStore, loop: asyncio.AbstractEventLoop, *, examples: int) -> None:
    """Run the actions on a store and its model."""
    runs = count()

    class Machine(StoreMachine):
        def __init__(self) -> None:
            super().__init__(store, loop, next(runs))

    run_state_machine_as_test(
        Machine,
        # Shrinking a failing example takes too long.
        settings=settings(max_examples=examples, stateful_step_count=40, phases=[Phase.generate]),
    )
