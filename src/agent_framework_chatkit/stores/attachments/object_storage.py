"""Where bytes are kept: one small set of operations over a folder, a bucket, or memory."""

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
    """Keeps bytes under keys.

    Every method raises `AttachmentStorageError` when the storage itself fails: it is full, cannot
    be reached, or does not permit it.

    Args:
        url: A path of a folder, which is created, or a URL that begins with `file://`, `s3://`,
            `az://`, `gs://` or `memory://`.
    """

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self._folder: Path | None = None
        """Set where the bytes are in a local folder."""
        self._store = self._open(os.fspath(url))
        self.signs = isinstance(self._store, _SIGNING_STORES)
        """Whether it can sign a URL to which a browser may upload."""

    def _open(self, url: str) -> ObjectStore:
        if "://" in url and not url.startswith("file://"):
            try:
                store = from_url(url)
            except BaseError as error:
                reason = str(error).partition("\n")[0]
                raise ValueError(f"Attachments cannot be kept at {url!r}: {reason}") from error
            if isinstance(store, (*_SIGNING_STORES, MemoryStore)):
                return store
            raise ValueError(f"Attachments cannot be kept at {url!r}: not an object storage URL.")
        folder = Path(unquote(url[7:]) if "://" in url else url).absolute()
        try:
            # Nobody else on the machine needs to read them.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(f"{str(folder)!r} is a file; it must be a folder.") from error
        self._folder = folder
        return LocalStore(folder, automatic_cleanup=True)

    async def put(self, key: str, data: bytes) -> None:
        """Write a few bytes."""
        with _failures():
            await obstore.put_async(self._store, key, data, use_multipart=False)

    async def write(self, key: str, chunks: AsyncGenerator[bytes, None]) -> None:
        """Write a stream. Until it has ended well there is nothing under the key.

        What the stream raises is raised here, and what was written by then is removed.
        """
        # The stream is read here and handed over in a queue, for two reasons. obstore reads in a
        # task of its own, where a web framework's stream may not be read. And it removes what it
        # has sent to a bucket if its source fails, but not if it is cancelled.
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
            FileNotFoundError: There is none.
            FileExistsError: There is one already where it should go. Not every bucket can tell.
        """
        with _failures(FileNotFoundError, FileExistsError):
            try:
                await obstore.rename_async(self._store, key, to, overwrite=self.signs)
            except AlreadyExistsError as error:
                raise FileExistsError(to) from error

    async def size(self, key: str) -> int | None:
        """Return how many bytes an object has, or None if there is none."""
        with _failures():
            try:
                return (await obstore.head_async(self._store, key))["size"]
            except FileNotFoundError:
                return None

    async def get(self, key: str) -> bytes | None:
        """Return all of an object that has a few bytes, or None if there is none."""
        with _failures():
            try:
                return bytes(await (await obstore.get_async(self._store, key)).bytes_async())
            except FileNotFoundError:
                return None

    async def read(self, key: str, start: int, end: int) -> bytes:
        """Return an object's bytes from `start` to before `end`; fewer if it ends earlier.

        Raises:
            FileNotFoundError: There is no such object.
        """
        with _failures(FileNotFoundError):
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def stream(self, key: str, size: int) -> AsyncIterator[bytes]:
        """Yield the bytes of an object of this size.

        Each part is a request of its own. One request for all of them would end with the
        client's time limit if the reader is slow.
        """
        for start in range(0, size, _READ_SIZE):
            yield await self.read(key, start, min(start + _READ_SIZE, size))

    async def delete(self, key: str) -> None:
        """Delete an object if there is one."""
        with _failures(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def entries(self, folder: str) -> list[tuple[str, datetime]]:
        """Return the keys in a folder and its folders, each with when it was last written."""
        with _failures():
            found = await obstore.list(self._store, prefix=folder).collect_async()
        return [(entry["path"], entry["last_modified"]) for entry in found]

    async def delete_older(self, folder: str, before: datetime) -> None:
        """Delete what was last written in a folder before this time, half-written files too."""
        for key, written in await self.entries(folder):
            if written <= before:
                await self.delete(key)
        if self._folder is not None:
            await asyncio.to_thread(_delete_half_written, self._folder / folder, before)

    async def sign_upload(self, key: str, lifetime: timedelta) -> tuple[str, dict[str, str]]:
        """Return a URL to which anyone may `PUT` an object for a time, and the headers it needs."""
        store = cast("SignCapableStore", self._store)  # As `signs` says.
        with _failures():
            url = await obstore.sign_async(store, "PUT", key, lifetime)
        # Never the type that the file claims: if the bucket can be read by mistake, it serves
        # no page of a stranger's.
        headers = {"Content-Type": "application/octet-stream"}
        if isinstance(store, AzureStore):
            headers["x-ms-blob-type"] = "BlockBlob"
        return url, headers


class _Source:
    """What a queue receives, as a stream for obstore."""

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
        """Make the reader fail, whether it waits or not."""
        self._failed = True
        self._empty()
        self._queue.put_nowait(None)

    def close(self, writing: asyncio.Future[Any]) -> None:
        """End whatever waits, at either end: the writing is over."""
        self._empty()
        if self._awaited:
            self.fail()
        if not writing.cancelled():
            writing.exception()  # It counts as seen, though a broken stream matters more.

    def _empty(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


class _CutOffError(Exception):
    """Tells obstore that the stream broke. What broke it is raised by who reads it."""


@contextmanager
def _failures(*expected: type[OSError]) -> Iterator[None]:
    """Turn what obstore raises into an error that is safe to show, but for what is expected."""
    try:
        yield
    except expected:
        raise
    except (BaseError, OSError, ValueError, NotImplementedError) as error:
        raise AttachmentStorageError from error


def _delete_half_written(folder: Path, before: datetime) -> None:
    # obstore writes to `name#1` first. A process that was killed leaves it, and no list shows it.
    for path in folder.glob("*#*"):
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, timezone.utc) <= before:
                path.unlink()
