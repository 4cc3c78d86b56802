"""Dispatches requests and streams the answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic

from chatkit.errors import ErrorCode
from chatkit.types import (
    ErrorEvent,
    NoticeEvent,
    StreamingReq,
    ThreadCreatedEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadStreamEvent,
)
from typing_extensions import TypeVar

from ..error_log import log_error
from ..stores.errors import ThreadBusyError
from ..stores.owners import owner_of
from ..stores.sql.store import SQLStore
from ..stores.sql.turn_rows import RepeatedRequestError, RequestRow
from ..telemetry import RecordedSpan, request_span
from .event_log import serialize
from .follower import Follower
from .replies import Replies
from .requests import RequestInvalidError, ThreadsFollowReq, digest_of, is_detached
from .streams import Frames, run_events, thread_events
from .threads import ThreadClosedError, thread_response, visible_items
from .turn_requests import TurnRequests
from .worker import shielded

if TYPE_CHECKING:
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

BUSY = (
    "An answer is still being written in this chat. Wait until it is finished, or stop it, and "
    "try again."
)
"""Shown to a user who does something else while an answer is being written."""

_REUSED = "The metadata.request_id belongs to another request. Send a new random one."


class Dispatcher(Generic[TContext]):
    """Handles requests.

    Args:
        server: The server that receives them.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server
        self._store: SQLStore[TContext] = server.store
        self.turns = TurnRequests(server)
        self.replies = Replies(server)

    async def stream(
        self, request: StreamingReq | ThreadsFollowReq, context: TContext
    ) -> AsyncGenerator[Frames, None]:
        """Yield the events that answer a request.

        A failure before the first event is raised; a later one becomes an error event.
        """
        has_begun = False
        with request_span(request.type, _thread_of(request)) as span:
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
                log_error(logger, "A stream could not be finished.")
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
        """Start a turn and yield its events."""
        is_live = self._server.detached and is_detached(request)
        try:
            with span.current():
                beginning = self.turns.begin(request, context, is_live=is_live)
                run, follower = await shielded(beginning, is_live=is_live)
        except ThreadBusyError:
            yield [_plain(NoticeEvent(level="warning", message=BUSY))]
            return
        except ThreadClosedError as closed:
            yield [_plain(NoticeEvent(level="warning", message=str(closed)))]
            return
        except RepeatedRequestError as repeated:
            known = repeated.request
            is_other = known.digest not in (None, digest_of(request))
            if is_other or _thread_of(request) not in (None, known.thread_id):
                raise RequestInvalidError(_REUSED) from repeated
            async for frames in self._repeat(known, context, is_live=is_live):
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
            worker.watch()
            follower = Follower.from_row(channel, row)
            try:
                async with aclosing(run_events(follower, is_live=is_live)) as events:
                    async for frames in events:
                        yield frames
            finally:
                worker.release(follower)
            return
        # The log is purged, so the turn is over: send the items that it left.
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
        for item in visible_items(found[::-1], with_ends=True):
            yield ThreadItemDoneEvent(item=item)


def _thread_of(request: StreamingReq | ThreadsFollowReq) -> str | None:
    """Return the ID of a request's thread, or `None` if the request creates one."""
    return getattr(request.params, "thread_id", None)


def _plain(event: ThreadStreamEvent) -> bytes:
    return b"data: %b\n\n" % serialize(event)
