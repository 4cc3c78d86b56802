"""The end of a run: what it leaves open is closed, and how it ended is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatkit.store import NotFoundError
from chatkit.types import (
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadStreamEvent,
)

from .turn_state import TurnState
from .unfinished import kept

if TYPE_CHECKING:
    from .run import Run
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

CANCELLED_WITHIN = 10.0
"""Seconds that an app's own clean-up after a stop may take."""


async def end_run(server: AgentChatKitServer[Any], run: Run, state: TurnState) -> None:
    """Close what a run has left open, and keep how its turn has ended."""
    if run.is_lost:
        return
    run.note_thread()
    unfinished = await run.settle()
    if state in ("stopped", "interrupted", "timed_out"):
        try:
            await asyncio.wait_for(
                server.handle_stream_cancelled(run.thread, unfinished, run.context),
                CANCELLED_WITHIN,
            )
        except Exception:
            logger.exception("The clean-up after a stop in thread %r failed.", run.thread.id)
        for item in unfinished:
            if not run.has_finished(item.id):
                run.emit(await _left_by_app(server, item, run))
    else:
        close_items(run, unfinished)
    remembered = None if run.agent_turn is None else await run.agent_turn.finish(state)
    await run.end(state, remembered)


def close_items(run: Run, unfinished: Sequence[ThreadItem]) -> None:
    """End items that are not done: as they are, if they show something."""
    for item in unfinished:
        as_kept = kept(item)
        if as_kept is None:
            run.emit(ThreadItemRemovedEvent(item_id=item.id))
        else:
            run.emit(ThreadItemDoneEvent(item=as_kept))


async def _left_by_app(
    server: AgentChatKitServer[Any], item: ThreadItem, run: Run
) -> ThreadStreamEvent:
    """Return how an item ends that an app's `handle_stream_cancelled` may have stored."""
    try:
        stored = await server.store.load_item(run.thread.id, item.id, run.context)
    except NotFoundError:
        return ThreadItemRemovedEvent(item_id=item.id)
    return ThreadItemDoneEvent(item=stored)
