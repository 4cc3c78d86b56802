"""Files and notes after attachments are deleted or never sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent_framework_chatkit.stores import AttachmentStore

from .files import (
    ANN,
    AT_ONCE,
    BOB,
    announce,
    files_in,
    stream,
)
from .metadata_store import MetadataStore


async def test_deleting_leaves_nothing(local: AttachmentStore[Any], folder: Path) -> None:
    whole = await local.upload("a.txt", "text/plain", stream(b"a"), ANN)
    begun = await local.create_attachment(announce("a.txt", "text/plain", 1), ANN)
    orphan = await local.upload("a.txt", "text/plain", stream(b"a"), BOB)
    await local.delete_attachment(whole.id, ANN)
    await local.delete_attachment(begun.id, ANN)
    await local.delete_bytes(orphan.id)
    await local.delete_bytes(orphan.id)
    assert files_in(folder) == []


async def test_clean_up_deletes_unsent_uploads(local: AttachmentStore[Any], folder: Path) -> None:
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


async def test_clean_up_of_empty_storage(store: AttachmentStore[Any]) -> None:
    await store.clean_up(AT_ONCE)


async def test_clean_up_deletes_notes_without_owner(
    local: AttachmentStore[Any], folder: Path
) -> None:
    await local.create_attachment(announce("c.txt", "text/plain", 1), BOB)
    for path in (folder / "owners").iterdir():
        path.unlink()
    await local.clean_up(AT_ONCE)
    assert files_in(folder) == []
