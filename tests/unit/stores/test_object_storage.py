"""Folders and clouds. `test_attachments.py` tests the behavior that they share."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import AttachmentStorageError
from agent_framework_chatkit.stores.attachments.object_storage import ObjectStorage

from .files import ANN, announce, store_at, stream

HOUR = timedelta(hours=1)
KEY = base64.b64encode(b"not a secret").decode()


async def test_s3_signs_an_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not a secret")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    storage = ObjectStorage("s3://bucket/chat")
    assert storage.signs
    url, headers = await storage.sign_upload("incoming/atc_1", HOUR)
    assert urlsplit(url).path == "/bucket/chat/incoming/atc_1"
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["3600"]
    assert headers == {"Content-Type": "application/octet-stream"}


async def test_azure_signs_an_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    storage = ObjectStorage("az://container/chat")
    assert storage.signs
    url, headers = await storage.sign_upload("incoming/atc_1", HOUR)
    assert url.startswith("https://account.blob.core.windows.net/container/chat/incoming/atc_1?")
    # Without this header, Azure does not create the blob.
    assert headers["x-ms-blob-type"] == "BlockBlob"


async def test_signing_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    with pytest.raises(AttachmentStorageError):
        await ObjectStorage("az://container").sign_upload("incoming/atc_1", HOUR)


def test_google_cloud_storage_is_supported() -> None:
    assert ObjectStorage("gs://bucket/chat").signs


@pytest.mark.parametrize("url", ["memory://", "memory:///"])
def test_memory_cannot_sign(url: str) -> None:
    assert not ObjectStorage(url).signs


def test_missing_settings_are_named() -> None:
    with pytest.raises(ValueError, match="Account must be specified"):
        ObjectStorage("az://container")


def test_file_instead_of_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        store_at(tmp_path / "file")


def test_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Cannot create the folder '.*/file/x' for attachments: Not"):
        store_at(tmp_path / "file" / "x")


@pytest.mark.parametrize("url", ["https://example.com/files", "ftp://example.com/x"])
def test_unsupported_storage_url(url: str) -> None:
    with pytest.raises(ValueError, match="Cannot store attachments"):
        store_at(url)


@pytest.mark.usefixtures("local")
def test_folder_is_private(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_url_can_contain_escapes(tmp_path: Path) -> None:
    store_at(f"file://{tmp_path}/my%20files")
    assert (tmp_path / "my files").is_dir()


async def test_storage_failure_during_upload(local: AttachmentStore[Any], folder: Path) -> None:
    local.max_size = 100_000_000
    created = await local.create_attachment(announce("a.txt", "text/plain", 1000), ANN)
    (folder / "incoming").write_bytes(b"A file where a folder should be.")
    with pytest.raises(AttachmentStorageError):
        await local.receive(created.id, stream(bytes(1000)), context=ANN)
    with pytest.raises(AttachmentStorageError) as caught:
        await local.upload("a.txt", "text/plain", stream(*[bytes(6_000_000)] * 10), ANN)
    assert caught.value.status == 503
    assert caught.value.__cause__ is not None
    assert str(folder) not in str(caught.value)
    while len(asyncio.all_tasks()) > 1:  # Nothing waits forever for missing bytes.
        await asyncio.sleep(0)
