"""Reading a whole thread page by page."""

from __future__ import annotations

from typing import Any

import pytest
from chatkit.store import NotFoundError
from chatkit.types import (
    Page,
    ThreadItem,
)

from agent_framework_chatkit import ThreadItemConverter, thread_to_agent_input

from .example_items import user


class OnePageStore:
    """The part of a store that reads items."""

    def __init__(self, count: int, *, names_after: bool = True, advances: bool = True) -> None:
        self.items = [user(str(number), id=f"msg_{number}") for number in range(count)]
        self.names_after = names_after
        self.advances = advances

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        if thread_id != "thr_1":
            raise NotFoundError(thread_id)
        assert (order, context) == ("asc", "ctx")
        start = 0
        if after is not None and self.advances:
            start = next(i for i, item in enumerate(self.items) if item.id == after) + 1
        data: list[ThreadItem] = list(self.items[start : start + limit])
        has_more = start + limit < len(self.items)
        names = has_more and self.names_after
        return Page(data=data, has_more=has_more, after=data[-1].id if names else None)


async def test_long_thread_is_read_completely() -> None:
    store: Any = OnePageStore(5_000)
    messages = await thread_to_agent_input(store, "thr_1", "ctx")
    assert [message.text for message in messages] == [str(number) for number in range(5_000)]


async def test_store_without_page_cursor_is_read() -> None:
    store: Any = OnePageStore(250, names_after=False)
    converter = ThreadItemConverter()
    messages = await thread_to_agent_input(store, "thr_1", "ctx", converter=converter)
    assert messages[-1].text == "249"


async def test_store_whose_pages_do_not_advance_raises() -> None:
    store: Any = OnePageStore(250, advances=False)
    with pytest.raises(ValueError, match=r"OnePageStore\.load_thread_items"):
        await thread_to_agent_input(store, "thr_1", "ctx")


async def test_store_errors_propagate() -> None:
    store: Any = OnePageStore(1)
    with pytest.raises(NotFoundError):
        await thread_to_agent_input(store, "thr_2", "ctx")
