"""A run: the execution of a turn in this worker."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from chatkit.errors import ErrorCode
from chatkit.types import (
    AssistantMessageContentPartTextDelta,
    ClientEffectEvent,
    ErrorEvent,
    NoticeEvent,
    ProgressUpdateEvent,
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

from ..error_log import log_error
from ..stores.sql.availability import is_patient
from ..stores.sql.turn_rows import BegunTurn, Lease, ThreadChange, TurnEnd
from ..stores.turn_end import TurnEndItem
from .channel import Channel
from .event_log import serialize
from .remembered import RememberedTurn
from .run_end import end_run
from .run_thread import RunThread
from .run_writer import RunWriter
from .threads import for_writing, is_hidden, thread_response, without_output
from .turn_state import MESSAGES, SILENT, TurnState, iso_time

if TYPE_CHECKING:
    from .agent_turn import AgentTurn
    from .worker import Worker

logger = logging.getLogger(__name__)

_ItemEvent: TypeAlias = ThreadItemAddedEvent | ThreadItemDoneEvent | ThreadItemReplacedEvent

current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)
"""The run that the current code is part of."""


class Run:
    """Executes a turn, stores its events and delivers them to followers.

    Args:
        worker: The worker that executes it.
        channel: The channel that delivers its events.
        begun: The turn.
        context: The request's context, or the detached one.
        page: The ID of the page that sent the request, which receives client effects.
        text_interval: Seconds between two text deltas; 0 sends each separately.
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
        """The state in which the previous turn ended; empty if this turn retries it."""
        self.is_retry = begun.is_retry
        self.is_first = begun.is_first
        self.tried = begun.tried
        """The deleted messages of earlier attempts at this turn, as JSON."""
        self.thread: ThreadMetadata = begun.thread
        self.context = context
        self.page = page
        self.agent_turn: AgentTurn[Any] | None = None
        """The agent's part of the turn, if an agent answers."""
        self.message: UserMessageItem | None = None
        """The user's message, unless the app overrides `respond`."""
        self.error_message: str | None = None
        self.allow_retry = True
        self.state: TurnState = "running"
        self.begun_at = begun.log_position
        """The position of its first events in the log."""
        self.has_ended = asyncio.Event()
        self.writer = RunWriter(
            channel,
            begun.lease,
            worker.store,
            text_interval,
            lose=self.lose,
            fail=self._fail_unstorable,
        )
        """Stores and delivers its events."""
        self.metadata = RunThread(begun.thread)
        self.has_items = False
        """Whether it has written an item that clients receive."""
        self._open: set[str] = set()
        self._finished: set[str] = set()
        self._is_restored = False
        self._task: asyncio.Task[None] | None = None
        self._is_executing = False
        self._reason: TurnState | None = None

    @property
    def is_lost(self) -> bool:
        """Whether this run may no longer write to the thread."""
        return self.writer.is_closed

    def remember(self, turn: AgentTurn[Any]) -> None:
        """Write an agent's exchange together with the events from now on."""
        self.agent_turn = turn
        self.writer.exchange = turn.exchange

    # Events

    def emit(self, event: ThreadStreamEvent, *, is_addition: bool = False) -> None:
        """Write an event of the turn and deliver it as soon as allowed.

        Args:
            event: The event.
            is_addition: Whether only clients that follow threads receive it.
        """
        if isinstance(event, ThreadItemUpdatedEvent) and isinstance(
            event.update, AssistantMessageContentPartTextDelta
        ):
            update = event.update
            self.writer.text.add(event.item_id, update.content_index, update.delta)
            return
        self.writer.text.flush()
        if isinstance(event, (ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            self.writer.writes.items.append(for_writing(event.item))
            self._finish(event.item.id)
            event = event.model_copy(update={"item": without_output(event.item)})
            self._add_item(event, event, is_addition=is_addition, needs_commit=True)
        elif isinstance(event, ThreadItemRemovedEvent):
            self.writer.writes.removed.append(event.item_id)
            self._finish(event.item_id)
            self.writer.add(serialize(event), event, needs_commit=True, is_addition=is_addition)
        elif isinstance(event, (ProgressUpdateEvent, NoticeEvent, StreamOptionsEvent)):
            self.writer.add(serialize(event), event, is_passing=True)
        elif isinstance(event, ClientEffectEvent):
            self.writer.add(serialize(event), event, is_passing=True, page=self.page or "-")
        elif isinstance(event, ThreadItemAddedEvent):
            self._open.add(event.item.id)
            shown = event.model_copy(update={"item": without_output(event.item)})
            self._add_item(shown, event)
        else:
            if isinstance(event, ErrorEvent):
                self._fail(event)
            self.writer.add(serialize(event), event)
        self.note_thread()

    def _add_item(
        self,
        shown: _ItemEvent,
        event: _ItemEvent,
        *,
        is_addition: bool = False,
        needs_commit: bool = False,
    ) -> None:
        """Write an event in the form that clients receive; they receive no hidden items."""
        is_internal = is_hidden(event.item)
        if not is_internal and not isinstance(event, ThreadItemReplacedEvent):
            self.has_items = True
        data = b"{}" if is_internal else serialize(shown)
        self.writer.add(
            data,
            event,
            needs_commit=needs_commit,
            is_internal=is_internal,
            is_addition=is_addition,
        )

    def _finish(self, item_id: str) -> None:
        self._open.discard(item_id)
        self._finished.add(item_id)

    async def emit_all(self, events: AsyncIterator[ThreadStreamEvent]) -> None:
        """Write the events that an app's code yields."""
        try:
            async for event in events:
                self.check_stop()
                self.emit(event)
                if self.writer.is_full:
                    await self.writer.checkpoint()
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def has_finished(self, item_id: str) -> bool:
        """Return whether an item is done or removed."""
        return item_id in self._finished

    def _fail(self, error: ErrorEvent) -> None:
        """Mark the turn as failed, with the error's message for the user."""
        self.state = "failed"
        self.error_message = error.message
        self.allow_retry = error.allow_retry

    def restore(self) -> None:
        """Restore the turn's previous state, because nothing happened in it."""
        self._is_restored = True
        before = self.before.state if self.before is not None else ""
        self.state = cast("TurnState", before or "completed")

    def emit_addition(self, event: dict[str, Any], *, is_last: bool = False) -> None:
        """Write an event for clients that follow threads."""
        self.writer.text.flush()
        self.writer.add(to_json(event), is_addition=True, is_last=is_last, needs_commit=is_last)

    def note_thread(self) -> None:
        """Write changes to the thread's metadata, for example by a tool."""
        change = self.metadata.take_change()
        if change is None:
            return
        writes = self.writer.writes
        before = change.before if writes.thread is None else writes.thread.before
        writes.thread = ThreadChange(before, change.after)
        event = ThreadUpdatedEvent(thread=thread_response(self.thread))
        self.writer.add(serialize(event), event)
        self.worker.lists.thread_changed(self.channel.owner, self.channel.key)

    def lose(self, is_deleted: bool = False) -> None:
        """Stop, and write nothing more.

        Args:
            is_deleted: Whether the thread is deleted, rather than taken over by another worker.
        """
        if self.is_lost:
            return
        self.writer.close()
        self.channel.is_thread_unsure = True
        if is_deleted:
            logger.info("Thread %r was deleted; stopping run %s.", self.thread.id, self.id)
        else:
            logger.error(
                "The lease on thread %r was lost: another worker took it over. Run %s writes "
                "nothing more.",
                self.thread.id,
                self.id,
            )
        self.cancel("interrupted")

    def _fail_unstorable(self) -> None:
        self._emit_failure()
        self.cancel("failed")

    def _emit_failure(self) -> None:
        """Emit an error in place of the events that cannot be stored."""
        self.writer.drop()
        self.emit(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))

    # Execution

    def start(self, body: Callable[[Run], Awaitable[None]], time_limit: float) -> None:
        """Execute the turn in its own task.

        Args:
            body: Emits the turn's events.
            time_limit: Seconds after which the turn is stopped; 0 for no limit.
        """
        self._task = asyncio.create_task(self._execute(body, time_limit))

    def cancel(self, reason: TurnState) -> None:
        """Stop the turn, unless it has ended.

        Args:
            reason: The state in which it ends.
        """
        if self._reason is not None:
            return
        self._reason = reason
        if self._task is not None and self._is_executing:
            self._task.cancel()

    def check_stop(self) -> None:
        """Raise `CancelledError` if the turn was stopped, which its code may have ignored."""
        if self._reason is not None:
            raise asyncio.CancelledError

    async def stop(self, reason: TurnState = "stopped", timeout: float | None = 5.0) -> bool:
        """Stop the turn, and return whether it ended within `timeout` seconds."""
        self.cancel(reason)
        try:
            await asyncio.wait_for(self.has_ended.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def _execute(self, body: Callable[[Run], Awaitable[None]], time_limit: float) -> None:
        current_run.set(self)
        is_patient.set(True)
        self._is_executing = True
        loop = asyncio.get_running_loop()
        limit = loop.call_later(time_limit, self.cancel, "timed_out") if time_limit else None
        try:
            if self._reason is not None:
                # The turn was stopped before it started.
                raise asyncio.CancelledError
            await body(self)
            state: TurnState = "completed" if self.state == "running" else self.state
        except KeyboardInterrupt:
            raise
        except BaseException:
            if self._reason is not None:
                state = self._reason
            else:
                # An agent or a tool may also cancel itself, or try to end the process.
                log_error(logger, "A turn in thread %r failed.", self.thread.id)
                self.emit(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))
                state = "failed"
        finally:
            if limit is not None:
                limit.cancel()
        # From here on, nothing can cancel: messages and items are always stored.
        self._reason = self._reason or state
        await self._end(state)

    async def _end(self, state: TurnState) -> None:
        try:
            await end_run(self.worker.server, self, state)
        except Exception:
            log_error(logger, "Could not store the end of a turn in thread %r.", self.thread.id)
            # Otherwise nobody could ever write in this thread again.
            with suppress(Exception):
                self._emit_failure()
                await self.end("failed", None)
        finally:
            # A slow client keeps the run in memory, but does not need its messages.
            self.agent_turn = self.writer.exchange = self._task = None
            self.channel.end_run(self)
            self.writer.close()
            self.has_ended.set()
            self.worker.run_ended(self)

    async def end(self, state: TurnState, remembered: RememberedTurn | None) -> None:
        """Write the end of the turn and everything still unwritten."""
        await self.writer.begin_end()
        for item_id in () if remembered is None else remembered.forgotten:
            self.emit(ThreadItemRemovedEvent(item_id=item_id))
        self.state = state
        message = self.error_message or MESSAGES.get(state)
        end = TurnEnd.after(self.before, state)
        turn: dict[str, Any] = {
            "id": self.turn_id,
            "state": state,
            "ended_at": iso_time(end.at),
        }
        if state not in SILENT and not self._is_restored:
            item = TurnEndItem(
                thread_id=self.thread.id,
                created_at=datetime.now(),
                turn_id=self.turn_id,
                state=state,
                message=message,
                allow_retry=self.allow_retry,
            )
            turn |= {"message": message, "allow_retry": self.allow_retry}
            self.writer.writes.items.append(item)
            event = ThreadItemDoneEvent.model_construct(item=item)
            self.writer.add(serialize(event), is_addition=True, needs_commit=True)
        self.emit_addition({"type": "turn.updated", "turn": turn}, is_last=True)
        await self.writer.commit(end, remembered)
        self.worker.lists.thread_changed(self.channel.owner, self.channel.key)

    async def settle(self) -> list[ThreadItem]:
        """Return the unfinished items, after everything so far is stored and delivered."""
        if not self._open:
            return []
        await self.writer.checkpoint()
        return self.channel.unfinished.items()


def new_run_id() -> str:
    """Return a new run ID."""
    return secrets.token_hex(8)
