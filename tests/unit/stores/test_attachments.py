"""Attachments: uploading, reading and deleting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chatkit.server import ChatKitServer, NonStreamingResult
from chatkit.store import NotFoundError
from chatkit.types import FileAttachment, ImageAttachment

from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentError,
    AttachmentNotFoundError,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
)

from .files import (
    ANN,
    IMAGES,
    PNG,
    announce,
    body,
    store_at,
    stream,
    token_in,
    upload_token,
)


async def test_direct_upload(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"ab", b"", b"c"), ANN, 3)
    assert isinstance(attachment, FileAttachment)
    assert (attachment.name, attachment.mime_type) == ("a.txt", "text/plain")
    assert attachment.upload_descriptor is None
    assert await store.metadata.load_attachment(attachment.id, ANN) == attachment
    assert await store.read_bytes(attachment.id, ANN) == b"abc"
    assert await store.confirm(attachment.id, ANN) == attachment


async def test_two_phase_upload(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.png", "image/png", len(PNG)), ANN)
    assert isinstance(created, ImageAttachment)
    descriptor = created.upload_descriptor
    assert descriptor is not None
    assert (descriptor.method, descriptor.headers) == ("PUT", {})
    path = f"https://chat.test/api/attachments/{created.id}"
    assert str(descriptor.url).startswith(f"{path}/upload?token=")
    assert str(created.preview_url).startswith(f"{path}?token=")

    token = upload_token(created)
    received = await store.receive(created.id, stream(PNG[:3], PNG[3:]), token=token)
    assert received == created.model_copy(update={"upload_descriptor": None})
    assert await store.metadata.load_attachment(created.id, ANN) == received
    assert await body(store, created.id, token=token_in(created.preview_url)) == PNG


async def test_owner_can_upload_without_token(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    await store.receive(created.id, stream(b"a"), context=ANN)
    assert await store.read_bytes(created.id, {"user_id": ANN.user_id}) == b"a"


async def test_chatkit_creates_and_deletes(store: AttachmentStore[Any]) -> None:
    class Server(ChatKitServer[Any]):
        def respond(self, *args: Any) -> Any: ...

    server = Server(store.metadata, store)
    answer = await server.process(
        '{"type": "attachments.create",'
        ' "params": {"name": "a.txt", "size": 1, "mime_type": "text/plain"}}',
        ANN,
    )
    assert isinstance(answer, NonStreamingResult)
    created = FileAttachment.model_validate_json(answer.json)
    await store.receive(created.id, stream(b"a"), token=upload_token(created))
    await server.process(
        f'{{"type": "attachments.delete", "params": {{"attachment_id": "{created.id}"}}}}', ANN
    )
    with pytest.raises(NotFoundError):
        await store.open(created.id, context=ANN)
    with pytest.raises(NotFoundError):
        await store.metadata.load_attachment(created.id, ANN)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1000])
async def test_any_size_up_to_limit(store: AttachmentStore[Any], size: int) -> None:
    data = os.urandom(size)
    whole = await store.upload("a.txt", "text/plain", stream(data), ANN)
    bytewise = stream(*(data[at : at + 1] for at in range(size)))
    in_bits = await store.upload("a.txt", "text/plain", bytewise, ANN)
    assert await store.read_bytes(whole.id, ANN) == data
    assert await store.read_bytes(in_bits.id, ANN) == data


async def test_file_larger_than_chunk_size(local: AttachmentStore[Any]) -> None:
    local.max_size = 20_000_000
    chunk = os.urandom(1_000_000)
    attachment = await local.upload("a.txt", "text/plain", stream(*[chunk] * 13), ANN)
    assert await local.read_bytes(attachment.id, ANN) == chunk * 13


@pytest.mark.parametrize(("mime_type", "data"), IMAGES.items())
async def test_images_have_a_preview(
    store: AttachmentStore[Any], mime_type: str, data: bytes
) -> None:
    attachment = await store.upload("a", mime_type, stream(data[:1], data[1:]), ANN)
    assert isinstance(attachment, ImageAttachment)
    file = await store.open(attachment.id, token=token_in(attachment.preview_url))
    assert file.headers["Content-Type"] == mime_type
    assert file.headers["Content-Disposition"].startswith("inline;")


# Reading


async def test_headers(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("größe 1.html", "text/html", stream(b"<p>"), ANN)
    file = await store.open(attachment.id, context=ANN)
    assert (file.name, file.mime_type, file.size) == ("größe 1.html", "text/html", 3)
    assert file.headers == {
        "Content-Type": "text/html",
        "Content-Length": "3",
        "Content-Disposition": 'attachment; filename="gr__e 1.html"; '
        "filename*=UTF-8''gr%C3%B6%C3%9Fe%201.html",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    linked = await store.open(attachment.id, token=token_in(store.link_to(attachment.id, ANN)))
    assert linked.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_file_can_be_read_again(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"abc"), ANN)
    file = await store.open(attachment.id, context=ANN)
    for _ in range(2):
        assert [chunk async for chunk in file.stream()] == [b"abc"]


async def test_missing_bytes(local: AttachmentStore[Any], folder: Path) -> None:
    attachment = await local.upload("a.txt", "text/plain", stream(b"a"), ANN)
    path = folder / "files" / attachment.id
    path.write_bytes(b"not what was stored")
    with pytest.raises(AttachmentNotFoundError):
        await local.open(attachment.id, context=ANN)
    path.unlink()
    with pytest.raises(AttachmentNotFoundError):
        await local.open(attachment.id, context=ANN)
    path.mkdir()
    with pytest.raises(AttachmentNotFoundError):
        await local.open(attachment.id, context=ANN)


async def test_preview_url_is_renewed(folder: Path) -> None:
    store = store_at(folder)
    image = await store.upload("a.png", "image/png", stream(PNG), ANN)
    text = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    moved = store_at(folder, metadata=store.metadata, base_url="https://new.test")
    refreshed = moved.refresh(image, ANN)
    assert isinstance(refreshed, ImageAttachment)
    assert str(refreshed.preview_url).startswith(f"https://new.test/attachments/{image.id}?")
    assert await body(moved, image.id, token=token_in(refreshed.preview_url)) == PNG
    assert moved.refresh(text, ANN) == text


async def test_base_url_from_context(folder: Path) -> None:
    store = store_at(folder, base_url="")
    context = {"user_id": "ann", "base_url": "http://localhost:8000/"}
    image = await store.upload("a.png", "image/png", stream(PNG), context)
    assert isinstance(image, ImageAttachment)
    assert str(image.preview_url).startswith("http://localhost:8000/attachments/")
    with pytest.raises(ValueError, match="base_url"):
        await store.upload("a.png", "image/png", stream(PNG), ANN)


def test_errors_have_status() -> None:
    assert AttachmentError("What happened.").status == 400
    assert str(AttachmentError("What happened.")) == "What happened."
    statuses = {each: each.status for each in AttachmentError.__subclasses__()}
    assert statuses[AttachmentTooLargeError] == 413
    assert statuses[AttachmentTypeRefusedError] == 415
    assert statuses[AttachmentNotFoundError] == 404
    assert all(str(each()) for each in statuses)


def test_missing_extra_error_says_what_to_install() -> None:
    code = """
import sys
sys.modules["obstore"] = None
import agent_framework_chatkit.stores as stores
assert "AttachmentStore" in stores.__all__
try:
    stores.AttachmentStore
except ImportError as error:
    print(error)
"""
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'agent-framework-chatkit[files]'" in shown.stdout


def test_missing_name() -> None:
    import agent_framework_chatkit.stores as stores

    with pytest.raises(AttributeError, match="Nothing"):
        stores.Nothing  # noqa: B018
