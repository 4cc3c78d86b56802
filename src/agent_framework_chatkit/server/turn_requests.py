"""Handles the requests that start a turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from agent_framework import Message
from chatkit.errors import CustomStreamError, ErrorCode, StreamError
from chatkit.types import (
    ClientToolCallItem,
    ErrorEvent,
    NoticeEvent,
    StreamingReq,
    StructuredInputItem,
    ThreadCreatedEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsRetryAfterItemReq,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)
from pydantic_core import to_json
from typing_extensions import TypeVar

from ..error_log import log_error
from ..stores.errors import ThreadBusyError
from ..stores.owners import owner_of
from ..stores.sql.store import SQLStore
from ..stores.sql.turn_rows import BegunTurn, NewTurn
from ..widgets.actions import RefusedActionError
from .answers import CLOSED, RefusedAnswerError, may_answer, submitted
from .app_overrides import detached_context, stream_options
from .event_log import Entry, numbered, serialize
from .follower import Follower
from .replies import PAGE_SIZE, record_action
from .requests import RequestInvalidError, digest_of, page_of, request_id_of
from .run import Run, new_run_id
from .threads import check_open, thread_response, visible_items
from .user_messages import UserMessages
from .worker import shielded

if TYPE_CHECKING:
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

_Reaction: TypeAlias = (
    ThreadsCustomActionReq | ThreadsAddClientToolOutputReq | ThreadsAddStructuredInputReq
)
"""A request that continues a turn."""

_Prelude: TypeAlias = Callable[[BegunTurn], list[Entry]]
"""Returns the first events of a turn that was started."""

_Body: TypeAlias = Callable[[Run], Awaitable[None]]
"""Emits a turn's other events."""

_Plan: TypeAlias = tuple[NewTurn, _Prelude, _Body]

STOPPING = 3.0
"""Maximum seconds that a new turn waits for a stopped one to end."""


class TurnRequests(Generic[TContext]):
    """Starts turns.

    Args:
        server: The server that owns the turns.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server
        self._store: SQLStore[TContext] = server.store
        self._messages = UserMessages(server)

    async def begin(
        self, request: StreamingReq, context: TContext, *, is_live: bool
    ) -> tuple[Run, Follower]:
        """Start the turn that a request asks for.

        Returns:
            The run, and a follower that reads its events from the start.

        Raises:
            NotFoundError: If the owner has no such thread, or the thread no such item.
            RepeatedRequestError: If the request was received before.
            ThreadBusyError: If the thread is running another turn.
            ThreadClosedError: If the thread does not accept messages.
        """
        turn_context = detached_context(self._server, context) if is_live else context
        # Actions do not wait: a second one may come from a double click.
        may_wait = isinstance(request, (ThreadsAddUserMessageReq, ThreadsRetryAfterItemReq))
        if isinstance(request, ThreadsCreateReq):
            new, prelude, body = await self._create(request, context)
        elif isinstance(request, ThreadsAddUserMessageReq):
            new, prelude, body = await self._add_message(request, context)
        elif isinstance(request, ThreadsRetryAfterItemReq):
            new, prelude, body = await self._retry(request, context)
        else:
            new, prelude, body = await self._react(request, context)
        return await self._begin(
            new, prelude, body, turn_context, page=page_of(request), may_wait=may_wait
        )

    async def _begin(
        self,
        new: NewTurn,
        prelude: _Prelude,
        body: _Body,
        context: TContext,
        *,
        page: str | None = None,
        may_wait: bool = False,
    ) -> tuple[Run, Follower]:
        """Start a turn. With `may_wait`, wait for a turn that was just stopped."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (STOPPING if may_wait else 0)
        while True:
            try:
                return await self._server.worker.begin(
                    new,
                    prelude,
                    lambda run: self._execute(run, body),
                    context,
                    page=page,
                    time_limit=self._server.time_limit,
                )
            except ThreadBusyError:
                if loop.time() >= deadline:
                    raise
            await asyncio.sleep(0.1)

    async def _create(self, request: ThreadsCreateReq, context: TContext) -> _Plan:
        thread = ThreadMetadata(
            id=self._store.generate_thread_id(context), created_at=datetime.now()
        )
        message = await self._messages.build(request.params.input, thread, context, request)
        self._server.agents.assign(thread, message.inference_options.model)
        new = self._new_turn(
            request, context, thread.id, new_thread=thread, turn_id=message.id, item=message
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            created = ThreadCreatedEvent(thread=thread_response(begun.thread))
            return self._first_events(new, begun, [created], message, context)

        return new, prelude, lambda run: self._server.runner.execute(run, message)

    async def _add_message(self, request: ThreadsAddUserMessageReq, context: TContext) -> _Plan:
        thread_id = request.params.thread_id
        thread = await self._messages.thread_for_ids(thread_id, context)
        message = await self._messages.build(request.params.input, thread, context, request)
        new = self._new_turn(
            request, context, thread_id, turn_id=message.id, item=message, check=check_open
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            return self._first_events(new, begun, [], message, context)

        return new, prelude, lambda run: self._server.runner.execute(run, message)

    async def _retry(self, request: ThreadsRetryAfterItemReq, context: TContext) -> _Plan:
        """Answer a message again, possibly after an edit.

        The protocol has no request for edits; clients send the new message in a retry's metadata.
        """
        thread_id, item_id = request.params.thread_id, request.params.item_id
        message = await self._store.load_item(thread_id, item_id, context)
        if not isinstance(message, UserMessageItem):
            raise RequestInvalidError("Only a user's message can be answered again.")
        is_edited = "input" in request.metadata
        if is_edited:
            message = await self._messages.edited(message, request, context)
        new = self._new_turn(
            request,
            context,
            thread_id,
            turn_id=item_id,
            item=message if is_edited else None,
            retry_after=item_id,
            check=check_open,
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            entries = numbered(
                new.run,
                [
                    *(ThreadItemRemovedEvent(item_id=removed) for removed in begun.removed),
                    *([ThreadItemReplacedEvent(item=message)] if is_edited else []),
                ],
            )
            for entry in entries[: len(begun.removed)]:
                # Plain ChatKit clients remove these items themselves.
                entry.is_addition = True
            return self._with_state(new, begun, entries, context)

        return new, prelude, lambda run: self._server.runner.execute(run, message)

    async def _react(self, request: _Reaction, context: TContext) -> _Plan:
        """Continue a turn after an action or an answer of the user or the page."""
        thread_id = request.params.thread_id
        try:
            await self._check_reaction(request, context)
        except Exception:
            await self._messages.raise_if_repeated(request, context)
            raise
        thread = await self._messages.thread_for_ids(thread_id, context)
        new = self._new_turn(
            request,
            context,
            thread_id,
            is_answer=may_answer(request),
            # The app's own actions check it themselves.
            check=check_open if may_answer(request) else None,
            first_turn_id=self._store.generate_item_id("message", thread, context),
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            return self._with_state(new, begun, [], context)

        async def body(run: Run) -> None:
            answered = await self._server.answers.take(request, run)
            if answered is not None:
                if answered.is_complete:
                    await run.writer.checkpoint()
                    await self._server.runner.execute(run, None)
                else:
                    run.state = "waiting"
            elif isinstance(request, ThreadsCustomActionReq):
                await self._act(request, run)
            else:
                await self._answer_app(request, run)

        return new, prelude, body

    async def _check_reaction(self, request: _Reaction, context: TContext) -> None:
        """Check, before anything is streamed, that the request's item or call exists."""
        thread_id = request.params.thread_id
        if isinstance(request, ThreadsAddClientToolOutputReq):
            if not await self._server.answers.is_call_open(thread_id, context):
                await self._store.load_thread(thread_id, context)
                if not await self._pending_calls(thread_id, context):
                    raise RequestInvalidError(CLOSED)
        elif isinstance(request, ThreadsCustomActionReq) and may_answer(request):
            return
        elif request.params.item_id is not None:
            await self._store.load_item(thread_id, request.params.item_id, context)

    async def _pending_calls(self, thread_id: str, context: TContext) -> list[ClientToolCallItem]:
        """Return the app's pending client tool calls, newest first, if the thread ends with one."""
        page = await self._store.load_thread_items(thread_id, None, PAGE_SIZE, "desc", context)
        items = visible_items(page.data, with_ends=False)
        pending = [
            item
            for item in items
            if isinstance(item, ClientToolCallItem) and item.status == "pending"
        ]
        return pending if pending and items[0] is pending[0] else []

    async def start_turn(self, thread_id: str, given: Sequence[Message], context: TContext) -> str:
        """Start a turn without a client's request, and return its ID."""
        thread = await self._messages.thread_for_ids(thread_id, context)
        turn_id = self._store.generate_item_id("message", thread, context)
        new = NewTurn(owner_of(context), thread_id, new_run_id(), "", turn_id=turn_id)
        is_stored = asyncio.Event()
        beginning = self._begin(
            new,
            lambda begun: self._with_state(new, begun, [], context),
            lambda run: self._server.runner.answer_input(
                run.thread, given, run.context, run.emit, is_stored=is_stored
            ),
            detached_context(self._server, context),
        )
        run, follower = await shielded(beginning)
        self._server.worker.release(follower)
        events = [asyncio.ensure_future(each.wait()) for each in (is_stored, run.has_ended)]
        try:
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in events:
                each.cancel()
        if not is_stored.is_set():
            raise RuntimeError(
                "The turn ended before the agent received the messages. Start it again."
            )
        return run.turn_id

    def _new_turn(
        self, request: StreamingReq, context: TContext, thread_id: str, **properties: Any
    ) -> NewTurn:
        item = properties.get("item")
        if isinstance(item, UserMessageItem):
            properties["attachments"] = item.attachments
        request_id = request_id_of(request)
        return NewTurn(
            owner_of(context),
            thread_id,
            new_run_id(),
            "",
            request_id=request_id,
            request_digest=None if request_id is None else digest_of(request),
            **properties,
        )

    def _first_events(
        self,
        new: NewTurn,
        begun: BegunTurn,
        events: list[ThreadStreamEvent],
        message: UserMessageItem,
        context: TContext,
    ) -> list[Entry]:
        entries = numbered(new.run, [*events, ThreadItemDoneEvent(item=message)])
        return self._with_state(new, begun, entries, context)

    def _with_state(
        self, new: NewTurn, begun: BegunTurn, entries: list[Entry], context: TContext
    ) -> list[Entry]:
        """Add the events that say that the turn is running and whether it can be stopped."""
        number = len(entries)
        turn = {"id": begun.turn_id, "state": "running", "ended_at": None}
        running = to_json({"type": "turn.updated", "turn": turn})
        options = stream_options(self._server, begun.thread, context)
        return [
            *entries,
            Entry(new.run, number + 1, running, is_addition=True),
            Entry(new.run, number + 2, serialize(options)),
        ]

    async def _execute(self, run: Run, body: _Body) -> None:
        """Execute the body of a run, and turn exceptions into events."""
        try:
            try:
                await body(run)
            finally:
                # The code may have ignored a stop, or failed because of it.
                run.check_stop()
        except (RefusedAnswerError, RefusedActionError) as refusal:
            run.emit(NoticeEvent(level="warning", message=str(refusal)))
            run.restore()
        except CustomStreamError as error:
            run.emit(ErrorEvent(message=error.message, allow_retry=error.allow_retry))
        except StreamError as error:
            run.emit(ErrorEvent(code=error.code, allow_retry=error.allow_retry))
        except Exception:
            log_error(logger, "A turn in thread %r failed.", run.thread.id)
            run.emit(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))

    async def _act(self, request: ThreadsCustomActionReq, run: Run) -> None:
        """Run the app's handler of an action."""
        params = request.params
        item: ThreadItem | None = None
        if params.item_id:
            item = await self._store.load_item(params.thread_id, params.item_id, run.context)
        if item is not None and not isinstance(item, WidgetItem):
            raise StreamError(ErrorCode.STREAM_ERROR, allow_retry=False)
        await record_action(self._store, params, run.context)
        await run.emit_all(self._server.action(run.thread, params.action, item, run.context))
        if run.agent_turn is None:
            run.restore()

    async def _answer_app(
        self, request: ThreadsAddClientToolOutputReq | ThreadsAddStructuredInputReq, run: Run
    ) -> None:
        """Handle an answer to a request of the app itself, rather than of its agent."""
        thread_id, context = request.params.thread_id, run.context
        if isinstance(request, ThreadsAddStructuredInputReq):
            item = await self._store.load_item(thread_id, request.params.item_id, context)
            if not isinstance(item, StructuredInputItem):
                raise RefusedAnswerError(CLOSED)
            run.emit(ThreadItemReplacedEvent(item=submitted(item, request.params.input)))
        else:
            pending = await self._pending_calls(thread_id, context)
            if not pending:
                raise RefusedAnswerError(CLOSED)
            params = request.params
            call = pending[0].model_copy(update={"status": "completed", "output": params.result})
            # The request outlives the run, and the output may be large.
            params.result = None
            run.emit(ThreadItemReplacedEvent(item=call), is_addition=True)
            for each in pending[1:]:
                run.emit(ThreadItemRemovedEvent(item_id=each.id), is_addition=True)
        await run.writer.checkpoint()
        await self._server.runner.execute(run, None)
