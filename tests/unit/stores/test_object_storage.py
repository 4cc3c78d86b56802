"""What is particular to each cloud. Whatever is the same everywhere, test_attachments.py tests."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from agent_framework_chatkit.stores.attachment_errors import AttachmentStorageError
from agent_framework_chatkit.stores.attachments.object_storage import ObjectStorage

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
    # Without it, Azure refuses to create the blob.
    assert headers["x-ms-blob-type"] == "BlockBlob"


async def test_a_signature_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    with pytest.raises(AttachmentStorageError):
        await ObjectStorage("az://container").sign_upload("incoming/atc_1", HOUR)


def test_google_cloud_storage_is_known() -> None:
    assert ObjectStorage("gs://bucket/chat").signs


@pytest.mark.parametrize("url", ["memory://", "memory:///"])
def test_memory_cannot_sign(url: str) -> None:
    assert not ObjectStorage(url).signs


def test_what_is_missing_is_told() -> None:
    with pytest.raises(ValueError, match="Account must be specified"):
        ObjectStorage("az://container")
