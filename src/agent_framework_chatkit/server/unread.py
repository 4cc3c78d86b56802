"""Selects the unread items that an agent receives."""

from __future__ import annotations

from collections.abc import Sequence

from chatkit.types import (
    ClientToolCallItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputItem,
    ThreadItem,
    UserMessageItem,
)

from ..stores.sql.turn_rows import UnreadItem


def _is_written(unread: UnreadItem) -> bool:
    """Return whether the user wrote an item, or code added it for the agent."""
    kinds = (UserMessageItem, HiddenContextItem, SDKHiddenContextItem)
    return unread.is_news or isinstance(unread.item, kinds)


def written(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return the items that the user wrote or that code added for the agent."""
    return [each.item for each in unread if _is_written(each)]


def answered(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return the last answer to a request of the app itself, and the `written` items."""
    answered = [
        each
        for each in unread
        if (isinstance(each.item, ClientToolCallItem) and each.item.status == "completed")
        or (isinstance(each.item, StructuredInputItem) and each.item.status != "pending")
    ]
    return [each.item for each in unread if _is_written(each) or each in answered[-1:]]
