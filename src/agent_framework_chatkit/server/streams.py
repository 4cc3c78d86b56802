"""Streams server-sent events of a run, or of a thread while a client follows it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, nullcontext
from typing import TYPE_CHECKING, Any

from chatkit.errors import ErrorCode
from chatkit.server import StreamingResult
from chatkit.types import ErrorEvent, Page, ThreadItem, ThreadMetadata
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError

from ..stores.sql.availability import RETRY_EVERY, is_unavailable
from ..stores.sql.turn_rows import Snapshot
from .channel import Channel, ChannelClosedError
from .event_log import Entry, parse_id, serialize
from .follower import FellBehindError, Follower
from .requests import ThreadsFollowReq, page_of
from .run_thread import with_change
from .threads import thread_response, visible_items
from .turn_state import turn_json

if TYPE_CHECKING:
    from .server import AgentChatKitServer
    from .worker import Worker

FOLLOWED_FOR = (600.0, 900.0)
"""The range of the random time, in seconds, after which a follow stream ends."""

RECONNECT_AFTER = (0.5, 5.0)
"""The range of the random time, in seconds, after which a client reconnects."""

_ALIVE = b":\n\n"

Frames = list[bytes]
"""Server-sent events that are available at the same time. The reader may empty the list."""


class EventsResult(StreamingResult):
    """A stream of server-sent events, one at a time like ChatKit's result, or in batches.

    Attributes:
        batches: The events in batches, to send each batch as one chunk.
    """

    def __init__(self, batches: AsyncGenerator[Frames, None]) -> None:
        super().__init__(_one_by_one(batches))
        self.batches = batches


async def _one_by_one(batches: AsyncGenerator[Frames, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(batches):
        async for frames in batches:
            for frame in frames:
                yield frame


async def run_events(follower: Follower, *, is_live: bool) -> AsyncGenerator[Frames, None]:
    """Yield the events of one run, from the follower's place to the end of the run.

    Args:
        follower: Reads the events.
        is_live: Whether the client follows threads. If so, it receives event IDs, which let it
            resume, and additional events.
    """
    is_first = is_live
    while True:
        try:
            entries = await _read(follower)
        except (FellBehindError, ChannelClosedError):
            error = ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=False)
            yield [b"data: %b\n\n" % serialize(error)]
            return
        if entries is None:
            yield [_ALIVE]
            continue
        frames: Frames = []
        is_over = False
        for entry in entries:
            if is_live:
                frames.append(entry.frame)
            elif not entry.is_addition:
                frames.append(entry.plain_frame)
            if entry.is_last:
                # Later events belong to another run.
                is_over = True
                break
        if is_first and frames:
            is_first = False
            frames[0] = _with_can_follow(frames[0])
        # Free the entries: a slow client keeps this frame alive for a long time.
        entries.clear()
        if frames:
            yield frames
        if is_over:
            return


async def _read(follower: Follower) -> list[Entry] | None:
    """Return the next events, or `None` if it is time for a heartbeat.

    Raises:
        ChannelClosedError: If there will be no more events.
        FellBehindError: If the next events are no longer in the log.
    """
    try:
        return await follower.read()
    except SQLAlchemyError as error:
        # The next events are only in the log.
        if not is_unavailable(error):
            raise
    await asyncio.sleep(RETRY_EVERY)
    return None


async def thread_events(
    server: AgentChatKitServer[Any], request: ThreadsFollowReq, owner: str, context: Any
) -> AsyncGenerator[Frames, None]:
    """Yield a thread's state or the missed events, and then its events as they happen.

    Raises:
        NotFoundError: If the owner has no such thread.
    """
    worker = server.worker
    deadline = asyncio.get_running_loop().time() + random.uniform(*FOLLOWED_FOR)  # noqa: S311
    lists = _Lists(worker, owner) if request.params.list else None
    follower: Follower | None = None
    try:
        follower, first = await _begin(server, request, owner, context)
        if lists is not None:
            lists.wake = follower.call
            await worker.lists.begin(owner)
        if first:
            yield first
        while asyncio.get_running_loop().time() < deadline:
            if lists is not None:
                changes = await lists.read(except_key=follower.channel.key)
                if changes:
                    yield changes
            try:
                entries = await _read(follower)
            except ChannelClosedError:
                break
            except FellBehindError:
                worker.release(follower)
                state = await worker.store.database.availability.retry(
                    lambda: _state(server, request, owner, context)
                )
                follower, first = state
                yield first
                continue
            if entries is None:
                yield [_ALIVE]
            elif entries:
                frames = [entry.frame for entry in entries]
                # Free the entries: a slow client keeps this frame alive for a long time.
                entries.clear()
                yield frames
        yield [b"retry: %d\n\n" % (random.uniform(*RECONNECT_AFTER) * 1000)]  # noqa: S311
    finally:
        if lists is not None:
            lists.close()
        if follower is not None:
            worker.release(follower)


async def _begin(
    server: AgentChatKitServer[Any], request: ThreadsFollowReq, owner: str, context: Any
) -> tuple[Follower, Frames]:
    """Return a follower, and the thread's state if the client cannot resume."""
    after = parse_id(request.params.after) if request.params.after else None
    if after is not None:
        follower = await _resume(server.worker, request, owner, *after)
        if follower is not None:
            return follower, []
    return await _state(server, request, owner, context)


async def _resume(
    worker: Worker, request: ThreadsFollowReq, owner: str, run: str, number: int
) -> Follower | None:
    """Return a follower that resumes after an event, or `None` if that might skip events."""
    log, params, page = worker.store.log, request.params, page_of(request)
    turn = await log.of_thread(params.thread_id, owner)
    if turn is None or await log.may_have_missed(turn.key, run, number):
        return None
    channel = worker.find_channel(turn.key)
    place = None if channel is None else channel.find(run, number)
    if channel is not None and place is not None:
        worker.watch()
        return Follower(channel, place, page=page, last=(run, number))
    # Another worker may have just streamed the event, and not written it yet.
    for _ in range(10 if turn.run == run and turn.worker is not None else 1):
        row = await log.find_in_log(turn.key, run, number)
        if row is not None:
            channel = await worker.open_channel(params.thread_id, owner)
            if row.position > channel.known:
                # Deliver now what the client received elsewhere, so that it is not sent again.
                await channel.pull()
            worker.watch()
            return Follower.behind(channel, run, number, page=page)
        await asyncio.sleep(0.1)
    return None


async def _state(
    server: AgentChatKitServer[Any], request: ThreadsFollowReq, owner: str, context: Any
) -> tuple[Follower, Frames]:
    """Return a thread's state at one point in time, and a follower that continues from there."""
    worker, params = server.worker, request.params
    while True:
        channel = await worker.open_channel(params.thread_id, owner)
        run = channel.run
        # Nothing is stored meanwhile, so that the stored items and the open ones are consistent.
        async with nullcontext() if run is None else run.writer.lock:
            known = channel.known
            snapshot = await worker.store.log.snapshot(params.thread_id, owner, params.limit)
            position = 0 if snapshot.turn is None else snapshot.turn.log_position
            # Meanwhile, the channel may have been dropped, others may have written, or a run may
            # have started or ended.
            is_current = worker.find_channel(channel.key) is channel and channel.run is run
            if is_current and position == channel.known:
                return _start_following(server, channel, snapshot, page_of(request), context)
        if is_current and run is None and position < known:
            worker.forget(channel)
        elif is_current and position > channel.known:
            await channel.pull(position if run is None else 0)


def _start_following(
    server: AgentChatKitServer[Any],
    channel: Channel,
    snapshot: Snapshot,
    page: str | None,
    context: Any,
) -> tuple[Follower, Frames]:
    follower = Follower(channel, channel.end, page=page)
    server.worker.watch()
    items: Page[ThreadItem] = Page(
        data=server.with_new_links(visible_items(snapshot.items.data, with_ends=True), context),
        has_more=snapshot.items.has_more,
        after=snapshot.items.after,
    )
    unfinished = visible_items(channel.unfinished.items(), with_ends=True)
    state = (
        b'{"type":"thread.state","can_follow":true,"thread":%b,"items":%b,"open_items":%b,"turn":%b}'
        % (
            serialize(thread_response(_thread(channel, snapshot))),
            serialize(items),
            b"[%b]" % b",".join(map(serialize, unfinished)),
            to_json(turn_json(snapshot.turn)),
        )
    )
    last = channel.newest_id or snapshot.last_id
    name = b"" if last is None else f"id: {last}\n".encode()
    return follower, [b"%bdata: %b\n\n" % (name, state)]


def _thread(channel: Channel, snapshot: Snapshot) -> ThreadMetadata:
    """Return a thread with the change that clients received but that is not stored yet."""
    if channel.run is None:
        return snapshot.thread
    return with_change(snapshot.thread, channel.run.writer.writes.thread)


def _with_can_follow(frame: bytes) -> bytes:
    head, _, _ = frame.rpartition(b"}")
    return head + b',"can_follow":true}\n\n'


class _Lists:
    """Collects changes in an owner's threads for a client."""

    def __init__(self, worker: Worker, owner: str) -> None:
        self._worker = worker
        self._owner = owner
        self._changed: dict[int, None] = {}
        self._ids: dict[int, str] = {}
        self.wake: Callable[[], None] = lambda: None
        worker.lists.follow(owner, self._notify)
        worker.watch()

    def _notify(self, key: int) -> None:
        self._changed[key] = None
        self.wake()

    async def read(self, except_key: int) -> Frames:
        """Return the changes in other threads as events."""
        changed, self._changed = self._changed, {}
        frames: list[bytes] = []
        for key in changed:
            if key == except_key:
                continue
            try:
                found = await self._worker.store.log.summary(key)
            except SQLAlchemyError as error:
                if not is_unavailable(error):
                    raise
                # Try again later.
                self._changed[key] = None
                continue
            if found is not None:
                thread, turn = found
                self._ids[key] = thread.id
                response = serialize(thread_response(thread))[:-1] + b',"turn":%b}' % to_json(
                    turn_json(turn)
                )
                frames.append(b'data: {"type":"threads.changed","thread":%b}\n\n' % response)
            else:
                thread_id = self._ids.pop(key, None) or self._worker.lists.deleted_ids.get(key)
                if thread_id is not None:
                    event = {"type": "threads.deleted", "thread_id": thread_id}
                    frames.append(b"data: %b\n\n" % to_json(event))
        return frames

    def close(self) -> None:
        """Stop collecting."""
        self._worker.lists.unfollow(self._owner, self._notify)
