"""Writes to a thread from outside its turns, and tells those who follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatkit.types import (
    ThreadMetadata,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
)
from typing_extensions import TypeVar

from ..stores.owners import owner_of
from ..stores.sql.turn_rows import ThreadChange, Writes
from .event_log import log_row, numbered
from .run import new_run_id
from .threads import thread_response

if TYPE_CHECKING:
    from .server import AgentChatKitServer

TContext = TypeVar("TContext", default=Any)


async def publish(
    server: AgentChatKitServer[TContext],
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
        writes.log = log_row(numbered(run_id, events), None)
    turn = await server.store.turns.add(thread_id, owner, run_id, writes)
    channel = server.worker.find_channel(turn.key)
    if channel is not None:
        await channel.pull()
    server.worker.thread_changed(owner, turn.key)


async def set_title(
    server: AgentChatKitServer[TContext], thread: ThreadMetadata, title: str, context: TContext
) -> None:
    """Give a thread a title, whether a turn is running or not."""
    named = thread.model_copy(update={"title": title})
    event = ThreadUpdatedEvent(thread=thread_response(named))
    writes = Writes(thread=ThreadChange(thread, named))
    await publish(server, thread.id, [event], writes, context)
