"""Small files of each type, and ways in which their bytes arrive."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chatkit.types import Attachment, AttachmentCreateParams

from agent_framework_chatkit.stores import AttachmentStore

from .metadata_store import MetadataStore

IMAGES = {
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(20),
    "image/gif": b"GIF89a" + bytes(20),
    "image/webp": b"RIFF\x10\0\0\0WEBPVP8 " + bytes(20),
    "image/avif": b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif" + bytes(20),
}
PNG = IMAGES["image/png"]


async def stream(*chunks: bytes, error: BaseException | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if error is not None:
        raise error


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def let_age(folder: Path, days: int = 2) -> list[Path]:
    """Make the files in a folder appear days old."""
    then = time.time() - days * 24 * 60 * 60
    files = [file for file in folder.glob("**/*") if file.is_file()]
    for file in files:
        os.utime(file, (then, then))
    return files


@dataclass
class User:
    user_id: str


ANN = User("ann@example.com")


BOB = User("bob")

AT_ONCE = timedelta(0)
"""Make `clean_up` treat everything as old."""


def token_in(url: Any) -> str:
    return parse_qs(urlsplit(str(url)).query)["token"][0]


async def body(store: AttachmentStore[Any], attachment_id: str, **permission: Any) -> bytes:
    file = await store.open(attachment_id, **permission)
    return b"".join([chunk async for chunk in file.stream()])


def store_at(url: str | Path, **options: Any) -> AttachmentStore[Any]:
    options = {
        "metadata": MetadataStore(),
        "secret": "not a secret",
        "base_url": "https://chat.test/api/",
        "max_size": 1000,
        **options,
    }
    return AttachmentStore(url, **options)


def announce(name: str, mime_type: str, size: int) -> AttachmentCreateParams:
    return AttachmentCreateParams(name=name, mime_type=mime_type, size=size)


def upload_token(attachment: Attachment) -> str:
    assert attachment.upload_descriptor is not None
    return token_in(attachment.upload_descriptor.url)
