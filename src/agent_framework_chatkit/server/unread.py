"""Selects the unread items that an agent receives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from chatkit.types import (
    ClientToolCallItem,
    HiddenContextItem,
    SDKHiddenContextItem,
    StructuredInputItem,
    ThreadItem,
    UserMessageItem,
)

from ..bridge.thread_items import ThreadItemConverter
from ..stores.sql.turn_rows import UnreadItem

_RESULT_OF_ITEM = ThreadItemConverter.client_tool_call_to_input


def _is_written(unread: UnreadItem) -> bool:
    """Return whether the user wrote an item, or code added it for the agent."""
    kinds = (UserMessageItem, HiddenContextItem, SDKHiddenContextItem)
    return unread.is_news or isinstance(unread.item, kinds)


def written(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return the items that the user wrote or that code added for the agent."""
    return [each.item for each in unread if _is_written(each)]


def read_before_written(unread: Sequence[UnreadItem], read_to: int) -> int:
    """Return the position of the last item before the first of the `written` items.

    Args:
        unread: The items after `read_to`.
        read_to: The position of the last item that was read before.
    """
    before = takewhile(lambda each: not _is_written(each), unread)
    return max((each.position for each in before), default=read_to)


def answered(unread: Sequence[UnreadItem]) -> list[ThreadItem]:
    """Return the last answer to a request of the app itself, and the `written` items."""
    answered = [
        each
        for each in unread
        if (isinstance(each.item, ClientToolCallItem) and each.item.status == "completed")
        or (isinstance(each.item, StructuredInputItem) and each.item.status != "pending")
    ]
    return [each.item for each in unread if _is_written(each) or each in answered[-1:]]


def outputs_of(unread: Sequence[UnreadItem], converter: ThreadItemConverter) -> dict[str, str]:
    """Return the IDs of the items that hold the results of client tool calls, by the calls' IDs.

    A converter that changes the results itself leaves none.
    """
    if type(converter).client_tool_call_to_input is not _RESULT_OF_ITEM:
        return {}
    items = [each.item for each in unread if isinstance(each.item, ClientToolCallItem)]
    count = Counter(item.call_id for item in items)
    return {
        item.call_id: item.id
        for item in items
        if item.output is not None and count[item.call_id] == 1
    }
