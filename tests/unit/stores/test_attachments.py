from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chatkit.server import ChatKitServer, NonStreamingResult
from chatkit.store import NotFoundError
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    FileAttachment,
    ImageAttachment,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentAlreadyUploadedError,
    AttachmentError,
    AttachmentLimitReachedError,
    AttachmentLinkInvalidError,
    AttachmentNotFoundError,
    AttachmentNotUploadedError,
    AttachmentSizeMismatchError,
    AttachmentStorageError,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
)

from .files import ANN, BOB, IMAGES, PNG, User, body, files_in, stream, token_in
from .metadata_store import MetadataStore

AT_ONCE = timedelta(0)
"""For `clean_up`: everything is old."""


def store_at(url: str | Path, **options: Any) -> AttachmentStore[Any]:
    options = {
        "metadata": MetadataStore(),
        "secret": "not a secret",
        "base_url": "https://chat.test/api/",
        "max_size": 1000,
        **options,
    }
    return AttachmentStore(url, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture(params=["folder", "file", "memory"])
def store(request: pytest.FixtureRequest, folder: Path) -> AttachmentStore[Any]:
    urls: dict[str, str | Path] = {
        "folder": folder,
        "file": f"file://{folder}",
        "memory": "memory://",
    }
    return store_at(urls[request.param])


@pytest.fixture
def local(folder: Path) -> AttachmentStore[Any]:
    return store_at(folder)


def announce(name: str, mime_type: str, size: int) -> AttachmentCreateParams:
    return AttachmentCreateParams(name=name, mime_type=mime_type, size=size)


def upload_token(attachment: Attachment) -> str:
    assert attachment.upload_descriptor is not None
    return token_in(attachment.upload_descriptor.url)


# Uploads that go well


async def test_a_direct_upload(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"ab", b"", b"c"), ANN, 3)
    assert isinstance(attachment, FileAttachment)
    assert (attachment.name, attachment.mime_type) == ("a.txt", "text/plain")
    assert attachment.upload_descriptor is None
    assert await store.metadata.load_attachment(attachment.id, ANN) == attachment
    assert await store.read_bytes(attachment.id, ANN) == b"abc"
    assert await store.confirm(attachment.id, ANN) == attachment


async def test_an_upload_in_two_phases(store: AttachmentStore[Any]) -> None:
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


async def test_the_owner_may_upload_without_a_token(store: AttachmentStore[Any]) -> None:
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
async def test_any_size_up_to_the_limit(store: AttachmentStore[Any], size: int) -> None:
    data = os.urandom(size)
    whole = await store.upload("a.txt", "text/plain", stream(data), ANN)
    bytewise = stream(*(data[at : at + 1] for at in range(size)))
    in_bits = await store.upload("a.txt", "text/plain", bytewise, ANN)
    assert await store.read_bytes(whole.id, ANN) == data
    assert await store.read_bytes(in_bits.id, ANN) == data


async def test_a_file_larger_than_the_parts_it_is_read_in(local: AttachmentStore[Any]) -> None:
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


# Limits


async def test_too_large_as_announced(store: AttachmentStore[Any]) -> None:
    with pytest.raises(AttachmentTooLargeError, match="1000 bytes"):
        await store.create_attachment(announce("a.txt", "text/plain", 1001), ANN)
    with pytest.raises(AttachmentTooLargeError):
        await store.upload("a.txt", "text/plain", stream(b"a"), ANN, 1001)


async def test_too_large_in_truth(local: AttachmentStore[Any], folder: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 100
            yield bytes(100)

    with pytest.raises(AttachmentTooLargeError):
        await local.upload("a.txt", "text/plain", endless(), ANN)
    assert taken == 1100, "no more is read than is needed to know"
    assert files_in(folder) == []


async def test_a_limit_is_readable(folder: Path) -> None:
    store = store_at(folder, max_size=20 * 1024**2)
    with pytest.raises(AttachmentTooLargeError, match="At most 20 MiB can be attached"):
        await store.upload("a.txt", "text/plain", stream(), ANN, 2**40)


@pytest.mark.parametrize("chunks", [[], [b"ab"], [b"ab", b"cd"]])
async def test_not_the_size_that_was_announced(
    local: AttachmentStore[Any], folder: Path, chunks: list[bytes]
) -> None:
    with pytest.raises(AttachmentSizeMismatchError):
        await local.upload("a.txt", "text/plain", stream(*chunks), ANN, 3)
    assert files_in(folder) == []

    created = await local.create_attachment(announce("a.txt", "text/plain", 3), ANN)
    with pytest.raises(AttachmentSizeMismatchError):
        await local.receive(created.id, stream(*chunks), context=ANN)
    assert not [name for name in files_in(folder) if name.startswith(("files", "incoming"))]
    # It may be tried again.
    await local.receive(created.id, stream(b"abc"), context=ANN)


async def test_a_size_that_no_file_has(store: AttachmentStore[Any]) -> None:
    with pytest.raises(AttachmentSizeMismatchError):
        await store.create_attachment(announce("a.txt", "text/plain", -1), ANN)


@pytest.mark.parametrize("mime_type", ["application/x-msdownload", "image/svg+xml", "nonsense", ""])
async def test_types_that_are_not_accepted(store: AttachmentStore[Any], mime_type: str) -> None:
    with pytest.raises(AttachmentTypeRefusedError):
        await store.create_attachment(announce("a", mime_type, 1), ANN)
    with pytest.raises(AttachmentTypeRefusedError):
        await store.upload("a", mime_type, stream(b"a"), ANN)


@pytest.mark.parametrize("data", [b"", b"<script>alert(1)</script>", b"\x89PNG", b"a" * 900])
async def test_what_claims_to_be_an_image_must_be_one(
    local: AttachmentStore[Any], folder: Path, data: bytes
) -> None:
    with pytest.raises(AttachmentTypeRefusedError):
        await local.upload("a.png", "image/png", stream(data), ANN)
    assert files_in(folder) == []


async def test_an_image_gets_its_true_type(store: AttachmentStore[Any]) -> None:
    jpeg = IMAGES["image/jpeg"]
    attachment = await store.upload("a.png", "image/png", stream(jpeg), ANN)
    assert attachment.mime_type == "image/jpeg"


async def test_an_image_of_another_kind_must_be_accepted_too(folder: Path) -> None:
    store = store_at(folder, accept=["image/png"])
    with pytest.raises(AttachmentTypeRefusedError):
        await store.upload("a.png", "image/png", stream(IMAGES["image/gif"]), ANN)


async def test_what_can_hold_a_script_is_a_download(folder: Path) -> None:
    store = store_at(folder, accept=["*/*"])
    for mime_type in ("image/svg+xml", "text/html", "application/xhtml+xml", "text/xml"):
        attachment = await store.upload("a", mime_type, stream(b"<svg/>"), ANN)
        assert isinstance(attachment, FileAttachment)
        headers = (await store.open(attachment.id, context=ANN)).headers
        assert headers["Content-Disposition"].startswith("attachment;")


async def test_an_owner_may_have_so_many_unsent_attachments(folder: Path) -> None:
    store = store_at(folder, max_unsent=2)
    first = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    await store.create_attachment(announce("b.txt", "text/plain", 1), ANN)
    with pytest.raises(AttachmentLimitReachedError):
        await store.upload("c.txt", "text/plain", stream(b"c"), ANN)
    with pytest.raises(AttachmentLimitReachedError):
        await store.create_attachment(announce("c.txt", "text/plain", 1), ANN)
    await store.upload("c.txt", "text/plain", stream(b"c"), BOB)

    await store.metadata.save_attachment(first.model_copy(update={"thread_id": "thr_1"}), ANN)
    third = await store.upload("c.txt", "text/plain", stream(b"c"), ANN)
    with pytest.raises(AttachmentLimitReachedError):
        await store.upload("d.txt", "text/plain", stream(b"d"), ANN)
    await store.delete_attachment(third.id, ANN)
    await store.upload("d.txt", "text/plain", stream(b"d"), ANN)
    assert await store.read_bytes(first.id, ANN) == b"a"


async def test_uploads_at_the_same_time_count_one_another(folder: Path) -> None:
    store = store_at(folder, max_unsent=3)

    async def upload() -> bool:
        try:
            await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
        except AttachmentLimitReachedError:
            return False
        return True

    assert sum(await asyncio.gather(*(upload() for _ in range(20)))) <= 3


async def test_a_failed_upload_does_not_count(folder: Path) -> None:
    store = store_at(folder, max_unsent=1)
    for _ in range(3):
        with pytest.raises(AttachmentTypeRefusedError):
            await store.upload("a.png", "image/png", stream(b"a"), ANN)
    await store.upload("a.txt", "text/plain", stream(b"a"), ANN)


# Uploads that go wrong


@pytest.mark.parametrize("sent", [0, 1, 900])
async def test_an_upload_that_is_cut_off(
    local: AttachmentStore[Any], folder: Path, sent: int
) -> None:
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


@pytest.mark.parametrize("megabytes", [0, 13])
async def test_an_upload_that_is_cancelled(
    local: AttachmentStore[Any], folder: Path, megabytes: int
) -> None:
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


async def test_the_bytes_come_once(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    token = upload_token(created)
    await store.receive(created.id, stream(b"a"), token=token)
    with pytest.raises(AttachmentAlreadyUploadedError):
        await store.receive(created.id, stream(b"b"), token=token)
    assert await store.read_bytes(created.id, ANN) == b"a"


async def test_of_uploads_at_once_one_wins(store: AttachmentStore[Any], tmp_path: Path) -> None:
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


async def test_an_upload_whose_end_was_not_noted_is_confirmed(store: AttachmentStore[Any]) -> None:
    created = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    await store.receive(created.id, stream(b"a"), context=ANN)
    await store.metadata.save_attachment(created, ANN)  # As if the process had ended before.
    with pytest.raises(AttachmentAlreadyUploadedError):
        await store.receive(created.id, stream(b"a"), context=ANN)
    confirmed = await store.confirm(created.id, ANN)
    assert confirmed.upload_descriptor is None
    assert await store.metadata.load_attachment(created.id, ANN) == confirmed


# A bucket has the bytes before we see them. Here, a test puts them where it would.


def bucket_receives(folder: Path, attachment: Attachment, data: bytes) -> None:
    (folder / "incoming").mkdir(exist_ok=True)
    (folder / "incoming" / attachment.id).write_bytes(data)


async def test_what_is_in_the_bucket_is_confirmed(
    local: AttachmentStore[Any], folder: Path
) -> None:
    jpeg = IMAGES["image/jpeg"]
    created = await local.create_attachment(announce("a.png", "image/png", len(jpeg)), ANN)
    bucket_receives(folder, created, jpeg)
    confirmed = await local.confirm(created.id, ANN)
    assert confirmed.upload_descriptor is None
    assert confirmed.mime_type == "image/jpeg"
    assert await local.metadata.load_attachment(created.id, ANN) == confirmed
    # What the signed URL still allows changes nothing any more.
    bucket_receives(folder, created, b"x" * len(jpeg))
    assert await local.confirm(created.id, ANN) == confirmed
    assert await local.read_bytes(created.id, ANN) == jpeg


async def test_a_preview_can_be_read_before_the_message_is_sent(
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
async def test_lies_in_the_bucket_are_deleted(
    local: AttachmentStore[Any], folder: Path, data: bytes, error: type[AttachmentError]
) -> None:
    created = await local.create_attachment(announce("a.png", "image/png", len(PNG)), ANN)
    bucket_receives(folder, created, data)
    with pytest.raises(error):
        await local.confirm(created.id, ANN)
    assert not [name for name in files_in(folder) if name.startswith(("files", "incoming"))]
    bucket_receives(folder, created, PNG)
    await local.confirm(created.id, ANN)


# Who may do what


async def test_ids_cannot_be_guessed(store: AttachmentStore[Any]) -> None:
    ids = {store.generate_attachment_id("text/plain", ANN) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each.removeprefix("atc_")) * 4 >= 128 for each in ids)


async def test_an_id_of_an_override_is_checked(folder: Path) -> None:
    class Careless(AttachmentStore[Any]):
        def generate_attachment_id(self, mime_type: str, context: Any) -> str:
            return "../a"

    store = Careless(folder, metadata=MetadataStore(), secret="s")
    with pytest.raises(ValueError, match="cannot be an attachment's id"):
        await store.upload("a.txt", "text/plain", stream(b"a"), ANN)


async def test_another_owner_has_nothing(store: AttachmentStore[Any]) -> None:
    whole = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    begun = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)

    async def tries(attachment_id: str) -> list[str]:
        errors = []
        for attempt in (
            store.open(attachment_id, context=BOB),
            store.read_bytes(attachment_id, BOB),
            store.confirm(attachment_id, BOB),
            store.delete_attachment(attachment_id, BOB),
            store.receive(attachment_id, stream(b"b"), context=BOB),
        ):
            with pytest.raises(NotFoundError) as caught:
                await attempt
            errors.append(repr(caught.value))
        return errors

    unknown = await tries(store.generate_attachment_id("text/plain", BOB))
    assert await tries(whole.id) == await tries(begun.id) == unknown
    assert await store.read_bytes(whole.id, ANN) == b"a"


@pytest.mark.parametrize("context", [None, {}, {"user_id": None}, User(""), object()])
async def test_a_context_without_an_owner(store: AttachmentStore[Any], context: Any) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    for attempt in (
        store.upload("a.txt", "text/plain", stream(b"a"), context),
        store.create_attachment(announce("a.txt", "text/plain", 1), context),
        store.receive(attachment.id, stream(b"a"), context=context),
        store.open(attachment.id, context=context),
        store.confirm(attachment.id, context),
        store.delete_attachment(attachment.id, context),
    ):
        with pytest.raises((TypeError, ValueError), match="user_id"):
            await attempt


async def test_a_link_is_for_one_attachment_and_one_purpose(store: AttachmentStore[Any]) -> None:
    first = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    second = await store.upload("b.txt", "text/plain", stream(b"b"), ANN)
    to_upload = upload_token(first)
    to_read = token_in(store.link_to(second.id, ANN))
    assert await body(store, second.id, token=to_read) == b"b"
    to_read_first = token_in(store.link_to(first.id, ANN))
    by_another = token_in(store_at("memory://", secret="another").link_to(second.id, ANN))
    for token in ("", "x", "é" * 5000, to_upload, to_read_first, by_another, f"x{to_read}"):
        with pytest.raises(AttachmentLinkInvalidError):
            await store.open(second.id, token=token)
    for token in ("", to_read, to_read_first):
        with pytest.raises(AttachmentLinkInvalidError):
            await store.receive(first.id, stream(b"a"), token=token)


async def test_a_link_expires(folder: Path) -> None:
    store = store_at(folder)
    attachment = await store.upload("a.png", "image/png", stream(PNG), ANN)
    link = token_in(store.link_to(attachment.id, ANN))
    later = store_at(folder, metadata=store.metadata, url_lifetime=timedelta(seconds=-1))
    with pytest.raises(AttachmentLinkInvalidError):
        await later.open(attachment.id, token=link)


async def test_a_link_dies_with_its_attachment(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    link = token_in(store.link_to(attachment.id, ANN))
    begun = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    for each in (attachment, begun):
        await store.delete_attachment(each.id, ANN)
    with pytest.raises(AttachmentNotFoundError):
        await store.open(attachment.id, token=link)
    with pytest.raises(AttachmentNotFoundError):
        await store.receive(begun.id, stream(b"a"), token=upload_token(begun))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.text().filter(lambda text: not text.isidentifier()),
        st.sampled_from(["../owners/a", "files/a", "a/../b", "a\n", "a" * 129]),
    )
)
async def test_what_is_no_id_never_reaches_the_storage(tmp_path: Path, attachment_id: str) -> None:
    store = store_at(tmp_path)
    for attempt in (
        store.open(attachment_id, context=ANN),
        store.open(attachment_id, token="x"),
        store.receive(attachment_id, stream(), context=ANN),
        store.confirm(attachment_id, ANN),
        store.delete_attachment(attachment_id, ANN),
    ):
        with pytest.raises((AttachmentNotFoundError, AttachmentLinkInvalidError)):
            await attempt
    assert files_in(tmp_path) == []


async def test_names_become_harmless_and_no_keys(local: AttachmentStore[Any], folder: Path) -> None:
    for name in ("../../evil.txt", "a\x00b.txt", "x" * 10_000 + ".txt", "\u202e.txt", ""):
        direct = await local.upload(name, "text/plain", stream(b"a"), ANN)
        created = await local.create_attachment(announce(name, "text/plain", 1), ANN)
        assert direct.name == created.name
        assert "/" not in direct.name
        headers = (await local.open(direct.id, context=ANN)).headers
        assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert not [name for name in files_in(folder) if "evil" in name or "x" * 9 in name]
    assert files_in(folder.parent) == [f"attachments/{name}" for name in files_in(folder)]


# Reading


async def test_the_headers(store: AttachmentStore[Any]) -> None:
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


async def test_a_file_can_be_read_again(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"abc"), ANN)
    file = await store.open(attachment.id, context=ANN)
    for _ in range(2):
        assert [chunk async for chunk in file.stream()] == [b"abc"]


async def test_bytes_that_are_gone(local: AttachmentStore[Any], folder: Path) -> None:
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


async def test_a_preview_url_is_made_new(folder: Path) -> None:
    store = store_at(folder)
    image = await store.upload("a.png", "image/png", stream(PNG), ANN)
    text = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    moved = store_at(folder, metadata=store.metadata, base_url="https://new.test")
    refreshed = moved.refresh(image, ANN)
    assert isinstance(refreshed, ImageAttachment)
    assert str(refreshed.preview_url).startswith(f"https://new.test/attachments/{image.id}?")
    assert await body(moved, image.id, token=token_in(refreshed.preview_url)) == PNG
    assert moved.refresh(text, ANN) == text


async def test_the_base_url_may_come_with_the_context(folder: Path) -> None:
    store = store_at(folder, base_url="")
    context = {"user_id": "ann", "base_url": "http://localhost:8000/"}
    image = await store.upload("a.png", "image/png", stream(PNG), context)
    assert isinstance(image, ImageAttachment)
    assert str(image.preview_url).startswith("http://localhost:8000/attachments/")
    with pytest.raises(ValueError, match="base_url"):
        await store.upload("a.png", "image/png", stream(PNG), ANN)


# Deleting


async def test_deleting_leaves_nothing(local: AttachmentStore[Any], folder: Path) -> None:
    whole = await local.upload("a.txt", "text/plain", stream(b"a"), ANN)
    begun = await local.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    orphan = await local.upload("a.txt", "text/plain", stream(b"a"), BOB)
    await local.delete_attachment(whole.id, ANN)
    await local.delete_attachment(begun.id, ANN)
    await local.delete_bytes(orphan.id)
    await local.delete_bytes(orphan.id)
    assert files_in(folder) == []


async def test_clean_up_takes_what_was_not_sent(local: AttachmentStore[Any], folder: Path) -> None:
    sent = await local.upload("a.txt", "text/plain", stream(b"a"), ANN)
    await local.metadata.save_attachment(sent.model_copy(update={"thread_id": "thr_1"}), ANN)
    unsent = await local.upload("b.txt", "text/plain", stream(b"b"), ANN)
    await local.create_attachment(announce("c.txt", "text/plain", 1), BOB)
    unsaved = await local.create_attachment(announce("d.txt", "text/plain", 1), BOB)
    await local.metadata.delete_attachment(unsaved.id, BOB)
    for left in ("incoming/atc_1.00", "incoming/atc_1.00#1"):
        (folder / left).parent.mkdir(exist_ok=True)
        (folder / left).write_bytes(b"half")

    await local.clean_up()
    assert await local.read_bytes(unsent.id, ANN) == b"b"
    assert len([name for name in files_in(folder) if name.startswith("incoming")]) == 2

    await local.clean_up(AT_ONCE)
    assert files_in(folder) == [f"files/{sent.id}", f"owners/{sent.id}"]
    assert isinstance(local.metadata, MetadataStore)
    assert list(local.metadata.saved) == [sent.id]
    assert await local.read_bytes(sent.id, ANN) == b"a"


async def test_clean_up_of_nothing(store: AttachmentStore[Any]) -> None:
    await store.clean_up(AT_ONCE)


async def test_clean_up_forgets_notes_without_an_owner(
    local: AttachmentStore[Any], folder: Path
) -> None:
    await local.create_attachment(announce("c.txt", "text/plain", 1), BOB)
    for path in (folder / "owners").iterdir():
        path.unlink()
    await local.clean_up(AT_ONCE)
    assert files_in(folder) == []


# The storage


def test_errors_tell_a_status() -> None:
    assert AttachmentError("What happened.").status == 400
    assert str(AttachmentError("What happened.")) == "What happened."
    statuses = {each: each.status for each in AttachmentError.__subclasses__()}
    assert statuses[AttachmentTooLargeError] == 413
    assert statuses[AttachmentTypeRefusedError] == 415
    assert statuses[AttachmentNotFoundError] == 404
    assert all(str(each()) for each in statuses)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        store_at(tmp_path / "file")


@pytest.mark.parametrize("url", ["https://example.com/files", "ftp://example.com/x"])
def test_a_url_that_is_no_object_storage(url: str) -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        store_at(url)


def test_an_empty_secret(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="secret"):
        store_at(tmp_path, secret="")


@pytest.mark.usefixtures("local")
def test_the_folder_is_private(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_a_url_may_hold_escapes(tmp_path: Path) -> None:
    store_at(f"file://{tmp_path}/my%20files")
    assert (tmp_path / "my files").is_dir()


async def test_a_storage_that_fails_while_bytes_arrive(
    local: AttachmentStore[Any], folder: Path
) -> None:
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
    while len(asyncio.all_tasks()) > 1:  # Nothing waits for ever for bytes that do not come.
        await asyncio.sleep(0)


def test_without_the_extra_the_error_says_what_to_install() -> None:
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


def test_a_name_that_is_not_there() -> None:
    import agent_framework_chatkit.stores as stores

    with pytest.raises(AttributeError, match="Nothing"):
        stores.Nothing  # noqa: B018
