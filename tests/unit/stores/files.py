"""Small files of each kind, and ways in which their bytes arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

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
