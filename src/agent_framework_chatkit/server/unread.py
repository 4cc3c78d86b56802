"""Which of the items that an agent has not read it is told of."""

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
    """Return whether a person has written an item, or code has added it for the agent."""
    kinds = (UserMessageItem, HiddenContextItem, SDKHiddenContextItem)
    return unread.is_news or isinstance(unread.item, kinds)


def written(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return what a person has written, and what code has added for the agent."""
    return [each.item for each in unread if _is_written(each)]


def answered(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return what was answered last to the app, which asked on its own, and what was written."""
    answered = [
        each
        for each in unread
        if (isinstance(each.item, ClientToolCallItem) and each.item.status == "completed")
        or (isinstance(each.item, StructuredInputItem) and each.item.status != "pending")
    ]
    return [each.item for each in unread if _is_written(each) or each in answered[-1:]]
