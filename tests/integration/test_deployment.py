"""The commands and the systemd unit of `deployment.md`; `proxy.test.ts` runs its nginx location."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..postgres import PostgresServer
from ..unit.chat_client import message
from .processes import PATIENCE, ROOT, ServerProcess, is_healthy, program, wait_for

PAGE = (ROOT / "docs/deployment.md").read_text()


def found(pattern: str) -> str:
    """Return the group of a pattern that the page contains once."""
    (text,) = re.findall(pattern, PAGE, re.M | re.S)
    return str(text)


@contextmanager
def served(options: list[str], folder: Path, **variables: str) -> Iterator[ServerProcess]:
    command = [program("af-chatkit"), "serve", "tests.fakes.two_agents:weather", *options]
    process = ServerProcess(command, folder / "log", **variables)
    try:
        wait_for(lambda: is_healthy(process.address), process)
        yield process
    finally:
        process.kill()


def test_workers_with_postgresql_and_bucket(
    postgres: PostgresServer, bucket: str, tmp_path: Path
) -> None:
    variables = {
        "CHATKIT_STORE": postgres.create_database(),
        "CHATKIT_ATTACHMENTS": f"s3://{bucket.rpartition('/')[2]}/production",
    }
    options = found(r"^af-chatkit serve my_agent:helper (--host 0.0.0.0) --workers 4$").split()
    request: dict[str, Any] = {"type": "threads.create", "params": {"input": message("Hello")}}
    # Two workers start faster than the page's four.
    with served([*options, "--workers", "2"], tmp_path, **variables) as server:
        answer = httpx.post(server.url, json=request, timeout=PATIENCE, trust_env=False)
    assert "It rains." in answer.text


def test_service_is_valid(tmp_path: Path) -> None:
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("This needs systemd.")
    unit = tmp_path / "chat.service"
    unit.write_text(
        found(r"^```ini\n(.*?)^```").replace("/opt/chat/bin/af-chatkit", program("af-chatkit"))
    )
    checked = subprocess.run(
        [checker, "verify", unit], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    # The other lines are about the machine's own units.
    assert [line for line in checked.stderr.splitlines() if unit.name in line] == []
