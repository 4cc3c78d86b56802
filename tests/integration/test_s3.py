"""Attachments in a bucket, through a server that speaks S3."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from chatkit.server import ChatKitServer, NonStreamingResult
from chatkit.types import Attachment, AttachmentCreateParams, FileAttachment, ImageAttachment

from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentError,
    AttachmentNotFoundError,
    AttachmentNotUploadedError,
    AttachmentSizeMismatchError,
    AttachmentStorageError,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
)

from ..unit.stores.files import ANN, BOB, IMAGES, PNG, body, stream, token_in
from ..unit.stores.metadata_store import MetadataStore

MAX_SIZE = 20_000_000
PART = bytes(1_000_000)


@pytest.fixture
def store(bucket: str) -> AttachmentStore[Any]:
    return store_in(f"s3://{bucket.rpartition('/')[2]}/chat")


def store_in(url: str) -> AttachmentStore[Any]:
    return AttachmentStore(
        url,
        metadata=MetadataStore(),
        secret="not a secret",
        base_url="https://chat.test",
        max_size=MAX_SIZE,
    )


def keys_in(bucket: str, query: str = "list-type=2") -> list[str]:
    answer = httpx.get(f"{bucket}?{query}", trust_env=False).raise_for_status()
    return re.findall("<Key>(.*?)</Key>", answer.text)


def announce(name: str, mime_type: str, data: bytes) -> AttachmentCreateParams:
    return AttachmentCreateParams(name=name, mime_type=mime_type, size=len(data))


def send(attachment: Attachment, data: bytes) -> None:
    """Upload as a browser does."""
    descriptor = attachment.upload_descriptor
    assert descriptor is not None
    httpx.request(
        descriptor.method,
        str(descriptor.url),
        headers=descriptor.headers,
        content=data,
        trust_env=False,
    ).raise_for_status()


async def test_upload_to_bucket(store: AttachmentStore[Any], bucket: str) -> None:
    class Server(ChatKitServer[Any]):
        def respond(self, *args: Any) -> Any: ...

    answer = await Server(store.metadata, store).process(
        f'{{"type": "attachments.create", "params": {{"name": "../größe.txt", "size": {len(PART)},'
        ' "mime_type": "text/plain"}}',
        ANN,
    )
    assert isinstance(answer, NonStreamingResult)
    created = FileAttachment.model_validate_json(answer.json)
    assert created.upload_descriptor is not None
    assert str(created.upload_descriptor.url).startswith(bucket), (
        "the upload does not pass through the server"
    )
    with pytest.raises(AttachmentNotUploadedError):
        await store.confirm(created.id, ANN)

    send(created, PART)
    confirmed = await store.confirm(created.id, ANN)
    assert confirmed.upload_descriptor is None
    assert confirmed.name == "größe.txt"
    assert await store.read_bytes(created.id, ANN) == PART
    assert await store.confirm(created.id, ANN) == confirmed
    with pytest.raises(AttachmentNotFoundError):
        await store.read_bytes(created.id, BOB)
    assert f"chat/incoming/{created.id}" not in keys_in(bucket)

    await store.delete_attachment(created.id, ANN)
    assert keys_in(bucket) == []


async def test_preview_before_message_is_sent(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.png", "image/png", PNG), ANN)
    assert isinstance(created, ImageAttachment)
    token = token_in(created.preview_url)
    with pytest.raises(AttachmentNotFoundError):
        await store.open(created.id, token=token)
    send(created, PNG)
    opened = await asyncio.gather(*(body(store, created.id, token=token) for _ in range(10)))
    assert opened == [PNG] * 10


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", AttachmentSizeMismatchError),
        (PNG[:-1], AttachmentSizeMismatchError),
        (PNG + b"a", AttachmentSizeMismatchError),
        (bytes(MAX_SIZE + 1), AttachmentTooLargeError),
        (b"<script></script>".ljust(len(PNG)), AttachmentTypeRefusedError),
    ],
    ids=["nothing", "shorter", "longer", "too large", "no image"],
)
async def test_mismatched_uploads_are_deleted(
    store: AttachmentStore[Any], bucket: str, data: bytes, error: type[AttachmentError]
) -> None:
    created = await store.create_attachment(announce("a.png", "image/png", PNG), ANN)
    send(created, data)
    with pytest.raises(error):
        await store.confirm(created.id, ANN)
    assert not [key for key in keys_in(bucket) if "files" in key or "incoming" in key]
    with pytest.raises(AttachmentNotFoundError):
        await store.open(created.id, context=ANN)
    send(created, PNG)
    await store.confirm(created.id, ANN)
    assert await store.read_bytes(created.id, ANN) == PNG


async def test_image_of_another_type(store: AttachmentStore[Any]) -> None:
    gif = IMAGES["image/gif"]
    created = await store.create_attachment(announce("a.png", "image/png", gif), ANN)
    send(created, gif)
    assert (await store.confirm(created.id, ANN)).mime_type == "image/gif"


async def test_confirmed_upload_cannot_be_replaced(
    store: AttachmentStore[Any], bucket: str
) -> None:
    created = await store.create_attachment(announce("a.png", "image/png", PNG), ANN)
    send(created, PNG)
    confirmed = await store.confirm(created.id, ANN)
    await store.metadata.save_attachment(confirmed.model_copy(update={"thread_id": "thr_1"}), ANN)
    send(created, b"x" * len(PNG))
    await store.confirm(created.id, ANN)
    assert await store.read_bytes(created.id, ANN) == PNG
    await store.clean_up(timedelta(0))
    assert keys_in(bucket) == [f"chat/files/{created.id}", f"chat/owners/{created.id}"]


async def test_clean_up_deletes_unsent_uploads(store: AttachmentStore[Any], bucket: str) -> None:
    begun = await store.create_attachment(announce("a.txt", "text/plain", PART), ANN)
    send(begun, PART[1:])
    await store.create_attachment(announce("a.txt", "text/plain", PART), BOB)
    await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    await store.clean_up()
    assert len(keys_in(bucket)) == 3 + 2 + 3
    await store.clean_up(timedelta(0))
    assert keys_in(bucket) == []


@pytest.mark.parametrize("parts", [0, 1, 13])
async def test_upload_through_server(store: AttachmentStore[Any], parts: int) -> None:
    chunks = [os.urandom(1_000_000) for _ in range(parts)]
    attachment = await store.upload("a.txt", "text/plain", stream(*chunks), ANN)
    assert await store.read_bytes(attachment.id, ANN) == b"".join(chunks)


async def test_two_phase_upload_through_server(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.png", "image/png", PNG), ANN)
    await store.receive(created.id, stream(PNG), context=ANN)
    assert await store.read_bytes(created.id, ANN) == PNG


@pytest.mark.parametrize("parts", [1, 13])
async def test_interrupted_upload(store: AttachmentStore[Any], bucket: str, parts: int) -> None:
    broken = stream(*[PART] * parts, error=ConnectionError("gone"))
    with pytest.raises(ConnectionError, match="gone"):
        await store.upload("a.txt", "text/plain", broken, ANN)
    assert keys_in(bucket) == []
    assert keys_in(bucket, "uploads") == [], "no partial upload is left"


@pytest.mark.parametrize("parts", [1, 13])
async def test_cancelled_upload(store: AttachmentStore[Any], bucket: str, parts: int) -> None:
    waits = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(parts):
            yield PART
        waits.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(store.upload("a.txt", "text/plain", slow(), ANN))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert keys_in(bucket) == []
    assert keys_in(bucket, "uploads") == []


@pytest.mark.usefixtures("bucket")
async def test_missing_bucket() -> None:
    store = store_in("s3://there-is-none")
    with pytest.raises(AttachmentStorageError) as caught:
        await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    assert caught.value.status == 503
    assert "there-is-none" not in str(caught.value)
    assert caught.value.__cause__ is not None
