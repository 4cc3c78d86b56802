"""What several integration tests use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..postgres import PostgresServer, run_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    with run_postgres() as server:
        yield server
