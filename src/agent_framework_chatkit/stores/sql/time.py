"""The database's clock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class database_time(FunctionElement[float]):  # noqa: N801 it reads as SQL
    """The database's clock, in seconds since 1970, which all workers share."""

    type = Double()
    inherit_cache = True


@compiles(database_time, "sqlite")
def _sqlite_time(element: database_time, compiler: Any, **kwargs: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_time, "postgresql")
def _postgresql_time(element: database_time, compiler: Any, **kwargs: Any) -> str:
    # Not now(), which is the start of the transaction: it may have waited for a lock since then.
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
