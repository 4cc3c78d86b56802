"""Builds the end of a turn whose worker died, from its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from agent_framework import AgentSession, Message
from chatkit.types import (
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadStreamEvent,
)
from pydantic_core import to_json

from ..interrupts.pause import release
from ..stores.sql.messages import dump_messages
from ..stores.sql.turn_rows import LogRow, StoredMessages, StoredThread, TurnEnd, TurnRow, Writes
from ..stores.turn_end import TurnEndItem
from .answers import is_asking
from .event_log import EVENT, Entry, log_row, read_row, serialize
from .exchange import Recovered, recover
from .remembered import dump_session, remembered_of_workflow
from .turn_state import MESSAGES, iso_time
from .unfinished import UnfinishedItems, settled_item


def interrupted_turn(
    turn: TurnRow,
    run: str,
    thread_id: str,
    stored: StoredThread,
    log: list[LogRow],
) -> Writes:
    """Return the writes that end a turn whose worker died.

    Args:
        turn: The turn.
        run: The ID of the run under which the end is logged.
        thread_id: The thread's ID.
        stored: The thread's stored data.
        log: The log rows that the worker wrote.
    """
    if turn.state != "running":
        # The worker held the thread for something else.
        return Writes()
    turn_end = TurnEnd.after(turn, "interrupted")
    writes = Writes(end=turn_end)
    events: list[ThreadStreamEvent] = []
    items = {each.item.id: each.item for each in stored.unread}
    recovered = recover((row.updates for row in log if row.updates), items)
    logged = list(_item_events(log))
    if recovered is not None:
        # The agent's pause was not stored, so its requests cannot be answered.
        events += [ThreadItemRemovedEvent(item_id=each) for each in _open_requests(logged)]
    for item in _unfinished(logged):
        settled = settled_item(item)
        if settled is None:
            events.append(ThreadItemRemovedEvent(item_id=item.id))
        else:
            writes.items.append(settled)
            events.append(ThreadItemDoneEvent(item=settled))
    end = TurnEndItem(
        thread_id=thread_id,
        created_at=datetime.now(),
        turn_id=turn.id,
        state="interrupted",
        message=MESSAGES["interrupted"],
        allow_retry=True,
    )
    writes.items.append(end)
    writes.removed += [each.item_id for each in events if isinstance(each, ThreadItemRemovedEvent)]
    writes.log = _log(run, events, end, turn.id, turn_end.at)
    if recovered is not None:
        writes.messages.append(_messages(turn.id, recovered))
        writes.session = (turn.id, dump_session(_next_session(stored, thread_id), thread_id))
    return writes


def _next_session(stored: StoredThread, thread_id: str) -> AgentSession:
    """Return the session that the next turn starts with."""
    if stored.session is None:
        return AgentSession(session_id=thread_id)
    session = stored.session.session
    session.service_session_id = None
    release(session)
    return session


def _item_events(log: list[LogRow]) -> Iterator[ThreadStreamEvent]:
    """Yield the item events in a log."""
    for row in log:
        for entry in read_row(row):
            if not (entry.is_addition or entry.is_internal or entry.is_passing):
                yield EVENT.validate_json(entry.data)


def _unfinished(events: Iterable[ThreadStreamEvent]) -> list[ThreadItem]:
    items = UnfinishedItems()
    for event in events:
        items.apply(event)
    # Items are stored with naive local times, like ChatKit's own, so that apps can compare them.
    return [
        item.model_copy(update={"created_at": item.created_at.astimezone().replace(tzinfo=None)})
        for item in items.items()
    ]


def _open_requests(events: Iterable[ThreadStreamEvent]) -> list[str]:
    """Return the IDs of the agent's requests that are open after these events."""
    request_ids: dict[str, None] = {}
    for event in events:
        if isinstance(event, ThreadItemRemovedEvent):
            request_ids.pop(event.item_id, None)
        elif isinstance(event, (ThreadItemDoneEvent, ThreadItemReplacedEvent)):
            request_ids.pop(event.item.id, None)
            if is_asking(event.item):
                request_ids[event.item.id] = None
    return list(request_ids)


def _messages(turn_id: str, recovered: Recovered) -> StoredMessages:
    exchanged: list[Message] = recovered.messages
    if recovered.is_workflow:
        exchanged = remembered_of_workflow(exchanged, is_whole=False)
    data = dump_messages([*recovered.inputs, *exchanged])
    return StoredMessages(turn_id, data, recovered.read_to)


def _log(
    run: str, events: list[ThreadStreamEvent], end: TurnEndItem, turn_id: str, ended_at: float
) -> LogRow:
    entries = [Entry(run, number, serialize(event)) for number, event in enumerate(events, 1)]
    marked = serialize(ThreadItemDoneEvent.model_construct(item=end))
    entries.append(Entry(run, len(entries) + 1, marked, is_addition=True))
    updated = {
        "type": "turn.updated",
        "turn": {
            "id": turn_id,
            "state": "interrupted",
            "ended_at": iso_time(ended_at),
            "message": end.message,
            "allow_retry": True,
        },
    }
    entries.append(Entry(run, len(entries) + 1, to_json(updated), is_addition=True, is_last=True))
    return log_row(entries, None)
