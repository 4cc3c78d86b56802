"""The quickstart sample's store in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from chatkit.store import NotFoundError
from chatkit.types import (
    FileAttachment,
    HiddenContextItem,
    Page,
    Thread,
    ThreadMetadata,
)
from samples.quickstart.store import MemoryStore

NOW = datetime(2026, 1, 1)


def thread(thread_id: str) -> ThreadMetadata:
    return ThreadMetadata(id=thread_id, created_at=NOW)


def item(item_id: str, content: str = "") -> HiddenContextItem:
    # All have the same time, because the order does not come from the clock.
    return HiddenContextItem(id=item_id, thread_id="thr_1", created_at=NOW, content=content)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.save_thread(thread("thr_1"), None)
    return store


def ids(page: Page[Any]) -> list[str]:
    return [record.id for record in page.data]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 100])
async def test_pages_contain_everything_once_in_order(
    store: MemoryStore, order: str, limit: int
) -> None:
    # Neither in the order of the IDs nor of the times.
    expected = ["e", "d", "a", "c", "b"]
    for name in expected:
        await store.add_thread_item("thr_1", item(name), None)
        await store.save_thread(thread(name), None)
    await store.delete_thread("thr_1x", None)
    if order == "desc":
        expected.reverse()

    found: list[str] = []
    after: str | None = None
    while True:
        page = await store.load_thread_items("thr_1", after, limit, order, None)
        found += ids(page)
        assert len(page.data) <= limit
        assert (page.after is not None) == page.has_more
        if not page.has_more:
            break
        after = page.after
    assert found == expected

    threads = await store.load_threads(100, None, order, None)
    assert [each for each in ids(threads) if each != "thr_1"] == expected
    first = await store.load_threads(2, None, order, None)
    rest = await store.load_threads(100, first.after, order, None)
    assert ids(first) + ids(rest) == ids(threads)


async def test_changed_record_keeps_its_position(store: MemoryStore) -> None:
    for name in ("a", "b"):
        await store.add_thread_item("thr_1", item(name), None)
    await store.save_item("thr_1", item("a", "changed"), None)
    page = await store.load_thread_items("thr_1", None, 10, "asc", None)
    assert ids(page) == ["a", "b"]
    assert page.data[0] == item("a", "changed")

    await store.save_thread(thread("thr_2"), None)
    await store.save_thread(thread("thr_1").model_copy(update={"title": "Changed"}), None)
    threads = await store.load_threads(10, None, "asc", None)
    assert [(each.id, each.title) for each in threads.data] == [
        ("thr_1", "Changed"),
        ("thr_2", None),
    ]
    assert ids(await store.load_thread_items("thr_1", None, 10, "asc", None)) == ["a", "b"]


async def test_stored_records_change_only_when_saved(store: MemoryStore) -> None:
    saved = item("a", "one")
    await store.add_thread_item("thr_1", saved, None)
    saved.content = "two"
    loaded = await store.load_item("thr_1", "a", None)
    assert loaded == item("a", "one")
    assert isinstance(loaded, HiddenContextItem)
    loaded.content = "three"
    (await store.load_thread("thr_1", None)).title = "Changed"
    assert await store.load_item("thr_1", "a", None) == item("a", "one")
    assert (await store.load_thread("thr_1", None)).title is None


async def test_thread_is_stored_without_items(store: MemoryStore) -> None:
    await store.save_thread(Thread(id="thr_2", created_at=NOW, items=Page()), None)
    assert type(await store.load_thread("thr_2", None)) is ThreadMetadata


async def test_deleted_records_are_gone(store: MemoryStore) -> None:
    for name in ("a", "b"):
        await store.add_thread_item("thr_1", item(name), None)
    await store.delete_thread_item("thr_1", "a", None)
    await store.delete_thread_item("thr_1", "never added", None)
    assert ids(await store.load_thread_items("thr_1", None, 10, "asc", None)) == ["b"]
    await store.delete_thread("thr_1", None)
    with pytest.raises(NotFoundError):
        await store.load_thread("thr_1", None)
    with pytest.raises(NotFoundError):
        await store.load_thread_items("thr_1", None, 10, "asc", None)
    # A new thread with the same ID does not contain the old thread's items.
    await store.save_thread(thread("thr_1"), None)
    assert ids(await store.load_thread_items("thr_1", None, 10, "asc", None)) == []


async def test_error_names_missing_record(store: MemoryStore) -> None:
    for missing in (
        store.load_thread("thr_none", None),
        store.load_thread_items("thr_none", None, 10, "asc", None),
        store.load_thread_items("thr_1", "none", 10, "asc", None),
        store.load_threads(10, "thr_none", "asc", None),
        store.load_item("thr_1", "none", None),
        store.load_item("thr_none", "none", None),
        store.add_thread_item("thr_none", item("a"), None),
        store.save_item("thr_none", item("a"), None),
        store.load_attachment("none", None),
    ):
        with pytest.raises(NotFoundError):
            await missing


async def test_attachments_are_stored(store: MemoryStore) -> None:
    attachment = FileAttachment(id="atc_1", name="a.txt", mime_type="text/plain")
    await store.save_attachment(attachment, None)
    assert await store.load_attachment("atc_1", None) == attachment
    await store.delete_attachment("atc_1", None)
    await store.delete_attachment("atc_1", None)
    with pytest.raises(NotFoundError):
        await store.load_attachment("atc_1", None)
