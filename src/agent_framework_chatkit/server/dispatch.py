"""What each request does: ChatKit's public request types, and our own."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from agent_framework import Message
from chatkit.errors import CustomStreamError, ErrorCode, StreamError
from chatkit.types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    AudioInput,
    ClientToolCallItem,
    ErrorEvent,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    NoticeEvent,
    Page,
    StreamingReq,
    StreamOptionsEvent,
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
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadStreamEvent,
    ThreadsUpdateReq,
    ThreadUpdatedEvent,
    UserMessageInput,
    UserMessageItem,
    WidgetItem,
)
from pydantic_core import to_json
from typing_extensions import TypeVar

from ..stores.attachments.errors import UnknownVisitorError
from ..stores.errors import ThreadBusyError
from ..stores.owners import owner_of, value_of
from ..stores.sql.audit import digest_of
from ..stores.sql.store import SQLStore
from ..stores.sql.turn_rows import (
    BegunTurn,
    NewTurn,
    RepeatedRequestError,
    RequestRow,
    ThreadChange,
    TurnRow,
    Writes,
)
from ..telemetry import RecordedSpan, request_span
from ..widgets.actions import RefusedActionError
from .answers import CLOSED, OUR_ACTIONS, RefusedAnswerError, submitted
from .channel import Follower
from .event_log import Entry, log_row, serialize
from .requests import (
    MAX_IDS,
    MAX_PAGE,
    RequestTooComplexError,
    ThreadsClaimToolReq,
    ThreadsFollowReq,
    ThreadsSearchReq,
    ThreadsStopReq,
    is_detached,
    knows_turn_ends,
    page_of,
    request_id_of,
)
from .run import Run, new_run_id
from .streams import Frames, run_events, thread_events
from .threads import shown, thread_response
from .turn_state import turn_json

if TYPE_CHECKING:
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

Body = Callable[[Run], Awaitable[None]]

BUSY = (
    "An answer is still being written in this chat. Wait until it is finished, or stop it, and "
    "try again."
)
"""What a person is told who does something else in the meantime."""

STOPPING = 3.0
"""Seconds that a turn which has been stopped may take to end, while the next waits for it."""

PAGE_SIZE = 20
"""How many threads or items a page has, unless a request says."""


class ThreadClosedError(Exception):
    """The thread takes no messages; the message is for the person."""


class Dispatcher(Generic[TContext]):
    """Answers requests.

    Args:
        server: Whose requests they are.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server
        self._store: SQLStore[TContext] = server.store
        self._answers: dict[type, Callable[[Any, TContext], Awaitable[bytes]]] = {
            ThreadsGetByIdReq: self._get_thread,
            ThreadsListReq: self._list_threads,
            ItemsListReq: self._list_items,
            ItemsFeedbackReq: self._feedback,
            AttachmentsCreateReq: self._create_attachment,
            AttachmentsDeleteReq: self._delete_attachment,
            InputTranscribeReq: self._transcribe,
            ThreadsUpdateReq: self._update_thread,
            ThreadsDeleteReq: self._delete_thread,
            ThreadsSyncCustomActionReq: self._sync_action,
            ThreadsStopReq: self._stop,
            ThreadsClaimToolReq: self._claim_tool,
            ThreadsSearchReq: self._search,
        }

    # Streams

    async def stream(
        self, request: StreamingReq | ThreadsFollowReq, context: TContext
    ) -> AsyncGenerator[Frames, None]:
        """Yield the events that answer a request.

        What fails before the first event is raised; later, it is an event.
        """
        has_begun = False
        thread_id = getattr(request.params, "thread_id", None)
        with request_span(request.type, thread_id) as span:
            if isinstance(request, ThreadsFollowReq):
                events = self._follow(request, context)
            else:
                self._server.quotas.take_turn(context)
                events = self._run(request, context, span)
            try:
                with self._server.quotas.stream(context):
                    async with aclosing(events):
                        async for frames in events:
                            has_begun = True
                            yield frames
            except Exception:
                if not has_begun:
                    raise
                # Too late for an HTTP status.
                logger.exception("A stream could not be finished.")
                yield [_plain(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))]

    async def _follow(
        self, request: ThreadsFollowReq, context: TContext
    ) -> AsyncGenerator[Frames, None]:
        if not self._server.detached:
            raise NotImplementedError("Threads cannot be followed: the server has detached=False.")
        async for frames in thread_events(self._server, request, owner_of(context), context):
            yield frames

    async def _run(
        self, request: StreamingReq, context: TContext, span: RecordedSpan
    ) -> AsyncGenerator[Frames, None]:
        """Begin a turn, and yield its events."""
        is_live = self._server.detached and is_detached(request)
        try:
            with span.current():
                beginning = asyncio.ensure_future(self._begin(request, context, is_live=is_live))
            try:
                run, follower = await asyncio.shield(beginning)
            except asyncio.CancelledError:
                # The turn may have begun all the same.
                beginning.add_done_callback(lambda begun: _abandon(begun, is_live=is_live))
                raise
        except ThreadBusyError:
            yield [_plain(NoticeEvent(level="warning", message=BUSY))]
            return
        except ThreadClosedError as closed:
            yield [_plain(NoticeEvent(level="warning", message=str(closed)))]
            return
        except RepeatedRequestError as repeated:
            async for frames in self._repeat(repeated.request, context, is_live=is_live):
                yield frames
            return
        try:
            async with aclosing(run_events(follower, is_live=is_live)) as events:
                async for frames in events:
                    yield frames
        finally:
            if not is_live:
                await asyncio.shield(run.stop())
            self._server.worker.release(follower)

    async def _repeat(
        self, request: RequestRow, context: TContext, *, is_live: bool
    ) -> AsyncGenerator[Frames, None]:
        """Yield the events of a request that was received before."""
        worker, log = self._server.worker, self._store.log
        owner = owner_of(context)
        key = await log.key_of(request.thread_id, owner)
        row = await log.first_of_run(key, request.run)
        if row is not None:
            channel = await worker.open_channel(request.thread_id, owner)
            worker.follow()
            follower = Follower.from_row(channel, row)
            try:
                async with aclosing(run_events(follower, is_live=is_live)) as events:
                    async for frames in events:
                        yield frames
            finally:
                worker.release(follower)
            return
        # The log is gone, so the turn has ended: what it has left is told.
        async for event in self._outcome(request, context):
            yield [_plain(event)]

    async def _outcome(
        self, request: RequestRow, context: TContext
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        thread = await self._store.load_thread(request.thread_id, context)
        yield ThreadCreatedEvent(thread=thread_response(thread))
        found: list[ThreadItem] = []
        after: str | None = None
        while True:
            page = await self._store.load_thread_items(thread.id, after, 100, "desc", context)
            for item in page.data:
                found.append(item)
                if item.id == request.turn:
                    break
            if not page.has_more or found[-1].id == request.turn:
                break
            after = page.after
        for item in shown(found[::-1], with_ends=True):
            yield ThreadItemDoneEvent(item=item)

    # Turns

    async def _begin(
        self, request: StreamingReq, context: TContext, *, is_live: bool
    ) -> tuple[Run, Follower]:
        turn_context = self._server.detached_context(context) if is_live else context
        # Not so actions, of which the second may be the second half of a double click.
        may_wait = isinstance(request, (ThreadsAddUserMessageReq, ThreadsRetryAfterItemReq))
        if isinstance(request, ThreadsCreateReq):
            new, prelude, body = await self._create(request, context)
        elif isinstance(request, ThreadsAddUserMessageReq):
            new, prelude, body = await self._add_message(request, context)
        elif isinstance(request, ThreadsRetryAfterItemReq):
            new, prelude, body = await self._retry(request, context)
        else:
            new, prelude, body = await self._react(request, context)
        return await self.begin(
            new, prelude, body, turn_context, page=page_of(request), may_wait=may_wait
        )

    async def begin(
        self,
        new: NewTurn,
        prelude: Callable[[BegunTurn], list[Entry]],
        body: Body,
        context: TContext,
        *,
        page: str | None = None,
        may_wait: bool = False,
    ) -> tuple[Run, Follower]:
        """Begin a turn; wait, if it may, for one that has just been stopped."""
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

    async def _create(
        self, request: ThreadsCreateReq, context: TContext
    ) -> tuple[NewTurn, Callable[[BegunTurn], list[Entry]], Body]:
        thread = ThreadMetadata(
            id=self._store.generate_thread_id(context), created_at=datetime.now()
        )
        message = await self._build_message(request.params.input, thread, context, request)
        self._server.agents.assign(thread, message.inference_options.model)
        new = self._new_turn(
            request, context, thread.id, new_thread=thread, turn_id=message.id, item=message
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            created = ThreadCreatedEvent(thread=thread_response(begun.thread))
            return self._first_events(new, begun, [created], message, context)

        return new, prelude, lambda run: self._server.execute_respond(run, message)

    async def _add_message(
        self, request: ThreadsAddUserMessageReq, context: TContext
    ) -> tuple[NewTurn, Callable[[BegunTurn], list[Entry]], Body]:
        thread_id = request.params.thread_id
        thread = await self._thread_for_ids(thread_id, context)
        message = await self._build_message(request.params.input, thread, context, request)
        new = self._new_turn(
            request, context, thread_id, turn_id=message.id, item=message, check=_check_open
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            return self._first_events(new, begun, [], message, context)

        return new, prelude, lambda run: self._server.execute_respond(run, message)

    async def _retry(
        self, request: ThreadsRetryAfterItemReq, context: TContext
    ) -> tuple[NewTurn, Callable[[BegunTurn], list[Entry]], Body]:
        """Answer a message anew, which a client that knows how may have edited.

        The protocol has no request to edit; the new message is in the metadata of a retry.
        """
        thread_id, item_id = request.params.thread_id, request.params.item_id
        message = await self._store.load_item(thread_id, item_id, context)
        if not isinstance(message, UserMessageItem):
            raise ValueError(f"Item {item_id} is not a user message.")
        is_edited = "input" in request.metadata
        if is_edited:
            message = await self._edit(message, request, context)
        new = self._new_turn(
            request,
            context,
            thread_id,
            turn_id=item_id,
            item=message if is_edited else None,
            retry_after=item_id,
            check=_check_open,
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            entries = _numbered(
                new.run,
                [
                    *(ThreadItemRemovedEvent(item_id=removed) for removed in begun.removed),
                    *([ThreadItemReplacedEvent(item=message)] if is_edited else []),
                ],
            )
            for entry in entries[: len(begun.removed)]:
                # A plain client has removed them itself.
                entry.is_addition = True
            return self._with_state(new, begun, entries, context)

        return new, prelude, lambda run: self._server.execute_respond(run, message)

    async def _react(
        self,
        request: ThreadsCustomActionReq
        | ThreadsAddClientToolOutputReq
        | ThreadsAddStructuredInputReq,
        context: TContext,
    ) -> tuple[NewTurn, Callable[[BegunTurn], list[Entry]], Body]:
        """Go on with the last turn, given what a person or the page has done."""
        thread_id = request.params.thread_id
        try:
            await self._check_reaction(request, context)
        except Exception:
            await self._raise_if_repeated(request, context)
            raise
        thread = await self._thread_for_ids(thread_id, context)
        new = self._new_turn(
            request,
            context,
            thread_id,
            first_turn_id=self._store.generate_item_id("message", thread, context),
        )

        def prelude(begun: BegunTurn) -> list[Entry]:
            return self._with_state(new, begun, [], context)

        async def body(run: Run) -> None:
            answered = await self._server.answering.take(request, run)
            if answered is not None:
                if answered.is_complete:
                    await run.checkpoint()
                    await self._server.execute_respond(run, None)
                else:
                    run.state = "waiting"
            elif isinstance(request, ThreadsCustomActionReq):
                await self._act(request, run)
            else:
                await self._answer_app(request, run)

        return new, prelude, body

    async def _check_reaction(
        self,
        request: ThreadsCustomActionReq
        | ThreadsAddClientToolOutputReq
        | ThreadsAddStructuredInputReq,
        context: TContext,
    ) -> None:
        """Refuse, before anything is streamed, what is about an item that is not there."""
        thread_id = request.params.thread_id
        if isinstance(request, ThreadsAddClientToolOutputReq):
            if not await self._server.answering.is_call_open(thread_id, context):
                await self._store.load_thread(thread_id, context)
                if not await self._pending_calls(thread_id, context):
                    raise ValueError(f"Thread {thread_id} does not end with a client tool's call.")
        elif isinstance(request, ThreadsCustomActionReq) and (
            request.params.action.type in OUR_ACTIONS
        ):
            return
        elif request.params.item_id:
            await self._store.load_item(thread_id, request.params.item_id, context)

    async def _pending_calls(self, thread_id: str, context: TContext) -> list[ClientToolCallItem]:
        """Return the calls that the app has the page make, if the thread ends with one.

        The newest comes first.
        """
        page = await self._store.load_thread_items(thread_id, None, PAGE_SIZE, "desc", context)
        items = shown(page.data, with_ends=False)
        pending = [
            item
            for item in items
            if isinstance(item, ClientToolCallItem) and item.status == "pending"
        ]
        return pending if pending and items[0] is pending[0] else []

    async def start_turn(self, thread_id: str, given: Sequence[Message], context: TContext) -> str:
        """Start a turn that no client has asked for, and return its id."""
        thread = await self._thread_for_ids(thread_id, context)
        turn_id = self._store.generate_item_id("message", thread, context)
        new = NewTurn(owner_of(context), thread_id, new_run_id(), "", turn_id=turn_id)
        is_told = asyncio.Event()
        run, follower = await self.begin(
            new,
            lambda begun: self._with_state(new, begun, [], context),
            lambda run: self._server.execute_input(run, given, is_told),
            self._server.detached_context(context),
        )
        self._server.worker.release(follower)
        events = [asyncio.ensure_future(each.wait()) for each in (is_told, run.has_ended)]
        try:
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in events:
                each.cancel()
        if not is_told.is_set():
            raise RuntimeError(
                "The turn ended before the agent was given the messages. Start it again."
            )
        return run.turn_id

    def _new_turn(
        self, request: StreamingReq, context: TContext, thread_id: str, **properties: Any
    ) -> NewTurn:
        item = properties.get("item")
        if isinstance(item, UserMessageItem):
            properties["attachments"] = item.attachments
        return NewTurn(
            owner_of(context),
            thread_id,
            new_run_id(),
            "",
            request_id=request_id_of(request),
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
        entries = _numbered(new.run, [*events, ThreadItemDoneEvent(item=message)])
        return self._with_state(new, begun, entries, context)

    def _with_state(
        self, new: NewTurn, begun: BegunTurn, entries: list[Entry], context: TContext
    ) -> list[Entry]:
        """Add that the turn is running, and whether it can be stopped."""
        number = len(entries)
        turn = {"id": begun.turn_id, "state": "running", "ended_at": None}
        running = to_json({"type": "turn.updated", "turn": turn})
        options = self._server.get_stream_options(begun.thread, context)
        return [
            *entries,
            Entry(new.run, number + 1, running, is_addition=True),
            Entry(new.run, number + 2, serialize(StreamOptionsEvent(stream_options=options))),
        ]

    async def _execute(self, run: Run, body: Body) -> None:
        """Execute the body of a run, and turn what it raises into events."""
        try:
            await body(run)
        except (RefusedAnswerError, RefusedActionError) as refusal:
            run.emit(NoticeEvent(level="warning", message=str(refusal)))
            run.restore()
        except CustomStreamError as error:
            run.emit(ErrorEvent(message=error.message, allow_retry=error.allow_retry))
        except StreamError as error:
            run.emit(ErrorEvent(code=error.code, allow_retry=error.allow_retry))
        except Exception:
            logger.exception("A turn in thread %r failed.", run.thread.id)
            run.emit(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))

    async def _act(self, request: ThreadsCustomActionReq, run: Run) -> None:
        """Have the app take an action."""
        params = request.params
        item: ThreadItem | None = None
        if params.item_id:
            item = await self._store.load_item(params.thread_id, params.item_id, run.context)
        if item is not None and not isinstance(item, WidgetItem):
            raise StreamError(ErrorCode.STREAM_ERROR, allow_retry=False)
        await self._record_action(params, run.context)
        await run.emit_all(self._server.action(run.thread, params.action, item, run.context))
        if run.memory is None:
            run.restore()

    async def _answer_app(
        self, request: ThreadsAddClientToolOutputReq | ThreadsAddStructuredInputReq, run: Run
    ) -> None:
        """Take an answer to what the app, rather than its agent, has asked."""
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
            call = pending[0].model_copy(
                update={"status": "completed", "output": request.params.result}
            )
            run.emit(ThreadItemReplacedEvent(item=call), is_addition=True)
            for each in pending[1:]:
                run.emit(ThreadItemRemovedEvent(item_id=each.id), is_addition=True)
        await run.checkpoint()
        await self._server.execute_respond(run, None)

    # Messages

    async def _thread_for_ids(self, thread_id: str, context: TContext) -> ThreadMetadata:
        """Return a thread for an app that makes ids of it; others need not have it loaded."""
        if type(self._store).generate_item_id is SQLStore.generate_item_id:
            return ThreadMetadata(id=thread_id, created_at=datetime.now())
        return await self._store.load_thread(thread_id, context)

    async def _build_message(
        self,
        given: UserMessageInput,
        thread: ThreadMetadata,
        context: TContext,
        request: StreamingReq,
    ) -> UserMessageItem:
        given = await self._with_attachments(given, (), request, context)
        return await self._message(given, thread, context)

    async def _message(
        self, given: UserMessageInput, thread: ThreadMetadata, context: TContext
    ) -> UserMessageItem:
        return UserMessageItem(
            id=self._store.generate_item_id("message", thread, context),
            content=given.content,
            thread_id=thread.id,
            attachments=[
                (await self._store.load_attachment(attachment_id, context)).model_copy(
                    update={"thread_id": thread.id}
                )
                for attachment_id in given.attachments
            ],
            quoted_text=given.quoted_text,
            inference_options=given.inference_options,
            created_at=datetime.now(),
        )

    async def _with_attachments(
        self,
        given: UserMessageInput,
        known: Collection[str],
        request: StreamingReq,
        context: TContext,
    ) -> UserMessageInput:
        """Return a message with each attachment once, having looked at those that are new."""
        if not given.attachments:
            return given
        await self._raise_if_repeated(request, context)
        store = self._server.attachments()
        ids = list(dict.fromkeys(given.attachments))
        await store.check_message(ids, context)
        for attachment_id in ids:
            if attachment_id not in known:
                await store.confirm(attachment_id, context)
        return given.model_copy(update={"attachments": ids})

    async def _raise_if_repeated(self, request: StreamingReq, context: TContext) -> None:
        """Find a repeated request before what it has changed is in its way."""
        request_id = request_id_of(request)
        if request_id is not None:
            repeated = await self._store.log.find_request(owner_of(context), request_id)
            if repeated is not None:
                raise RepeatedRequestError(repeated)

    async def _edit(
        self, old: UserMessageItem, request: ThreadsRetryAfterItemReq, context: TContext
    ) -> UserMessageItem:
        new = await self._with_attachments(
            UserMessageInput.model_validate(request.metadata["input"]),
            {attachment.id for attachment in old.attachments},
            request,
            context,
        )
        thread = await self._store.load_thread(old.thread_id, context)
        built = await self._message(new, thread, context)
        edited = built.model_copy(update={"id": old.id, "created_at": old.created_at})
        self._server.with_new_links([edited], context)
        return edited

    # Answers at once

    async def answer(self, request: Any, context: TContext) -> bytes:
        """Return the JSON that answers a request."""
        thread_id = getattr(request.params, "thread_id", None)
        with request_span(request.type, thread_id) as span, span.current():
            return await self._answers[type(request)](request, context)

    async def _get_thread(self, request: ThreadsGetByIdReq, context: TContext) -> bytes:
        thread_id = request.params.thread_id
        thread = await self._store.load_thread(thread_id, context)
        page = await self._store.load_thread_items(thread_id, None, PAGE_SIZE, "asc", context)
        turn = await self._store.log.of_thread(thread_id, owner_of(context))
        response = serialize(thread_response(thread, self._shown(page, request, context)))
        return _extended(
            response, turn=turn_json(turn), can_follow=True if self._server.detached else None
        )

    async def _list_threads(self, request: ThreadsListReq, context: TContext) -> bytes:
        params = request.params
        page = await self._store.load_threads(
            _page_size(params.limit), params.after, params.order, context
        )
        data = await self._listed(page.data, context)
        head = _extended(serialize(Page(has_more=page.has_more, after=page.after)), can_search=True)
        return head.replace(b'"data":[]', b'"data":[%b]' % b",".join(data), 1)

    async def _listed(self, threads: Sequence[ThreadMetadata], context: TContext) -> list[bytes]:
        """Return threads as a list of them holds them, each with its turn."""
        ids = [thread.id for thread in threads]
        turns: dict[str, TurnRow] = (
            await self._store.log.of_threads(ids, owner_of(context)) if ids else {}
        )
        return [
            _extended(serialize(thread_response(thread)), turn=turn_json(turns.get(thread.id)))
            for thread in threads
        ]

    async def _search(self, request: ThreadsSearchReq, context: TContext) -> bytes:
        params = request.params
        page = await self._store.search_threads(params.query, params.limit, params.after, context)
        listed = await self._listed([found.thread for found in page.data], context)
        data = [
            b'{"thread":%b,%b'
            % (
                thread,
                to_json(
                    {
                        "item_id": found.item_id,
                        "snippet": [
                            {"text": text, "is_match": is_match} for text, is_match in found.snippet
                        ],
                    }
                )[1:],
            )
            for thread, found in zip(listed, page.data, strict=True)
        ]
        head = serialize(Page(has_more=page.has_more, after=page.after))
        return head.replace(b'"data":[]', b'"data":[%b]' % b",".join(data), 1)

    async def _list_items(self, request: ItemsListReq, context: TContext) -> bytes:
        params = request.params
        page = await self._store.load_thread_items(
            params.thread_id, params.after, _page_size(params.limit), params.order, context
        )
        return serialize(self._shown(page, request, context))

    def _shown(self, page: Page[ThreadItem], request: Any, context: TContext) -> Page[ThreadItem]:
        items = shown(page.data, with_ends=knows_turn_ends(request))
        return Page(
            data=self._server.with_new_links(items, context),
            has_more=page.has_more,
            after=page.after,
        )

    async def _feedback(self, request: ItemsFeedbackReq, context: TContext) -> bytes:
        params = request.params
        if len(params.item_ids) > MAX_IDS:
            raise RequestTooComplexError(f"Name at most {MAX_IDS} items.")
        await self._server.add_feedback(params.thread_id, params.item_ids, params.kind, context)
        return b"{}"

    async def _create_attachment(self, request: AttachmentsCreateReq, context: TContext) -> bytes:
        if value_of(context, "is_new_visitor"):
            raise UnknownVisitorError
        attachment = await self._server.attachments().create_attachment(request.params, context)
        await self._store.save_attachment(attachment, context)
        return serialize(attachment)

    async def _delete_attachment(self, request: AttachmentsDeleteReq, context: TContext) -> bytes:
        attachment_id = request.params.attachment_id
        await self._server.attachments().delete_attachment(attachment_id, context)
        await self._store.delete_attachment(attachment_id, context)
        await self._store.audit.record(
            "attachment.deleted", owner_of(context), attachment=attachment_id
        )
        return b"{}"

    async def _transcribe(self, request: InputTranscribeReq, context: TContext) -> bytes:
        audio = AudioInput(
            data=base64.b64decode(request.params.audio_base64), mime_type=request.params.mime_type
        )
        return serialize(await self._server.transcribe(audio, context))

    async def _update_thread(self, request: ThreadsUpdateReq, context: TContext) -> bytes:
        thread = await self._store.load_thread(request.params.thread_id, context)
        await self.set_title(thread, request.params.title, context)
        thread.title = request.params.title
        return serialize(thread_response(thread))

    async def _delete_thread(self, request: ThreadsDeleteReq, context: TContext) -> bytes:
        thread_id, owner = request.params.thread_id, owner_of(context)
        key = await self._store.log.key_of(thread_id, owner)
        await self._store.delete_thread(thread_id, context)
        await self._store.audit.record("thread.deleted", owner, thread_id)
        self._server.worker.thread_deleted(key, thread_id, owner)
        if self._server.attachment_store is not None:
            try:
                await self._server.attachment_store.delete_doomed(self._store)
            except Exception:
                logger.exception("The files of a deleted thread remain until they are cleaned up.")
        return b"{}"

    async def _sync_action(self, request: ThreadsSyncCustomActionReq, context: TContext) -> bytes:
        params = request.params
        if params.action.type in OUR_ACTIONS:
            raise ValueError("What the agent asks is answered by threads.custom_action.")
        async with self._store.turn(params.thread_id, context):
            thread = await self._store.load_thread(params.thread_id, context)
            item: ThreadItem | None = None
            if params.item_id:
                item = await self._store.load_item(params.thread_id, params.item_id, context)
            if item is not None and not isinstance(item, WidgetItem):
                raise ValueError("threads.sync_custom_action requires a widget sender item")
            await self._record_action(params, context)
            return serialize(await self._server.sync_action(thread, params.action, item, context))

    async def _stop(self, request: ThreadsStopReq, context: TContext) -> bytes:
        params = request.params
        status = await self._server.worker.stop(params.thread_id, owner_of(context), params.turn_id)
        return to_json({"status": status})

    async def _claim_tool(self, request: ThreadsClaimToolReq, context: TContext) -> bytes:
        params, page = request.params, page_of(request)
        if page is None:
            raise ValueError("Name the page that claims a tool: metadata.page_id.")
        item = await self._store.load_item(params.thread_id, params.item_id, context)
        if not isinstance(item, ClientToolCallItem) or item.status != "pending":
            return to_json({"status": "closed"})
        is_claimed = await self._store.turns.claim(
            params.thread_id, owner_of(context), params.item_id, page
        )
        return to_json({"status": "claimed" if is_claimed else "taken"})

    async def _record_action(self, params: Any, context: TContext) -> None:
        await self._store.audit.record(
            "action",
            owner_of(context),
            params.thread_id,
            item=params.item_id,
            type=params.action.type[:200],
            payload=digest_of(params.action.payload),
        )

    # Outside turns

    async def publish(
        self,
        thread_id: str,
        events: Sequence[ThreadStreamEvent],
        writes: Writes,
        context: TContext,
    ) -> None:
        """Write to a thread from outside its turn, and tell those who follow it.

        Raises:
            NotFoundError: If the owner has no such thread.
        """
        owner, run_id = owner_of(context), new_run_id()
        if events:
            writes.log = log_row(_numbered(run_id, events), None)
        turn = await self._store.turns.add(thread_id, owner, run_id, writes)
        worker = self._server.worker
        channel = worker.find_channel(turn.key)
        if channel is not None:
            await channel.pull()
        worker.thread_changed(owner, turn.key)

    async def set_title(self, thread: ThreadMetadata, title: str, context: TContext) -> None:
        """Give a thread a title, whether a turn is running or not."""
        named = thread.model_copy(update={"title": title})
        event = ThreadUpdatedEvent(thread=thread_response(named))
        writes = Writes(thread=ThreadChange(thread, named))
        await self.publish(thread.id, [event], writes, context)


def _numbered(run: str, events: Sequence[ThreadStreamEvent]) -> list[Entry]:
    return [Entry(run, number, serialize(event), event) for number, event in enumerate(events, 1)]


def _plain(event: ThreadStreamEvent) -> bytes:
    return b"data: %b\n\n" % serialize(event)


def _extended(response: bytes, **fields: Any) -> bytes:
    """Return a JSON object with more fields; those that are `None` are null, or left out."""
    fields = {name: value for name, value in fields.items() if name == "turn" or value is not None}
    return b"%b,%b" % (response[:-1], to_json(fields)[1:])


def _page_size(limit: int | None) -> int:
    """Return how many items or threads a page has, given what a request says."""
    return min(max(limit, 1), MAX_PAGE) if limit else PAGE_SIZE


def _check_open(thread: ThreadMetadata) -> None:
    status = thread.status
    if status.type != "active":
        raise ThreadClosedError(status.reason or f"This chat is {status.type}.")


def _abandon(begun: asyncio.Future[tuple[Run, Follower]], *, is_live: bool) -> None:
    """Let go of a turn that has begun when its client was gone."""
    if begun.cancelled() or begun.exception() is not None:
        return
    run, follower = begun.result()
    run.worker.release(follower)
    if not is_live:
        run.cancel("stopped")
