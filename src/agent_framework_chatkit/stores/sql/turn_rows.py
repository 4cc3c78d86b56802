"""Turns, rows of the event log, and what one transaction reads or writes of a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from .sessions import StoredSession


class LeaseLostError(Exception):
    """Another run has taken the thread: this one writes nothing more."""


class OrphanedTurnError(Exception):
    """The thread's last turn was left by a worker that has died, and must be ended first.

    Attributes:
        turn: The turn as it was left.
    """

    def __init__(self, turn: TurnRow) -> None:
        super().__init__(f"Turn {turn.id!r} was left by a worker that has died.")
        self.turn = turn


class RepeatedRequestError(Exception):
    """The request was received before.

    Attributes:
        request: What it had led to.
    """

    def __init__(self, request: RequestRow) -> None:
        super().__init__("The request was received before.")
        self.request = request


@dataclass(frozen=True)
class RequestRow:
    """A request that was received before: the thread, and the turn and run that it began."""

    thread_id: str
    turn: str
    run: str


@dataclass(frozen=True)
class TurnRow:
    """The last turn of a thread.

    Attributes:
        key: The thread's key.
        id: The turn's id; empty if the thread has had none.
        run: The run that executes it, or has.
        worker: The worker that holds the lease, if one does.
        state: How it stands.
        ended_at: When it ended, in seconds since 1970.
        stop: The run that somebody has asked to stop.
        log_position: The position of the newest row of the log.
    """

    key: int
    id: str
    run: str
    worker: str | None
    state: str
    ended_at: float | None
    stop: str | None
    log_position: int


@dataclass(frozen=True)
class LogRow:
    """Events that are committed together.

    Attributes:
        first: The number of the first, within the run.
        last: The number of the last.
        data: The events, as the event log writes them.
        updates: What the agent has sent meanwhile, as JSON.
        run: The run.
        position: The row's place in the log, for a row that was read.
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
        turn: The turn that they belong to.
        data: The messages, as JSON.
        read_to: The position up to which the agent has been told of the thread's items.
    """

    turn: str
    data: str
    read_to: int | None = None


@dataclass(frozen=True)
class TurnEnd:
    """How a turn ended."""

    state: str


@dataclass(frozen=True)
class ThreadChange:
    """A thread's metadata, as they were known and as they are now."""

    before: ThreadMetadata
    after: ThreadMetadata


@dataclass
class Writes:
    """What a run writes in one transaction.

    Attributes:
        items: Items to add, or to replace where they are.
        is_news: Whether the agent is to be told of the items.
        removed: Ids of items to delete.
        thread: What has changed of the thread's metadata.
        messages: Messages to add to the history.
        session: The id and the JSON of a session to store.
        log: Events to add to the log.
        end: How the turn has ended.
    """

    items: list[ThreadItem] = field(default_factory=list)
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
    """What begins a turn, in one transaction.

    Attributes:
        owner: Whose thread it is.
        thread_id: The thread.
        run: The run.
        worker: The worker that executes it.
        turn_id: The turn, if it is a new one; otherwise the last one goes on.
        first_turn_id: The turn, if one goes on and there was none.
        state: How it stands at first.
        new_thread: The thread, if it is to be added.
        item: The message that begins the turn.
        attachments: The message's attachments, which are the thread's from now on.
        retry_after: The message after which all is deleted.
        request_id: Makes the request safe to repeat.
        check: Called with the thread; may raise.
        log: Returns the first events, given what was begun.
    """

    owner: str
    thread_id: str
    run: str
    worker: str
    turn_id: str | None = None
    first_turn_id: str = ""
    state: str = "running"
    new_thread: ThreadMetadata | None = None
    item: ThreadItem | None = None
    attachments: Sequence[Attachment] = ()
    retry_after: str | None = None
    request_id: str | None = None
    check: Callable[[ThreadMetadata], None] | None = None
    log: Callable[[BegunTurn], LogRow] | None = None


@dataclass(frozen=True)
class BegunTurn:
    """A turn that has begun.

    Attributes:
        lease: The right to write to the thread.
        thread: The thread as it is.
        turn_id: The turn.
        removed: Ids of the items that were deleted.
        before: The turn before it, if there was one.
        log_position: The position of the log's newest row.
        is_retry: Whether what came of an earlier try was deleted.
        is_first: Whether the thread was added with it.
        tried: The messages of the earlier try, as JSON.
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
    """How far a thread's messages were read.

    Attributes:
        count: How many rows there are.
        last: The position of the last one.
        read_to: The position up to which the agent has been told of the thread's items.
    """

    count: int
    last: int
    read_to: int


@dataclass(frozen=True)
class UnreadItem:
    """An item that an agent has not been told of: its place, and whether it is to be told."""

    position: int
    item: ThreadItem
    is_news: bool


@dataclass(frozen=True)
class StoredThread:
    """What an agent may need to know of a thread when a turn starts.

    Attributes:
        session: The session that was stored last.
        is_continued: Whether the messages that the caller knows are still all there.
        messages: The turns and the JSON of the rows that the caller does not know.
        read: How far the messages are read with these.
        unread: The items that the agent has not been told of.
    """

    session: StoredSession | None
    is_continued: bool
    messages: list[tuple[str, str]]
    read: ReadRows
    unread: list[UnreadItem]


@dataclass(frozen=True)
class Snapshot:
    """A thread at one point in time.

    Attributes:
        thread: The thread.
        items: The newest page of its items, newest first.
        turn: Its last turn.
        log: The rows of the log that belong to the run of that turn, if it is running and they
            were asked for.
        last_id: The id of the log's newest event, if the log has one.
    """

    thread: ThreadMetadata
    items: Page[ThreadItem]
    turn: TurnRow | None
    log: list[LogRow]
    last_id: str | None
