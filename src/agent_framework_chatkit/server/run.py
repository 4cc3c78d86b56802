"""A run: the execution of a turn in this worker."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol, cast

from chatkit.errors import ErrorCode
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ClientEffectEvent,
    ErrorEvent,
    HiddenContextItem,
    NoticeEvent,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    StreamOptionsEvent,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    UserMessageItem,
)
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError

from ..stores.sql.turn_rows import (
    BegunTurn,
    Lease,
    LeaseLostError,
    LogRow,
    StoredMessages,
    ThreadChange,
    TurnEnd,
    Writes,
)
from ..stores.turn_end import TurnEndItem
from .channel import Channel
from .event_log import Entry, TextDelta, log_row, serialize
from .threads import thread_response
from .turn_state import MESSAGES, SILENT, UNCLEAN, TurnState

if TYPE_CHECKING:
    from .worker import Worker

logger = logging.getLogger(__name__)

MAX_UNWRITTEN = 1024 * 1024
"""Bytes of events that may wait to be written before the run waits too."""

current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)
"""The run that the current code is part of."""


class Memory(Protocol):
    """What a run exchanges with its agent, and how that is remembered."""

    @property
    def has_new(self) -> bool:
        """Whether something is new since `take_new` was called last."""

    def take_new(self) -> str | None:
        """Return as JSON what is new."""

    async def finish(self, state: TurnState, /) -> Remembered:
        """Return what to store, given how the turn has ended."""


class Remembered(Protocol):
    """What is stored of what a run has exchanged."""

    @property
    def messages(self) -> list[StoredMessages]:
        """The messages."""

    @property
    def session(self) -> tuple[str, str]:
        """The id and the JSON of the agent's session."""

    @property
    def forgotten(self) -> list[str]:
        """The ids of the items that ask for what nobody can answer any more."""


class Run:
    """Executes a turn, writes what it shows, and passes it on to the clients that follow.

    Args:
        worker: Executes it.
        channel: Passes its events on.
        begun: The turn.
        context: The context of the request, or of a turn that outlives it.
        page: The page that asked, which gets the effects.
        text_interval: Seconds between two text deltas; 0 sends each by itself.
    """

    def __init__(
        self,
        worker: Worker,
        channel: Channel,
        begun: BegunTurn,
        context: Any,
        *,
        page: str | None = None,
        text_interval: float = 0.03,
    ) -> None:
        self.worker = worker
        self.channel = channel
        self.lease: Lease = begun.lease
        self.id = begun.lease.run
        self.turn_id = begun.turn_id
        self.before = begun.before
        self.ended = "" if begun.before is None or begun.is_retry else begun.before.state
        """How the turn before ended, unless this is another try at it."""
        self.is_retry = begun.is_retry
        self.is_first = begun.is_first
        before = begun.before
        is_cut = before is not None and before.id == begun.turn_id and before.state in UNCLEAN
        self.tried = begun.tried if is_cut else ()
        """The messages of an earlier try at the turn that was cut short, as JSON."""
        self.thread: ThreadMetadata = begun.thread
        self.context = context
        self.page = page
        self.memory: Memory | None = None
        """What is exchanged with the agent, if one runs."""
        self.message: UserMessageItem | None = None
        """What a person has written, if nothing but the server's own code answers it."""
        self.error_message: str | None = None
        self.allow_retry = True
        self.state: TurnState = "running"
        self.committed = 0
        """The number of the last event that is stored."""
        self.begun_at = begun.log_position
        """The position in the log of its first events."""
        self.commit_lock = asyncio.Lock()
        """Held while something is committed, or must not be."""
        self.has_ended = asyncio.Event()
        self._text_interval = text_interval
        self._number = 0
        self._unwritten: list[Entry] = []
        self._unwritten_size = 0
        self._held: deque[Entry] = deque()
        """Events that clients must not see yet, and what comes after them."""
        self._writes = Writes()
        self._open: set[str] = set()
        self._finished: set[str] = set()
        self._is_ending = False
        self._is_restored = False
        self._known_thread = begun.thread.model_copy(deep=True)
        self._text: tuple[str, int, bytes] | None = None
        """The item and part that text is being joined for, and the event's JSON before the text."""
        self._deltas: list[str] = []
        self._joined = 0
        """How many characters are being joined."""
        self._may_send_text = True
        self._committing: asyncio.Task[None] | None = None
        self._must_commit = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._is_executing = False
        self._reason: TurnState | None = None
        self.is_lost = False
        """Whether the thread is no longer this run's to write to."""

    def pass_on(self, prelude: Sequence[Entry]) -> None:
        """Pass on the first events, which were stored when the turn began."""
        self._number = self.committed = prelude[-1].number if prelude else 0
        for entry in prelude:
            self.channel.deliver(entry)

    # Events

    def emit(self, event: ThreadStreamEvent, *, is_addition: bool = False) -> None:
        """Write an event of the turn, and pass it on as soon as that may be.

        Args:
            event: The event.
            is_addition: Whether only clients that follow threads are told.
        """
        if isinstance(event, ThreadItemUpdatedEvent) and isinstance(
            event.update, AssistantMessageContentPartTextDelta
        ):
            self._add_text(event.item_id, event.update)
            return
        self.flush_text()
        if isinstance(event, (ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            self._writes.items.append(event.item)
            self._finish(event.item.id)
            is_hidden = isinstance(event.item, (HiddenContextItem, SDKHiddenContextItem))
            self._add(event, needs_commit=True, is_internal=is_hidden, is_addition=is_addition)
        elif isinstance(event, ThreadItemRemovedEvent):
            self._writes.removed.append(event.item_id)
            self._finish(event.item_id)
            self._add(event, needs_commit=True, is_addition=is_addition)
        elif isinstance(event, (ProgressUpdateEvent, NoticeEvent, StreamOptionsEvent)):
            self._add(event, is_passing=True)
        elif isinstance(event, ClientEffectEvent):
            self._add(event, is_passing=True, page=self.page or "-")
        else:
            if isinstance(event, ThreadItemAddedEvent):
                self._open.add(event.item.id)
            elif isinstance(event, ErrorEvent):
                self._fail(event)
            self._add(event)
        self.note_thread()

    def _finish(self, item_id: str) -> None:
        self._open.discard(item_id)
        self._finished.add(item_id)

    async def emit_all(self, events: AsyncIterator[ThreadStreamEvent]) -> None:
        """Write the events that an app's own code yields."""
        try:
            async for event in events:
                self.emit(event)
                if self.is_full:
                    await self.checkpoint()
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def has_finished(self, item_id: str) -> bool:
        """Return whether an item is done or removed."""
        return item_id in self._finished

    def store_session(self, session: tuple[str, str]) -> None:
        """Store the agent's session with what is written next."""
        self._writes.session = session

    def _fail(self, error: ErrorEvent) -> None:
        """Note that the turn has failed, and what a person may read of it."""
        self.state = "failed"
        self.error_message = error.message
        self.allow_retry = error.allow_retry

    def restore(self) -> None:
        """Have the turn stand as it did before: nothing has happened in it."""
        self._is_restored = True
        before = self.before.state if self.before is not None else ""
        self.state = cast("TurnState", before or "completed")

    def emit_addition(self, event: dict[str, Any], *, is_last: bool = False) -> None:
        """Write an event that only clients which follow threads know."""
        self.flush_text()
        self._put(
            Entry(
                self.id,
                self._next(),
                to_json(event),
                is_addition=True,
                is_last=is_last,
                needs_commit=is_last,
            )
        )

    def note_thread(self) -> None:
        """Write what has been changed of the thread's metadata, by a tool for example."""
        if self.thread == self._known_thread:
            return
        try:
            changed = self.thread.model_copy(deep=True)
            ThreadMetadata.model_validate(changed.model_dump(mode="json", warnings="error"))
        except (TypeError, ValueError):
            logger.exception(
                "Thread %r was given metadata that cannot be stored; it stays as it was.",
                self.thread.id,
            )
            for name, value in self._known_thread.model_copy(deep=True):
                setattr(self.thread, name, value)
            return
        before, self._known_thread = self._known_thread, changed
        earlier = self._writes.thread
        self._writes.thread = ThreadChange(
            before if earlier is None else earlier.before, self._known_thread
        )
        self._add(ThreadUpdatedEvent(thread=thread_response(self.thread)))
        self.worker.thread_changed(self.channel.owner, self.channel.key)

    def as_told(self, thread: ThreadMetadata) -> ThreadMetadata:
        """Return a thread as it is stored, with the changes that are yet to be stored."""
        change = self._writes.thread
        if change is None:
            return thread
        changed = {
            name: getattr(change.after, name)
            for name in type(thread).model_fields
            if getattr(change.after, name) != getattr(change.before, name)
        }
        return thread.model_copy(update=changed)

    def learn_thread(self, thread: ThreadMetadata) -> None:
        """Take over what others have changed of the thread's metadata."""
        written = self._writes.thread
        for name in type(thread).model_fields:
            known = getattr(self._known_thread, name)
            is_written = written is not None and getattr(written.before, name) != known
            if getattr(self.thread, name) == known and not is_written:
                setattr(self.thread, name, getattr(thread, name))
                setattr(self._known_thread, name, getattr(thread, name))

    def tick(self) -> None:
        """Send the text that waits. Called every `text_interval`."""
        if self._text is None:
            self._may_send_text = True
        else:
            self.flush_text()

    def flush_text(self) -> None:
        """Send the text that waits, joined."""
        if self._text is None:
            return
        item_id, index, head = self._text
        delta = "".join(self._deltas)
        self._text = None
        self._deltas.clear()
        self._joined = 0
        event = TextDelta(item_id, index, delta)
        self._put(Entry(self.id, self._next(), b"%b%b}}" % (head, _json_text(delta)), event))

    def _add_text(self, item_id: str, update: AssistantMessageContentPartTextDelta) -> None:
        if (
            self._text is not None
            and self._text[0] == item_id
            and self._text[1] == update.content_index
        ):
            self._deltas.append(update.delta)
            self._joined += len(update.delta)
            return
        self.flush_text()
        head = (
            b'{"type":"thread.item.updated","item_id":%b,"update":{"type":'
            b'"assistant_message.content_part.text_delta","content_index":%d,"delta":'
            % (_json_text(item_id), update.content_index)
        )
        self._text = (item_id, update.content_index, head)
        self._deltas.append(update.delta)
        if not self._text_interval:
            self.flush_text()
        elif self._may_send_text:
            self._may_send_text = False
            # With what else has come at the same time.
            asyncio.get_running_loop().call_soon(self.flush_text)

    def _add(
        self,
        event: ThreadStreamEvent,
        *,
        needs_commit: bool = False,
        is_passing: bool = False,
        is_internal: bool = False,
        is_addition: bool = False,
        page: str | None = None,
    ) -> None:
        self._put(
            Entry(
                self.id,
                self._next(),
                b"{}" if is_internal else serialize(event),
                event,
                is_passing=is_passing,
                is_internal=is_internal,
                is_addition=is_addition,
                page=page,
                needs_commit=needs_commit,
            )
        )

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _put(self, entry: Entry) -> None:
        if self.is_lost:
            return
        self._unwritten.append(entry)
        self._unwritten_size += len(entry.data)
        if entry.needs_commit or self._held:
            self._held.append(entry)
        else:
            self.channel.deliver(entry)
        if entry.needs_commit:
            self.commit_soon()

    # Writing

    @property
    def is_dirty(self) -> bool:
        """Whether something is yet to be written, and nothing is being written."""
        return (
            bool(self._unwritten)
            and self._committing is None
            and not self._is_ending
            and not self.commit_lock.locked()
        )

    @property
    def has_only_log(self) -> bool:
        """Whether all that is to be written is rows of the log."""
        writes = self._writes
        return not (writes.items or writes.removed or writes.thread or writes.session)

    def may_append(self) -> bool:
        """Return whether something is yet to be written, and all of it is rows of the log."""
        return bool(self._unwritten) and not self._is_ending and self.has_only_log

    def take_log(self) -> LogRow:
        """Return what is yet to be written to the log, which counts as being written from now on.

        If there are no events, one that nobody sees stands for what is beside them.
        """
        self.flush_text()
        updates = self.memory.take_new() if self.memory is not None else None
        if not self._unwritten:
            entry = Entry(self.id, self._next(), b"{}", is_internal=True)
            self._unwritten.append(entry)
        row = log_row(self._unwritten, updates)
        self._unwritten = []
        self._unwritten_size = 0
        return row

    def note_committed(self, number: int) -> None:
        """Pass on what was held until it is stored."""
        if number <= self.committed:
            # It was found in the log, before the database's answer came.
            return
        self.committed = number
        self.channel.ahead += 1
        while self._held and (
            not self._held[0].needs_commit or self._held[0].number <= self.committed
        ):
            self.channel.deliver(self._held.popleft())
        still = []
        for wanted, future in self._waiting:
            if wanted <= self.committed:
                if not future.done():
                    future.set_result(None)
            else:
                still.append((wanted, future))
        self._waiting = still

    def commit_soon(self) -> None:
        """Write what is there, without waiting for the next group commit."""
        if self._is_ending:
            return
        if self._committing is not None:
            self._must_commit = True
            return
        self._committing = asyncio.create_task(self._commit_all())

    async def checkpoint(self) -> None:
        """Wait until everything so far is stored."""
        self._raise_if_lost()
        self.flush_text()
        has_new = self.memory is not None and self.memory.has_new
        is_writing = self._committing is not None or self.commit_lock.locked()
        if not (has_new or self._unwritten or is_writing):
            return
        entry = Entry(self.id, self._next(), b"{}", is_internal=True, needs_commit=True)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry.number, future))
        self._put(entry)
        await future
        self._raise_if_lost()

    @property
    def is_full(self) -> bool:
        """Whether so much is yet to be written that the run must wait."""
        return self._unwritten_size + self._joined > MAX_UNWRITTEN

    async def _commit_all(self) -> None:
        try:
            # What comes with the end of the turn is written with it.
            while not self._is_ending:
                self._must_commit = False
                await self._commit(None)
                if not self._must_commit:
                    return
        finally:
            self._committing = None

    async def _commit(self, end: TurnEnd | None, remembered: Remembered | None = None) -> None:
        async with self.commit_lock:
            if self.is_lost:
                return
            row = self.take_log()
            writes, self._writes = self._writes, Writes()
            writes.log = row
            writes.end = end
            if remembered is not None:
                writes.messages = remembered.messages
                writes.session = remembered.session
            try:
                await self._write(writes)
            except LeaseLostError:
                self.lose(is_deleted=await self.worker.store.log.is_deleted(self.lease.key))
                return
            except SQLAlchemyError:
                # The worker is stopping, and the database does not answer.
                raise
            except Exception:
                if end is not None:
                    raise
                logger.exception("What run %s has shown cannot be stored.", self.id)
                self._give_up_writing()
                self.cancel("failed")
                return
        self.note_committed(row.last)

    def _give_up_writing(self) -> None:
        """Drop what was not stored, which clients have not seen, and say that the turn fails."""
        self._writes = Writes()
        self._held.clear()
        self._unwritten = []
        self._unwritten_size = 0
        self._release_waiting()
        self.emit(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))

    async def _write(self, writes: Writes) -> None:
        is_repeated = False

        async def write() -> None:
            nonlocal is_repeated
            was_repeated, is_repeated = is_repeated, True
            await self.worker.store.turns.commit(self.lease, writes, is_repeated=was_repeated)

        await self.worker.persist(write)

    def lose(self, *, is_deleted: bool = False) -> None:
        """Stop, and write nothing more.

        Args:
            is_deleted: Whether that is because the thread is gone, rather than taken by another
                worker.
        """
        if self.is_lost:
            return
        self.is_lost = True
        self.channel.is_thread_unsure = True
        if is_deleted:
            logger.info("Thread %r was deleted; run %s is stopped.", self.thread.id, self.id)
        else:
            logger.error(
                "The lease on thread %r was lost: another worker has taken it. Run %s writes "
                "nothing more.",
                self.thread.id,
                self.id,
            )
        self._release_waiting()
        self.cancel("interrupted")

    def _release_waiting(self) -> None:
        for _, future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting = []

    def _raise_if_lost(self) -> None:
        if self.is_lost:
            raise asyncio.CancelledError

    # Execution

    def start(self, body: Callable[[Run], Awaitable[None]], time_limit: float) -> None:
        """Execute the turn in a task of its own.

        Args:
            body: Emits the turn's events.
            time_limit: Seconds after which it is stopped; 0 for none.
        """
        self._task = asyncio.create_task(self._execute(body, time_limit))

    def cancel(self, reason: TurnState) -> None:
        """Stop the turn, if it has not ended.

        Args:
            reason: How it ends by this.
        """
        if self._reason is not None:
            return
        self._reason = reason
        if self._task is not None and self._is_executing:
            self._task.cancel()

    async def stop(self, reason: TurnState = "stopped", timeout: float | None = 5.0) -> bool:
        """Stop the turn, and return whether it has ended within so many seconds."""
        self.cancel(reason)
        try:
            await asyncio.wait_for(self.has_ended.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def _execute(self, body: Callable[[Run], Awaitable[None]], time_limit: float) -> None:
        current_run.set(self)
        self._is_executing = True
        loop = asyncio.get_running_loop()
        limit = loop.call_later(time_limit, self.cancel, "timed_out") if time_limit else None
        try:
            if self._reason is not None:
                # It was stopped before it began.
                raise asyncio.CancelledError
            await body(self)
            state: TurnState = "completed" if self.state == "running" else self.state
        except asyncio.CancelledError:
            state = self._reason or "stopped"
        except Exception:
            logger.exception("A turn in thread %r failed.", self.thread.id)
            state = "failed"
        finally:
            if limit is not None:
                limit.cancel()
        # Nothing cancels the end: what was exchanged and shown is kept whatever happens.
        self._reason = self._reason or state
        await self._end(state)

    async def _end(self, state: TurnState) -> None:
        try:
            await self.worker.server.finish_turn(self, state)
        except Exception:
            logger.exception("The end of a turn in thread %r could not be kept.", self.thread.id)
            # Or nobody could ever write in this thread again.
            with suppress(Exception):
                self._give_up_writing()
                await self.end("failed", None)
        finally:
            # A client that reads slowly keeps the run, which need not keep the answer.
            self.memory = None
            self.channel.end_run(self)
            self._release_waiting()
            self.has_ended.set()
            self.worker.run_ended(self)

    async def end(self, state: TurnState, remembered: Remembered | None) -> None:
        """Write how the turn has ended, and all that is left to write."""
        while self._committing is not None:
            await self._committing
        for item_id in () if remembered is None else remembered.forgotten:
            self.emit(ThreadItemRemovedEvent(item_id=item_id))
        self._is_ending = True
        self.state = state
        message = self.error_message or MESSAGES.get(state)
        ended_at = datetime.now(timezone.utc)
        turn: dict[str, Any] = {
            "id": self.turn_id,
            "state": state,
            "ended_at": ended_at.isoformat(),
        }
        if state not in SILENT and not self._is_restored:
            item = TurnEndItem(
                id=self.worker.store.generate_item_id("message", self.thread, self.context),
                thread_id=self.thread.id,
                created_at=datetime.now(),
                turn_id=self.turn_id,
                state=state,
                message=message,
                allow_retry=self.allow_retry,
            )
            turn |= {"message": message, "allow_retry": self.allow_retry}
            self._writes.items.append(item)
            self._put(
                Entry(
                    self.id,
                    self._next(),
                    serialize(ThreadItemDoneEvent.model_construct(item=item)),
                    is_addition=True,
                    needs_commit=True,
                )
            )
        self.emit_addition({"type": "turn.updated", "turn": turn}, is_last=True)
        await self._commit(TurnEnd(state), remembered)
        self.worker.thread_changed(self.channel.owner, self.channel.key)

    async def settle(self) -> list[ThreadItem]:
        """Return the items that are not done, once everything so far is stored and delivered."""
        if not self._open:
            return []
        await self.checkpoint()
        return self.channel.unfinished.items()


def _json_text(text: str) -> bytes:
    try:
        return to_json(text)
    except ValueError:
        return json.dumps(text).encode()


def new_run_id() -> str:
    """Return a name for a run."""
    return secrets.token_hex(8)
