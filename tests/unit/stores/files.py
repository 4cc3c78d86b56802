"""Small files of each kind, and ways in which their bytes arrive."""

from __future__ import annotations

import os
import time
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


def let_age(folder: Path, days: int = 2) -> list[Path]:
    """Make the files in a folder as old as if they had been there for days."""
    then = time.time() - days * 24 * 60 * 60
    files = [file for file in folder.glob("**/*") if file.is_file()]
    for file in files:
        os.utime(file, (then, then))
    return files
