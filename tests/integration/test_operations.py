"""The commands of the page `operations.md`, exactly as written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import ThreadMetadata

from agent_framework_chatkit.stores import SQLStore

from ..postgres import PostgresServer
from .processes import PATIENCE, ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
ANN = {"user_id": "ann"}


def console_of(section: str) -> list[str]:
    """Return the blocks of commands in a section."""
    (body,) = re.findall(rf"^### {section}\n(.*?)^##", PAGE, re.M | re.S)
    return re.findall(r"^```console\n(.*?)^```", body, re.M | re.S)


def run(commands: str, folder: Path, **variables: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["/bin/bash", "-e", "-c", commands],
        cwd=folder,
        env={**os.environ, **variables, "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


async def begin_thread(store: SQLStore[Any], thread_id: str) -> None:
    thread = ThreadMetadata(id=thread_id, created_at=datetime.now(timezone.utc))
    await store.save_thread(thread, ANN)


async def threads(url: str) -> list[str]:
    async with SQLStore[Any](url) as store:
        return [each.id for each in (await store.load_threads(9, None, "asc", ANN)).data]


async def test_sqlite_backup_during_use_and_restore(tmp_path: Path) -> None:
    back_up, restore = console_of("SQLite")
    async with SQLStore[Any](f"sqlite:///{tmp_path}/chat.db") as store:
        await begin_thread(store, "thr_before")
        assert run(back_up, tmp_path).split() == ["ok"]
        await begin_thread(store, "thr_after")
    run(restore, tmp_path)
    assert await threads(f"sqlite:///{tmp_path}/chat.db") == ["thr_before"]


async def test_postgresql_backup_during_use_and_restore(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    back_up, restore = console_of("PostgreSQL")
    used, empty = postgres.create_database(), postgres.create_database()
    async with SQLStore[Any](used) as store:
        await begin_thread(store, "thr_before")
        run(back_up, tmp_path, CHATKIT_STORE=used)
        await begin_thread(store, "thr_after")
    run(restore, tmp_path, CHATKIT_STORE=empty)
    assert await threads(empty) == ["thr_before"]


def test_audit_trail_is_exported_to_file(tmp_path: Path) -> None:
    (command,) = re.findall(r"^af-chatkit audit .*$", PAGE, re.M)
    run(f"af-chatkit migrate && {command}", tmp_path)
    assert (tmp_path / "audit.jsonl").read_text() == ""


def test_old_threads_are_purged(tmp_path: Path) -> None:
    (command,) = re.findall(r"^af-chatkit purge .*$", PAGE, re.M)
    local = re.sub(r"s3://\S+", "files", command)
    run("af-chatkit migrate", tmp_path)
    assert run(local, tmp_path) == "Deleted 0 threads and 0 attachments.\n"


@pytest.mark.parametrize("setting", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SERVICE_NAME"])
def test_framework_reads_telemetry_settings(setting: str) -> None:
    from agent_framework import observability

    assert setting in PAGE
    assert setting in Path(observability.__file__).read_text()
