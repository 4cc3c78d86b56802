"""Object storage: a small set of operations for a folder, a bucket or memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, S3Store, from_url

from .errors import AttachmentStorageError

if TYPE_CHECKING:
    from obstore import SignCapableStore
    from obstore.store import ObjectStore

_SIGNING_STORES = (S3Store, AzureStore, GCSStore)
_READ_SIZE = 4 * 1024 * 1024


class ObjectStorage:
    """Stores bytes under keys.

    Every method raises `AttachmentStorageError` if the storage itself fails: it is full,
    unreachable or denies access.

    Args:
        url: The path of a folder, which is created, or a URL that starts with `file://`, `s3://`,
            `az://`, `gs://` or `memory://`.
    """

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self._folder: Path | None = None
        """The local folder, if the bytes are in one."""
        self._store = self._open(os.fspath(url))
        self.signs = isinstance(self._store, _SIGNING_STORES)
        """Whether the storage can sign URLs for uploads from browsers."""

    def _open(self, url: str) -> ObjectStore:
        if "://" in url and not url.startswith("file://"):
            try:
                store = from_url(url)
            except BaseError as error:
                reason = str(error).partition("\n")[0]
                raise ValueError(f"Cannot store attachments at {url!r}: {reason}") from error
            if isinstance(store, (*_SIGNING_STORES, MemoryStore)):
                return store
            raise ValueError(f"Cannot store attachments at {url!r}: not an object storage URL.")
        folder = Path(unquote(url[7:]) if "://" in url else url).absolute()
        try:
            # Other users of the machine must not read the files.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(f"{str(folder)!r} is a file; it must be a folder.") from error
        except OSError as error:
            raise type(error)(
                f"Cannot create the folder {str(folder)!r} for attachments: {error.strerror}"
            ) from error
        self._folder = folder
        return LocalStore(folder, automatic_cleanup=True)

    async def put(self, key: str, data: bytes) -> None:
        """Write a small object."""
        with _failures():
            await obstore.put_async(self._store, key, data, use_multipart=False)

    async def write(self, key: str, chunks: AsyncGenerator[bytes, None]) -> None:
        """Write a stream. The object does not exist before the stream has ended.

        Errors of the stream are raised here, and the bytes written so far are removed.
        """
        # The stream is read here and passed on in a queue, for two reasons: obstore reads in its
        # own task, where a web framework's stream must not be read; and it removes a partial upload
        # to a bucket if its source fails, but not if it is cancelled.
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        source = _Source(queue)
        writing = asyncio.ensure_future(obstore.put_async(self._store, key, source))
        writing.add_done_callback(source.close)
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    await queue.put(chunk)
                    if writing.done():
                        break
                else:
                    await queue.put(None)
        except BaseException:
            source.fail()
            await asyncio.wait({writing})
            raise
        await asyncio.wait({writing})
        with _failures():
            writing.result()

    async def move(self, key: str, to: str) -> None:
        """Move an object.

        Raises:
            FileNotFoundError: If there is no such object.
            FileExistsError: If the target exists. Not every bucket can detect this.
        """
        with _failures(FileNotFoundError, FileExistsError):
            try:
                await obstore.rename_async(self._store, key, to, overwrite=self.signs)
            except AlreadyExistsError as error:
                raise FileExistsError(to) from error

    async def size(self, key: str) -> int | None:
        """Return an object's size in bytes, or `None` if there is no such object."""
        with _failures():
            try:
                return (await obstore.head_async(self._store, key))["size"]
            except FileNotFoundError:
                return None

    async def get(self, key: str) -> bytes | None:
        """Return the bytes of a small object, or `None` if there is no such object."""
        with _failures():
            try:
                return bytes(await (await obstore.get_async(self._store, key)).bytes_async())
            except FileNotFoundError:
                return None

    async def read(self, key: str, start: int, end: int) -> bytes:
        """Return an object's bytes from `start` up to `end`, or to its end if that comes first.

        Raises:
            FileNotFoundError: If there is no such object.
        """
        with _failures(FileNotFoundError):
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def stream(self, key: str, size: int) -> AsyncIterator[bytes]:
        """Yield the bytes of an object of this size.

        Each part is a separate request: a single request would exceed the client's time limit if
        the reader is slow.
        """
        for start in range(0, size, _READ_SIZE):
            yield await self.read(key, start, min(start + _READ_SIZE, size))

    async def delete(self, key: str) -> None:
        """Delete an object if there is one."""
        with _failures(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def entries(self, folder: str) -> list[tuple[str, datetime]]:
        """Return the keys in a folder and its subfolders, with the times of their last writes."""
        with _failures():
            found = await obstore.list(self._store, prefix=folder).collect_async()
        return [(entry["path"], entry["last_modified"]) for entry in found]

    async def delete_older(self, folder: str, before: datetime) -> None:
        """Delete a folder's objects last written before this time, including partial files."""
        for key, written in await self.entries(folder):
            if written <= before:
                await self.delete(key)
        if self._folder is not None:
            await asyncio.to_thread(_delete_half_written, self._folder / folder, before)

    async def sign_upload(self, key: str, lifetime: timedelta) -> tuple[str, dict[str, str]]:
        """Return a temporary URL to `PUT` an object, and the headers to send."""
        store = cast("SignCapableStore", self._store)  # Callers check `signs` first.
        with _failures():
            url = await obstore.sign_async(store, "PUT", key, lifetime)
        # Never use the claimed type: a bucket that is public by mistake must not serve an untrusted
        # page.
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(store, AzureStore):
            headers["x-ms-blob-type"] = "BlockBlob"
        return url, headers


class _Source:
    """A queue's chunks as a stream for obstore."""

    def __init__(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._queue = queue
        self._failed = False
        self._awaited = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        self._awaited = True
        chunk = await self._queue.get()
        self._awaited = False
        if self._failed:
            raise _CutOffError
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def fail(self) -> None:
        """Make the reader fail, even if it is already waiting."""
        self._failed = True
        self._empty()
        self._queue.put_nowait(None)

    def close(self, writing: asyncio.Future[Any]) -> None:
        """Wake both ends of the queue, because the write is over."""
        self._empty()
        if self._awaited:
            self.fail()
        if not writing.cancelled():
            writing.exception()  # Mark it as retrieved; a stream's own error takes precedence.

    def _empty(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


class _CutOffError(Exception):
    """Tells obstore that the stream failed. The reader raises the stream's own error."""


@contextmanager
def _failures(*expected: type[OSError]) -> Iterator[None]:
    """Turn obstore's errors, except for expected ones, into one that is safe to show."""
    try:
        yield
    except expected:
        raise
    except (BaseError, OSError, ValueError, NotImplementedError) as error:
        raise AttachmentStorageError from error


def _delete_half_written(folder: Path, before: datetime) -> None:
    # obstore writes to `name#1` first. A killed process leaves this file, which no listing shows.
    for path in folder.glob("*#*"):
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, timezone.utc) <= before:
                path.unlink()
