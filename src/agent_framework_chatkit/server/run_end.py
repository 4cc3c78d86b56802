"""Ends a run: closes its open items and stores how it ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatkit.errors import ErrorCode
from chatkit.store import NotFoundError
from chatkit.types import (
    ErrorEvent,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadStreamEvent,
)

from ..bridge.overrides import limited
from ..error_log import log_error
from .remembered import RememberedTurn, remembered_without_agent
from .turn_state import TurnState
from .unfinished import settled_item

if TYPE_CHECKING:
    from .run import Run
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

CANCELLED_WITHIN = 10.0
"""Maximum seconds for an app's own cleanup after a stop."""


async def end_run(server: AgentChatKitServer[Any], run: Run, state: TurnState) -> None:
    """Close a run's open items and store how its turn ended."""
    if run.is_lost:
        return
    run.note_thread()
    unfinished = await run.settle()
    if state in ("stopped", "interrupted", "timed_out"):
        try:
            await limited(_clean_up(server, run, unfinished), CANCELLED_WITHIN)
        except Exception:
            log_error(logger, "The cleanup after a stop in thread %r failed.", run.thread.id)
            close_items(run, [item for item in unfinished if not run.has_finished(item.id)])
        for item in unfinished:
            if not run.has_finished(item.id):
                run.emit(await _last_event(server, item, run))
    else:
        close_items(run, unfinished)
    remembered: RememberedTurn | None
    if run.agent_turn is not None:
        try:
            remembered = await run.agent_turn.finish(state)
        except Exception:
            log_error(logger, "The agent forgets a turn in thread %r.", run.thread.id)
            run.emit(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))
            state, remembered = "failed", None
    else:
        remembered = remembered_without_agent(run.turn_id, run.tried, run.thread.id)
    await run.end(state, remembered)


async def _clean_up(
    server: AgentChatKitServer[Any], run: Run, unfinished: list[ThreadItem]
) -> None:
    """Let the app clean up. Its method may fail before it returns a coroutine."""
    await server.handle_stream_cancelled(run.thread, unfinished, run.context)


def close_items(run: Run, unfinished: Sequence[ThreadItem]) -> None:
    """Finish open items as they are, or remove them if they show nothing."""
    for item in unfinished:
        settled = settled_item(item)
        if settled is None:
            run.emit(ThreadItemRemovedEvent(item_id=item.id))
        else:
            run.emit(ThreadItemDoneEvent(item=settled))


async def _last_event(
    server: AgentChatKitServer[Any], item: ThreadItem, run: Run
) -> ThreadStreamEvent:
    """Return the event that ends an item which `handle_stream_cancelled` may have stored."""
    try:
        stored = await server.store.load_item(run.thread.id, item.id, run.context)
    except NotFoundError:
        return ThreadItemRemovedEvent(item_id=item.id)
    return ThreadItemDoneEvent(item=stored)
