"""Fixtures with real servers."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from samples.models import start_local_server

from ..fakes.scripted_endpoint import ScriptedEndpoint, scripted_endpoint
from ..postgres import PostgresServer, run_postgres
from .processes import Service


@pytest.fixture(scope="session")
def openai_base_url() -> Iterator[str]:
    """An OpenAI-compatible API with a real, small language model behind it."""
    server = start_local_server()
    yield f"{server.listening_address}/v1"
    del server  # The server stops when nothing refers to it.


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The quickstart's server, with the language model on this machine."""
    log = tmp_path_factory.mktemp("quickstart") / "log"
    with Service("quickstart.server", log) as service:
        yield service


@pytest.fixture
def endpoint() -> Iterator[ScriptedEndpoint]:
    """An endpoint that gives the test's answers."""
    with scripted_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    with run_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server that speaks S3, as a separate process."""
    log = tmp_path_factory.mktemp("s3") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as server,
    ):
        try:
            while not (
                found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
            ):
                assert server.poll() is None, log.read_text()
                time.sleep(0.05)
            yield found[1]
        finally:
            server.terminate()


@pytest.fixture
def bucket(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the URL of a new bucket, and set its credentials in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT", s3_url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    url = f"{s3_url}/bucket-{uuid4()}"
    with httpx.Client(trust_env=False) as client:
        client.put(url).raise_for_status()
        yield url
