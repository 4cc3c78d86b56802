"""The turns' world on SQLite."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from functools import cache
from pathlib import Path

from agent_framework_chatkit.stores import SQLStore

from .machine import TurnsMachine


class OnSQLite(TurnsMachine):
    def __init__(self) -> None:
        super().__init__()
        # Outside the simulation, which starts later.
        new_database()

    def new_url(self) -> str:
        self.folder = tempfile.TemporaryDirectory()
        path = shutil.copy(new_database(), self.folder.name)
        return f"sqlite:///{path}"

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "folder"):
                self.folder.cleanup()


@cache
def new_database() -> Path:
    """Return a database with empty tables, to be copied."""
    path = Path(tempfile.mkdtemp()) / "chat.db"

    async def create() -> None:
        async with SQLStore(f"sqlite:///{path}") as store:
            await store.load_threads(1, None, "asc", {"user_id": "ann"})

    asyncio.run(create())
    return path
