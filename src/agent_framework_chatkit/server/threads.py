"""Threads and items as clients are sent them."""

from __future__ import annotations

from collections.abc import Sequence

from chatkit.types import (
    HiddenContextItem,
    Page,
    SDKHiddenContextItem,
    Thread,
    ThreadItem,
    ThreadMetadata,
)

from ..stores.turn_end import TurnEndItem


class ThreadClosedError(Exception):
    """The thread takes no messages; the message is for the person."""


def thread_response(thread: ThreadMetadata, items: Page[ThreadItem] | None = None) -> Thread:
    """Return a thread as clients are sent it, without what is the app's own."""
    return Thread(
        id=thread.id,
        title=thread.title,
        created_at=thread.created_at,
        items=items or Page(),
        status=thread.status,
        allowed_image_domains=thread.allowed_image_domains,
    )


def shown(items: Sequence[ThreadItem], *, with_ends: bool) -> list[ThreadItem]:
    """Return the items that clients may see.

    Args:
        items: Items of a thread.
        with_ends: Whether the client knows the items that say how a turn ended.
    """
    return [
        item
        for item in items
        if not isinstance(item, (HiddenContextItem, SDKHiddenContextItem))
        and (with_ends or not (isinstance(item, TurnEndItem) and item.state))
    ]


def check_open(thread: ThreadMetadata) -> None:
    """Refuse what a person writes in a thread that takes no messages.

    Raises:
        ThreadClosedError: If the thread is locked or closed.
    """
    status = thread.status
    if status.type != "active":
        raise ThreadClosedError(status.reason or f"This chat is {status.type}.")
