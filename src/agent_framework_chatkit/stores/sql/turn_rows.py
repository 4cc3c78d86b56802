"""Turns, rows of the event log, and what one transaction reads or writes of a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent_framework import Message
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from .sessions import StoredSession


class LeaseLostError(Exception):
    """Another run has taken the thread: this one writes nothing more."""


class OrphanedTurnError(Exception):
    """The worker of the thread's last turn died; the turn must be ended first.

    Attributes:
        turn: The turn as the worker left it.
    """

    def __init__(self, turn: TurnRow) -> None:
        super().__init__(f"Turn {turn.id!r} was left by a worker that died.")
        self.turn = turn


class RepeatedRequestError(Exception):
    """The request was received before.

    Attributes:
        request: The request's thread, turn and run.
    """

    def __init__(self, request: RequestRow) -> None:
        super().__init__("The request was received before.")
        self.request = request


@dataclass(frozen=True)
class RequestRow:
    """A request that was received before.

    Attributes:
        thread_id: The request's thread.
        turn: The ID of the turn that it started or continued.
        run: The ID of the run that it started.
        digest: The digest of its content; `None` if an older version received it.
    """

    thread_id: str
    turn: str
    run: str
    digest: str | None


@dataclass(frozen=True)
class TurnRow:
    """The last turn of a thread.

    Attributes:
        key: The thread's key.
        id: The turn's ID; empty if the thread had none.
        run: The ID of the run that executes or executed it.
        worker: The ID of the worker that holds the lease, if any.
        state: The turn's state.
        ended_at: The time when it ended, in seconds since 1970; if it is running, the time when
            the turn before ended.
        stop: The ID of the run that someone asked to stop.
        log_position: The position of the newest log row.
    """

    key: int
    id: str
    run: str
    worker: str | None
    state: str
    ended_at: float | None
    stop: str | None
    log_position: int


class ListedThread(NamedTuple):
    """A thread in its owner's list.

    Attributes:
        key: The thread's key.
        id: The thread's ID.
        owner: The thread's owner.
        version: Changes with the thread's metadata, its last turn and the turn's state.
    """

    key: int
    id: str
    owner: str
    version: int


@dataclass(frozen=True)
class LogRow:
    """A log row: the events of one commit.

    Attributes:
        first: The number of the first event within the run.
        last: The number of the last event.
        data: The events in the format of the event log.
        updates: The agent's updates since the previous row, as JSON. They may be large, and are
            only read to end the turn of a dead worker.
        run: The run's ID.
        position: The row's position in the log, if it was read from there.
    """

    first: int
    last: int
    data: str
    updates: str | None = None
    run: str = ""
    position: int = 0


@dataclass(frozen=True)
class StoredMessages:
    """Messages to add to a thread's history.

    Attributes:
        turn: The ID of their turn.
        data: The messages, as JSON.
        read_to: The position of the last thread item that the messages include.
    """

    turn: str
    data: str
    read_to: int | None = None


class DumpedItem(NamedTuple):
    """An item without words to search for, as JSON: its value may be large."""

    id: str
    data: str


@dataclass(frozen=True)
class TurnEnd:
    """How a turn ended.

    Attributes:
        state: The state at the end.
        at: The time, in seconds since 1970, that followers are told too.
    """

    state: str
    at: float = field(default_factory=time.time)

    @classmethod
    def after(cls, before: TurnRow | None, state: str) -> TurnEnd:
        """Return an end that is later than the turn before, whose worker's clock may differ."""
        last = 0.0 if before is None or before.ended_at is None else before.ended_at
        return cls(state, max(time.time(), last + 0.001))


@dataclass(frozen=True)
class ThreadChange:
    """A change to a thread's metadata: the known state before, and the state after."""

    before: ThreadMetadata
    after: ThreadMetadata


@dataclass
class Writes:
    """The data to write in one transaction.

    Attributes:
        items: Items to add, or to replace in place.
        is_news: Whether the agent must read the items.
        removed: IDs of items to delete.
        thread: The change to the thread's metadata.
        messages: Messages to add to the history.
        session: The ID and the JSON of a session to store.
        log: Events to add to the log.
        end: The end of the turn.
    """

    items: list[ThreadItem | DumpedItem] = field(default_factory=list)
    is_news: bool = False
    removed: list[str] = field(default_factory=list)
    thread: ThreadChange | None = None
    messages: list[StoredMessages] = field(default_factory=list)
    session: tuple[str, str] | None = None
    log: LogRow | None = None
    end: TurnEnd | None = None


@dataclass(frozen=True)
class Lease:
    """A run's right to write to a thread."""

    key: int
    run: str
    worker: str


@dataclass
class NewTurn:
    """A new turn, to be started in one transaction.

    Attributes:
        owner: The thread's owner.
        thread_id: The thread's ID.
        run: The run's ID.
        worker: The ID of the worker that executes it.
        turn_id: The ID of a new turn; if empty, an earlier turn continues.
        is_answer: Whether the turn that asked for an answer continues, rather than the last one.
        first_turn_id: The turn's ID if an earlier turn should continue, but there is none.
        state: The turn's first state.
        new_thread: The thread to add, if it is new.
        item: The message that starts the turn.
        attachments: The message's attachments, which now belong to the thread.
        retry_after: The ID of the message after which everything is deleted.
        request_id: Makes the request safe to repeat.
        request_digest: The digest of the request's content.
        check: Called with the thread; may raise.
        log: Returns the first events of the started turn.
    """

    owner: str
    thread_id: str
    run: str
    worker: str
    turn_id: str | None = None
    is_answer: bool = False
    first_turn_id: str = ""
    state: str = "running"
    new_thread: ThreadMetadata | None = None
    item: ThreadItem | None = None
    attachments: Sequence[Attachment] = ()
    retry_after: str | None = None
    request_id: str | None = None
    request_digest: str | None = None
    check: Callable[[ThreadMetadata], None] | None = None
    log: Callable[[BegunTurn], LogRow] | None = None


@dataclass(frozen=True)
class BegunTurn:
    """A turn that was started.

    Attributes:
        lease: The right to write to the thread.
        thread: The thread.
        turn_id: The turn's ID.
        removed: IDs of the deleted items.
        before: The previous turn, if there was one.
        log_position: The position of the newest log row.
        is_retry: Whether the items of an earlier attempt were deleted.
        is_first: Whether the thread was added with the turn.
        tried: The deleted messages of earlier attempts, as JSON.
    """

    lease: Lease
    thread: ThreadMetadata
    turn_id: str
    removed: tuple[str, ...]
    before: TurnRow | None
    log_position: int
    is_retry: bool
    is_first: bool
    tried: tuple[str, ...]


@dataclass(frozen=True)
class ReadRows:
    """The message rows of a thread that were read.

    Attributes:
        count: The number of rows.
        last: The position of the last row.
        read_to: The position of the last thread item that they include.
    """

    count: int
    last: int
    read_to: int


@dataclass(frozen=True)
class UnreadItem:
    """An item that the agent has not read, with its position, and whether code added it."""

    position: int
    item: ThreadItem
    is_news: bool


@dataclass(frozen=True)
class StoredThread:
    """The stored data of a thread that an agent needs at the start of a turn.

    Attributes:
        session: The session stored last.
        is_continued: Whether all messages that the caller has read still exist.
        messages: The messages of each row that the caller has not read, and the length of its JSON.
        read: The rows that are read including these.
        unread: The items that the agent has not read.
    """

    session: StoredSession | None
    is_continued: bool
    messages: list[tuple[list[Message], int]]
    read: ReadRows
    unread: list[UnreadItem]


@dataclass(frozen=True)
class Snapshot:
    """A thread at one point in time.

    Attributes:
        thread: The thread.
        items: The newest page of its items, newest first.
        turn: Its last turn.
        log: The log rows of that turn's run, if it is running and the caller asked for them.
        last_id: The ID of the log's newest event, if there is one.
    """

    thread: ThreadMetadata
    items: Page[ThreadItem]
    turn: TurnRow | None
    log: list[LogRow]
    last_id: str | None
