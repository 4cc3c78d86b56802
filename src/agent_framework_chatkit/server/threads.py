"""Threads and items in the form that clients receive."""

from __future__ import annotations

from collections.abc import Sequence

from chatkit.types import (
    ClientToolCallItem,
    HiddenContextItem,
    Page,
    SDKHiddenContextItem,
    Thread,
    ThreadItem,
    ThreadMetadata,
)

from ..stores.sql import json_text
from ..stores.sql.turn_rows import DumpedItem
from ..stores.turn_end import TurnEndItem


class ThreadClosedError(Exception):
    """The thread accepts no messages, answers or actions. The error's message is for the user."""


def thread_response(thread: ThreadMetadata, items: Page[ThreadItem] | None = None) -> Thread:
    """Return a thread for clients, without the app's own metadata."""
    return Thread(
        id=thread.id,
        title=thread.title,
        created_at=thread.created_at,
        items=items or Page(),
        status=thread.status,
        allowed_image_domains=thread.allowed_image_domains,
    )


def visible_items(items: Sequence[ThreadItem], *, with_ends: bool) -> list[ThreadItem]:
    """Return the items that clients may see.

    Args:
        items: Items of a thread.
        with_ends: Whether the client knows the items that mark the end of a turn.
    """
    return [
        without_output(item)
        for item in items
        if not is_hidden(item) and (with_ends or not (isinstance(item, TurnEndItem) and item.state))
    ]


def is_hidden(item: ThreadItem) -> bool:
    """Return whether an item is for the agent only."""
    return isinstance(item, (HiddenContextItem, SDKHiddenContextItem))


def without_output(item: ThreadItem) -> ThreadItem:
    """Return an item without the output of a client tool.

    Clients do not show it, and it may have 16 MB.
    """
    if isinstance(item, ClientToolCallItem) and item.output is not None:
        return item.model_copy(update={"output": None})
    return item


def for_writing(item: ThreadItem) -> ThreadItem | DumpedItem:
    """Return an item to write; the output of a client tool is freed once it is JSON."""
    if isinstance(item, ClientToolCallItem) and item.output is not None:
        return DumpedItem(item.id, json_text.dump(item))
    return item


def check_open(thread: ThreadMetadata) -> None:
    """Check that a thread accepts messages, answers and actions.

    Raises:
        ThreadClosedError: If the thread is locked or closed.
    """
    status = thread.status
    if status.type != "active":
        raise ThreadClosedError(status.reason or f"This chat is {status.type}.")
