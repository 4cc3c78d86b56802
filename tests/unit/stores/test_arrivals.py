"""Uploads: interrupted, concurrent, and through a bucket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import (
    Attachment,
    FileAttachment,
    ImageAttachment,
)

from agent_framework_chatkit import AgentChatKitServer
from agent_framework_chatkit.stores import AttachmentStore, SQLStore
from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentAlreadyUploadedError,
    AttachmentError,
    AttachmentNotFoundError,
    AttachmentNotUploadedError,
    AttachmentSizeMismatchError,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
)

from ...fakes.scripted_agent import agent
from .files import (
    ANN,
    IMAGES,
    PNG,
    announce,
    body,
    files_in,
    store_at,
    stream,
    token_in,
    upload_token,
)
from .metadata_store import MetadataStore


@pytest.mark.parametrize("sent", [0, 1, 900])
async def test_interrupted_upload(local: AttachmentStore[Any], folder: Path, sent: int) -> None:
    error = ConnectionError("gone")
    with pytest.raises(ConnectionError, match="gone"):
        await local.upload("a.txt", "text/plain", stream(bytes(sent), error=error), ANN)
    assert files_in(folder) == []
    assert isinstance(local.metadata, MetadataStore)
    assert local.metadata.saved == {}

    created = await local.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    with pytest.raises(ConnectionError, match="gone"):
        await local.receive(created.id, stream(b"a", error=error), context=ANN)
    with pytest.raises(AttachmentNotUploadedError):
        await local.confirm(created.id, ANN)
    with pytest.raises(AttachmentNotFoundError):
        await local.open(created.id, context=ANN)


@pytest.mark.parametrize("has_database", [False, True])
async def test_file_that_is_deleted_while_it_arrives_stays_deleted(
    has_database: bool, folder: Path
) -> None:
    async with SQLStore[Any]("sqlite://") as database:
        metadata = database if has_database else MetadataStore()
        store = store_at(folder, metadata=metadata, max_files=1)
        created = await store.create_attachment(announce("a.txt", "text/plain", 2), ANN)

        async def delete_meanwhile() -> AsyncIterator[bytes]:
            yield b"a"
            await store.delete_attachment(created.id, ANN)
            await metadata.delete_attachment(created.id, ANN)
            yield b"b"

        with pytest.raises(AttachmentNotFoundError):
            await store.receive(created.id, delete_meanwhile(), context=ANN)
        with pytest.raises(AttachmentNotFoundError):
            await store.open(created.id, context=ANN)
        assert files_in(folder) == []
        await store.create_attachment(announce("a.txt", "text/plain", 2), ANN)


async def test_file_that_arrives_while_it_is_deleted_is_deleted(folder: Path) -> None:
    class Slow(SQLStore[Any]):
        async def delete_attachment(self, attachment_id: str, context: Any) -> None:
            await files.receive(attachment_id, stream(b"a"), context=context)
            await super().delete_attachment(attachment_id, context)

    async with Slow("sqlite://") as store:
        files = store_at(folder, metadata=store)
        server = AgentChatKitServer[Any](agent(), store, files)
        created = await files.create_attachment(announce("a.txt", "text/plain", 1), ANN)
        request = {"type": "attachments.delete", "params": {"attachment_id": created.id}}
        await server.process(json.dumps(request), ANN)
        assert files_in(folder) == []
        await server.close()


@pytest.mark.parametrize("megabytes", [0, 13])
async def test_cancelled_upload(local: AttachmentStore[Any], folder: Path, megabytes: int) -> None:
    local.max_size = 20_000_000
    waits = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(megabytes):
            yield bytes(1_000_000)
        waits.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(local.upload("a.txt", "text/plain", slow(), ANN))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(folder) == []


async def test_bytes_can_be_uploaded_once(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    token = upload_token(created)
    await store.receive(created.id, stream(b"a"), token=token)
    with pytest.raises(AttachmentAlreadyUploadedError):
        await store.receive(created.id, stream(b"b"), token=token)
    assert await store.read_bytes(created.id, ANN) == b"a"


async def test_one_of_concurrent_uploads_wins(store: AttachmentStore[Any], tmp_path: Path) -> None:
    created = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    all_here = asyncio.Event()
    here = 0

    async def together(data: bytes) -> AsyncIterator[bytes]:
        nonlocal here
        here += 1
        if here == 5:
            all_here.set()
        await all_here.wait()
        yield data

    sent = [b"1", b"2", b"3", b"4", b"5"]
    results = await asyncio.gather(
        *(store.receive(created.id, together(data), context=ANN) for data in sent),
        return_exceptions=True,
    )
    won = [n for n, result in enumerate(results) if isinstance(result, FileAttachment)]
    refused = [each for each in results if isinstance(each, AttachmentAlreadyUploadedError)]
    assert (len(won), len(refused)) == (1, 4)
    assert await store.read_bytes(created.id, ANN) == sent[won[0]]
    assert not [name for name in files_in(tmp_path) if "incoming" in name]


async def test_upload_without_recorded_end_is_confirmed(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    await store.receive(created.id, stream(b"a"), context=ANN)
    await store.metadata.save_attachment(created, ANN)  # As if the process had ended earlier.
    with pytest.raises(AttachmentAlreadyUploadedError):
        await store.receive(created.id, stream(b"a"), context=ANN)
    confirmed = await store.confirm(created.id, ANN)
    assert confirmed.upload_descriptor is None
    assert await store.metadata.load_attachment(created.id, ANN) == confirmed


# A bucket receives the bytes directly. Here, the test puts them there.


def bucket_receives(folder: Path, attachment: Attachment, data: bytes) -> None:
    (folder / "incoming").mkdir(exist_ok=True)
    (folder / "incoming" / attachment.id).write_bytes(data)


async def test_uploaded_object_is_confirmed(local: AttachmentStore[Any], folder: Path) -> None:
    jpeg = IMAGES["image/jpeg"]
    created = await local.create_attachment(announce("a.png", "image/png", len(jpeg)), ANN)
    bucket_receives(folder, created, jpeg)
    confirmed = await local.confirm(created.id, ANN)
    assert confirmed.upload_descriptor is None
    assert confirmed.mime_type == "image/jpeg"
    assert await local.metadata.load_attachment(created.id, ANN) == confirmed
    # Another upload to the signed URL changes nothing anymore.
    bucket_receives(folder, created, b"x" * len(jpeg))
    assert await local.confirm(created.id, ANN) == confirmed
    assert await local.read_bytes(created.id, ANN) == jpeg


async def test_preview_can_be_read_before_message_is_sent(
    local: AttachmentStore[Any], folder: Path
) -> None:
    created = await local.create_attachment(announce("a.png", "image/png", len(PNG)), ANN)
    assert isinstance(created, ImageAttachment)
    bucket_receives(folder, created, PNG)
    opened = await asyncio.gather(
        *(body(local, created.id, token=token_in(created.preview_url)) for _ in range(10))
    )
    assert opened == [PNG] * 10


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", AttachmentSizeMismatchError),
        (PNG[:-1], AttachmentSizeMismatchError),
        (PNG + b"a", AttachmentSizeMismatchError),
        (bytes(1001), AttachmentTooLargeError),
        (bytes(len(PNG)), AttachmentTypeRefusedError),
    ],
)
async def test_mismatched_objects_are_deleted(
    local: AttachmentStore[Any], folder: Path, data: bytes, error: type[AttachmentError]
) -> None:
    created = await local.create_attachment(announce("a.png", "image/png", len(PNG)), ANN)
    bucket_receives(folder, created, data)
    with pytest.raises(error):
        await local.confirm(created.id, ANN)
    assert not [name for name in files_in(folder) if name.startswith(("files", "incoming"))]
    bucket_receives(folder, created, PNG)
    await local.confirm(created.id, ANN)
