"""Requirements for files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import FileAttachment

from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentSizeMismatchError,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
)

from .files import (
    ANN,
    IMAGES,
    announce,
    files_in,
    store_at,
    stream,
)


async def test_announced_size_too_large(store: AttachmentStore[Any]) -> None:
    with pytest.raises(AttachmentTooLargeError, match="1000 bytes"):
        await store.create_attachment(announce("a.txt", "text/plain", 1001), ANN)
    with pytest.raises(AttachmentTooLargeError):
        await store.upload("a.txt", "text/plain", stream(b"a"), ANN, 1001)


async def test_actual_size_too_large(local: AttachmentStore[Any], folder: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 100
            yield bytes(100)

    with pytest.raises(AttachmentTooLargeError):
        await local.upload("a.txt", "text/plain", endless(), ANN)
    assert taken == 1100, "reading stops at the limit"
    assert files_in(folder) == []


async def test_limit_is_readable(folder: Path) -> None:
    store = store_at(folder, max_size=20 * 1024**2)
    with pytest.raises(AttachmentTooLargeError, match="Attach at most 20 MiB"):
        await store.upload("a.txt", "text/plain", stream(), ANN, 2**40)


@pytest.mark.parametrize("chunks", [[], [b"ab"], [b"ab", b"cd"]])
async def test_size_differs_from_announced(
    local: AttachmentStore[Any], folder: Path, chunks: list[bytes]
) -> None:
    with pytest.raises(AttachmentSizeMismatchError):
        await local.upload("a.txt", "text/plain", stream(*chunks), ANN, 3)
    assert files_in(folder) == []

    created = await local.create_attachment(announce("a.txt", "text/plain", 3), ANN)
    with pytest.raises(AttachmentSizeMismatchError):
        await local.receive(created.id, stream(*chunks), context=ANN)
    assert not [name for name in files_in(folder) if name.startswith(("files", "incoming"))]
    # The upload may be tried again.
    await local.receive(created.id, stream(b"abc"), context=ANN)


async def test_impossible_size(store: AttachmentStore[Any]) -> None:
    with pytest.raises(AttachmentSizeMismatchError):
        await store.create_attachment(announce("a.txt", "text/plain", -1), ANN)


@pytest.mark.parametrize("mime_type", ["application/x-msdownload", "image/svg+xml", "nonsense", ""])
async def test_rejected_types(store: AttachmentStore[Any], mime_type: str) -> None:
    with pytest.raises(AttachmentTypeRefusedError):
        await store.create_attachment(announce("a", mime_type, 1), ANN)
    with pytest.raises(AttachmentTypeRefusedError):
        await store.upload("a", mime_type, stream(b"a"), ANN)


@pytest.mark.parametrize("data", [b"", b"<script>alert(1)</script>", b"\x89PNG", b"a" * 900])
async def test_claimed_image_must_be_image(
    local: AttachmentStore[Any], folder: Path, data: bytes
) -> None:
    with pytest.raises(AttachmentTypeRefusedError):
        await local.upload("a.png", "image/png", stream(data), ANN)
    assert files_in(folder) == []


async def test_image_gets_actual_type(store: AttachmentStore[Any]) -> None:
    jpeg = IMAGES["image/jpeg"]
    attachment = await store.upload("a.png", "image/png", stream(jpeg), ANN)
    assert attachment.mime_type == "image/jpeg"


async def test_actual_image_type_must_be_accepted(folder: Path) -> None:
    store = store_at(folder, accept=["image/png"])
    with pytest.raises(AttachmentTypeRefusedError):
        await store.upload("a.png", "image/png", stream(IMAGES["image/gif"]), ANN)


async def test_active_content_is_download(folder: Path) -> None:
    store = store_at(folder, accept=["*/*"])
    for mime_type in ("image/svg+xml", "text/html", "application/xhtml+xml", "text/xml"):
        attachment = await store.upload("a", mime_type, stream(b"<svg/>"), ANN)
        assert isinstance(attachment, FileAttachment)
        headers = (await store.open(attachment.id, context=ANN)).headers
        assert headers["Content-Disposition"].startswith("attachment;")
