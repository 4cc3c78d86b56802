"""Writes to a thread outside its turns and notifies its followers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatkit.types import ThreadStreamEvent
from typing_extensions import TypeVar

from ..stores.owners import owner_of
from ..stores.sql.turn_rows import Writes
from .event_log import log_row, numbered
from .run import new_run_id

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
    """Write to a thread outside its turns and notify its followers.

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
    server.worker.lists.thread_changed(owner, turn.key)
