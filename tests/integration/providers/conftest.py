"""Fixtures for the tests of services."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

# Lets its assertions show the compared values.
pytest.register_assert_rewrite("tests.integration.providers.chat")


@pytest.fixture(scope="package", autouse=True)
def _fewer_objects_to_look_at() -> Iterator[None]:
    """Keep what was imported out of the garbage collections, each of which would take as long as
    several tests.
    """
    gc.freeze()
    yield
    gc.unfreeze()
