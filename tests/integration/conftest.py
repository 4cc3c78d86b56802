"""Real parts for the tests to run against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from samples.quickstart.model import start_local_server

from ..postgres import PostgresServer, run_postgres
from .processes import Service
from .scripted_endpoint import ScriptedEndpoint, scripted_endpoint


@pytest.fixture(scope="session")
def openai_base_url() -> Iterator[str]:
    """An OpenAI-compatible API with a real, small language model behind it."""
    server = start_local_server()
    yield f"{server.listening_address}/v1"
    del server  # It stops when nothing refers to it.


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The quickstart's server, with the language model on this machine."""
    log = tmp_path_factory.mktemp("quickstart") / "log"
    with Service("quickstart.server", log) as service:
        yield service


@pytest.fixture
def endpoint() -> Iterator[ScriptedEndpoint]:
    """An endpoint whose answers the test writes."""
    with scripted_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    with run_postgres() as server:
        yield server
