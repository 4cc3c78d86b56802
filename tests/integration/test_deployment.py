"""The commands and configuration files of the page `deployment.md`."""

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
from .processes import PATIENCE, ROOT, ServerProcess, free_port, is_healthy, program, wait_for

PAGE = (ROOT / "docs/deployment.md").read_text()
NAME = "chat.example.com"
AGENT = "tests.fakes.two_agents:weather"


def block(language: str) -> str:
    """Return the page's only block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return str(found)


def command(words: str) -> list[str]:
    """Return the page's only command with these words, for an agent of the tests."""
    (found,) = re.findall(rf"^af-chatkit serve my_agent:helper ({words}.*)$", PAGE, re.M)
    return [program("af-chatkit"), "serve", AGENT, *found.split()]


@contextmanager
def served(options: list[str], folder: Path, **variables: str) -> Iterator[ServerProcess]:
    process = ServerProcess(options, folder / "log", **variables)
    try:
        wait_for(lambda: is_healthy(process.address), process)
        yield process
    finally:
        process.kill()


@contextmanager
def nginx(location: str, folder: Path) -> Iterator[str]:
    """Run nginx with a location, and return its address."""
    installed = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if installed is None:
        pytest.skip("This needs nginx. On Debian: apt-get install nginx")
    port = free_port()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    # One process, which keeps the rights of the test's user.
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n"
        f"error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}"
        f"server {{\nlisten 127.0.0.1:{port};\n{location}}}\n}}\n"
    )
    with subprocess.Popen([installed, "-c", folder / "nginx.conf", "-e", "stderr"]) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def ask(http: httpx.Client, path: str) -> list[str]:
    """Start a chat, and return the events of the answer."""
    request: dict[str, Any] = {"type": "threads.create", "params": {"input": message("Hello")}}
    answer = http.post(f"{path}chatkit", json=request, timeout=PATIENCE).raise_for_status()
    return [line for line in answer.text.splitlines() if line]


def test_chat_behind_nginx(tmp_path: Path) -> None:
    files = ["--attachments", str(tmp_path / "files"), "--store", f"sqlite:///{tmp_path}/chat.db"]
    with served([*command("--root-path"), *files], tmp_path) as server:
        location = block("nginx").replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        with nginx(location, tmp_path) as address:
            wait_for(lambda: is_healthy(f"{address}/chat"), "nginx does not respond.")
            headers = {"host": NAME, "origin": f"http://{NAME}", "sec-fetch-site": "same-origin"}
            with httpx.Client(base_url=address, headers=headers, trust_env=False) as http:
                assert "<openai-chatkit" in http.get("/chat/").text
                assert http.get("/chat/chatkit.js").is_success
                assert any("It rains." in line for line in ask(http, "/chat/"))
                form = {"file": ("a.txt", b"a" * 2_000_000, "text/plain")}
                assert http.post("/chat/attachments", files=form).raise_for_status().json()["id"]
                other = http.get("/chat/", headers={"host": "evil.example"})
                assert other.status_code == 403


def test_workers_with_postgresql_and_bucket(
    postgres: PostgresServer, bucket: str, tmp_path: Path
) -> None:
    variables = {
        "CHATKIT_STORE": postgres.create_database(),
        "CHATKIT_ATTACHMENTS": f"s3://{bucket.rpartition('/')[2]}/production",
    }
    serve = command("--host 0.0.0.0 --workers 4$")
    # Two workers suffice to start from the same database, and start faster.
    with (
        served([*serve[:-1], "2"], tmp_path, **variables) as server,
        httpx.Client(base_url=server.address, trust_env=False) as http,
    ):
        assert any("It rains." in line for line in ask(http, "/"))


def test_service_is_valid(tmp_path: Path) -> None:
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("This needs systemd.")
    unit = tmp_path / "chat.service"
    unit.write_text(block("ini").replace("/opt/chat/bin/af-chatkit", program("af-chatkit")))
    checked = subprocess.run(
        [checker, "verify", unit], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
