"""Limits on an owner's unsent attachments."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentLimitReachedError,
    AttachmentTypeRefusedError,
)

from .files import ANN, BOB, announce, store_at, stream


async def test_unsent_attachments_per_owner_are_limited(folder: Path) -> None:
    store = store_at(folder, max_unsent=2)
    first = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    await store.create_attachment(announce("b.txt", "text/plain", 1), ANN)
    with pytest.raises(AttachmentLimitReachedError):
        await store.upload("c.txt", "text/plain", stream(b"c"), ANN)
    with pytest.raises(AttachmentLimitReachedError):
        await store.create_attachment(announce("c.txt", "text/plain", 1), ANN)
    await store.upload("c.txt", "text/plain", stream(b"c"), BOB)

    await store.metadata.save_attachment(first.model_copy(update={"thread_id": "thr_1"}), ANN)
    third = await store.upload("c.txt", "text/plain", stream(b"c"), ANN)
    with pytest.raises(AttachmentLimitReachedError):
        await store.upload("d.txt", "text/plain", stream(b"d"), ANN)
    await store.delete_attachment(third.id, ANN)
    await store.upload("d.txt", "text/plain", stream(b"d"), ANN)
    assert await store.read_bytes(first.id, ANN) == b"a"


async def test_concurrent_uploads_count_together(folder: Path) -> None:
    store = store_at(folder, max_unsent=3)

    async def upload() -> bool:
        try:
            await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
        except AttachmentLimitReachedError:
            return False
        return True

    assert sum(await asyncio.gather(*(upload() for _ in range(20)))) <= 3


async def test_failed_upload_does_not_count(folder: Path) -> None:
    store = store_at(folder, max_unsent=1)
    for _ in range(3):
        with pytest.raises(AttachmentTypeRefusedError):
            await store.upload("a.png", "image/png", stream(b"a"), ANN)
    await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
