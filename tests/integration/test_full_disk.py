"""A disk that becomes full during an upload."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..unit.stores.files import files_in

UPLOAD = """
import asyncio, os, sys
from agent_framework_chatkit.stores import AttachmentStore
from agent_framework_chatkit.stores.attachment_errors import AttachmentStorageError
from chatkit.types import AttachmentCreateParams
from tests.unit.stores.files import stream
from tests.unit.stores.metadata_store import MetadataStore

ANN = {"user_id": "ann"}
SIZE = 3_000_000


async def main(folder):
    store = AttachmentStore(folder, metadata=MetadataStore(), secret="not a secret", base_url="http://localhost")
    small = await store.upload("small.txt", "text/plain", stream(b"small"), ANN)
    created = await store.create_attachment(
        AttachmentCreateParams(name="b.txt", mime_type="text/plain", size=SIZE), ANN
    )
    for attempt in (
        store.upload("a.txt", "text/plain", stream(*[bytes(1000)] * (SIZE // 1000)), ANN),
        store.receive(created.id, stream(*[bytes(1000)] * (SIZE // 1000)), context=ANN),
    ):
        try:
            await attempt
        except AttachmentStorageError as error:
            print(error.status, error, "BECAUSE", str(error.__cause__).partition("\\n")[0])
    await store.delete_attachment(created.id, ANN)
    assert await store.read_bytes(small.id, ANN) == b"small"
    await store.delete_attachment(small.id, ANN)
    small = await store.upload("small.txt", "text/plain", stream(b"small"), ANN)
    await store.delete_attachment(small.id, ANN)


asyncio.run(main(sys.argv[1]))
# obstore's threads can abort an interpreter (before 3.14) that ends right after a call.
sys.stdout.flush()
os._exit(0)
"""


def upload_to(folder: Path, *before: str) -> list[str]:
    command = [*before, sys.executable, "-c", UPLOAD, str(folder)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def expect_errors(lines: list[str], reason: str) -> None:
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("503 The file storage does not work at the moment.")
        assert "BECAUSE" in line
        assert reason in line


def test_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    # A private disk, which disappears with the command.
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    script = f'mount -t tmpfs -o size=1m tmpfs "{folder}" && "$@" && find "{folder}" -type f'
    if subprocess.run([*alone, script, "sh", "true"], check=False, capture_output=True).returncode:
        pytest.skip("A disk of our own cannot be mounted here.")
    expect_errors(upload_to(folder, *alone, script, "sh"), "No space left on device")


@pytest.mark.skipif(os.name != "posix", reason="needs a limit for the size of files")
def test_file_size_limit(tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -f 1024; exec "$@"', "sh"]
    expect_errors(upload_to(tmp_path, *limited), "File too large")
    assert files_in(tmp_path) == []
