"""Opens, checks and maintains the stores of the commands, without the server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from ..stores import SQLStore
from ..stores.attachments.errors import AttachmentStorageError
from ..stores.errors import NewerDatabaseError
from ..stores.sql.engines import parse_url
from .settings import Settings

if TYPE_CHECKING:
    from ..stores import AttachmentStore


def sql_store(url: str) -> SQLStore[Any]:
    """Return the store of a database, configured by environment variables."""
    settings = Settings()
    return SQLStore(
        url,
        lease=settings.lease,
        audit_days=settings.audit_days,
        direct_url=settings.direct_store,
    )


def attachment_store(
    url: str | None, store: SQLStore[Any], secret: str
) -> AttachmentStore[Any] | None:
    """Return the attachment store, if a URL is given."""
    if url is None:
        return None
    # The import needs an extra that a chat without uploads does not need.
    from ..stores import AttachmentStore

    return AttachmentStore(url, metadata=store, secret=secret)


async def prepare(store_url: str, attachments: str | None, secret: str) -> str:
    """Check the database and the file storage, and bring the tables up to date.

    Returns:
        The secret that signs links to files.
    """
    async with sql_store(store_url) as store:
        await store.migrate()
        secret = secret or await store.secret()
        files = attachment_store(attachments, store, secret)
        if files is not None:
            await files.check()
    return secret


async def migrate(url: str) -> None:
    """Bring a database's tables up to date."""
    async with sql_store(url) as store:
        await store.migrate()


async def print_audit(url: str) -> None:
    """Print the records of the audit trail as JSON lines."""
    _check_exists(url)
    async with sql_store(url) as store:
        async for record in store.audit.records():
            typer.echo(json.dumps(record))


async def purge(url: str, attachments: str | None, days: int) -> str:
    """Delete old threads and files, and return a message with the counts."""
    _check_exists(url)
    async with sql_store(url) as store:
        purged = await store.purge(timedelta(days=days))
        files = attachment_store(attachments, store, await store.secret())
        if files is not None:
            await files.delete_doomed(store)
            await files.clean_up()
    return f"Deleted {purged.threads} threads and {purged.attachments} attachments."


def _check_exists(url: str) -> None:
    """Check that a database file exists. Opening it would create it."""
    parsed = parse_url(url)
    path = parsed.database
    if parsed.get_backend_name() == "sqlite" and path and not Path(path).exists():
        raise ValueError(f"There is no database at {path}. Name the chat's database with --store.")


@contextmanager
def without_traceback() -> Iterator[None]:
    """Report problems with the database or the file storage without a traceback."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        problem = f"Cannot use the database: {getattr(error, 'orig', error)}"
        if "unable to open database file" in problem:
            problem += ". Create its folder, or name another file: --store sqlite:////path/chat.db"
        raise typer.BadParameter(problem) from error
    except AttachmentStorageError as error:
        # The rest is a dump of the storage client's structures.
        reason = str(error.__cause__).partition("\n\nDebug source")[0]
        raise typer.BadParameter(
            f"Cannot store attachments: {reason}\n"
            "Check that the bucket or folder exists, and that you may write to it. For a bucket, "
            "also check the credentials and the region in the environment."
        ) from error
    except ValidationError as error:
        raise typer.BadParameter(
            "\n".join(
                f"CHATKIT_{each['loc'][0]}".upper() + f": {each['msg']}" for each in error.errors()
            )
        ) from error
    except BrokenPipeError:
        # The reader of the output stopped early, which Typer handles.
        raise
    except (ImportError, NewerDatabaseError, OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error
