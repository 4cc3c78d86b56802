"""Access to files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chatkit.store import NotFoundError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import (
    AttachmentLinkInvalidError,
    AttachmentNotFoundError,
)

from .files import (
    ANN,
    BOB,
    PNG,
    User,
    announce,
    body,
    files_in,
    store_at,
    stream,
    token_in,
    upload_token,
)
from .metadata_store import MetadataStore


async def test_ids_cannot_be_guessed(store: AttachmentStore[Any]) -> None:
    ids = {store.generate_attachment_id("text/plain", ANN) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each.removeprefix("atc_")) * 4 >= 128 for each in ids)


async def test_overridden_id_is_checked(folder: Path) -> None:
    class Careless(AttachmentStore[Any]):
        def generate_attachment_id(self, mime_type: str, context: Any) -> str:
            return "../a"

    store = Careless(folder, metadata=MetadataStore(), secret="s")
    with pytest.raises(ValueError, match="is not a valid attachment ID"):
        await store.upload("a.txt", "text/plain", stream(b"a"), ANN)


async def test_another_owner_finds_nothing(store: AttachmentStore[Any]) -> None:
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
async def test_context_without_owner(store: AttachmentStore[Any], context: Any) -> None:
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


async def test_link_is_for_one_attachment_and_purpose(store: AttachmentStore[Any]) -> None:
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


async def test_link_expires(folder: Path) -> None:
    store = store_at(folder)
    attachment = await store.upload("a.png", "image/png", stream(PNG), ANN)
    link = token_in(store.link_to(attachment.id, ANN))
    later = store_at(folder, metadata=store.metadata, url_lifetime=timedelta(seconds=-1))
    with pytest.raises(AttachmentLinkInvalidError):
        await later.open(attachment.id, token=link)


async def test_link_expires_with_attachment(store: AttachmentStore[Any]) -> None:
    attachment = await store.upload("a.txt", "text/plain", stream(b"a"), ANN)
    link = token_in(store.link_to(attachment.id, ANN))
    begun = await store.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    for each in (attachment, begun):
        await store.delete_attachment(each.id, ANN)
    with pytest.raises(AttachmentNotFoundError):
        await store.open(attachment.id, token=link)
    with pytest.raises(AttachmentNotFoundError):
        await store.receive(begun.id, stream(b"a"), token=upload_token(begun))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text().filter(lambda text: not text.isidentifier()),
        st.sampled_from(["../owners/a", "files/a", "a/../b", "a\n", "a" * 129]),
    )
)
async def test_invalid_id_never_reaches_storage(tmp_path: Path, attachment_id: str) -> None:
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


async def test_names_become_harmless_and_are_not_keys(
    local: AttachmentStore[Any], folder: Path
) -> None:
    for name in ("../../evil.txt", "a\x00b.txt", "x" * 10_000 + ".txt", "\u202e.txt", ""):
        direct = await local.upload(name, "text/plain", stream(b"a"), ANN)
        created = await local.create_attachment(announce(name, "text/plain", 1), ANN)
        assert direct.name == created.name
        assert "/" not in direct.name
        headers = (await local.open(direct.id, context=ANN)).headers
        assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert not [name for name in files_in(folder) if "evil" in name or "x" * 9 in name]
    assert files_in(folder.parent) == [f"attachments/{name}" for name in files_in(folder)]


def test_empty_secret(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="secret"):
        store_at(tmp_path, secret="")


def test_short_secret_gives_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store_at(tmp_path, secret="s" * 16)
    store_at(tmp_path, secret=b"s" * 16)
    assert caplog.messages == []
    store_at(tmp_path, secret="a")
    (warning,) = caplog.messages
    assert "anyone may guess" in warning
