"""Attachment stores with small limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_framework_chatkit.stores import AttachmentStore

from .files import store_at


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
