"""The app's signing secret."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select

from .database import Database
from .tables import secrets as app_secrets


class AppSecret:
    """A secret that all workers share, generated on first use.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._value = ""

    async def value(self) -> str:
        """Return the secret."""
        if self._value:
            return self._value
        new = self._database.insert(app_secrets).values(name="app", value=secrets.token_hex(32))

        def find(connection: Connection) -> str:
            connection.execute(new.on_conflict_do_nothing())
            query = select(app_secrets.c.value).where(app_secrets.c.name == "app")
            return str(connection.scalar(query))

        self._value = await self._database.write(find)
        return self._value
