"""The app that `af-chatkit serve` runs, and the checks before it starts."""

from __future__ import annotations

import ctypes
import gc
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from ..http.app import create_app
from ..http.hosts import Hosts, is_loopback, local_hosts
from ..server.server import AgentChatKitServer
from ..stores import SQLStore
from ..stores.attachments.errors import AttachmentStorageError
from .agents import add_current_folder, load_agents
from .settings import Settings

if TYPE_CHECKING:
    from ..stores import AttachmentStore

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` in the GNU C library's `malloc.h`."""

_LARGE_BLOCK = 1024 * 1024
"""The size of blocks, in bytes, that are returned to the system."""


def make_app() -> Starlette:
    """Return the app, configured by environment variables."""
    settings = Settings()
    add_current_folder()
    store = _sql_store(settings.store)
    attachments = attachment_store(settings.attachments, store, settings.secret)
    app = create_app(
        AgentChatKitServer(load_agents(settings.agent.split()), store, attachments),
        allowed_hosts=host_names(settings.allowed_hosts, settings.host, settings.port),
    )
    tune_collector()
    tune_allocator()
    return app


def tune_allocator() -> None:
    """Make the GNU C library return large blocks of memory to the system as soon as they are free.

    By default, it keeps some: after a large request, a process would use twice as much as it needs.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)


def tune_collector() -> None:
    """Make garbage collections rare and short.

    Imported modules are never garbage, and scanning them in each collection would take longer than
    a turn. The objects of a running answer become garbage only when it ends, so frequent
    collections would only delay all answers. Full ones must not be too rare either: the framework's
    streams refer to themselves, so that only a collection frees the objects of an answer.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 20)


async def prepare(store_url: str, attachments: str | None, secret: str) -> str:
    """Check the database and the file storage, and bring the tables up to date.

    Returns:
        The secret that signs links to files.
    """
    async with _sql_store(store_url) as store:
        await store.migrate()
        secret = secret or await store.secret()
        files = attachment_store(attachments, store, secret)
        if files is not None:
            await files.check()
    return secret


async def migrate(url: str) -> None:
    """Bring a database's tables up to date."""
    async with _sql_store(url) as store:
        await store.migrate()


async def print_audit(url: str) -> None:
    """Print the records of the audit trail as JSON lines."""
    async with _sql_store(url) as store:
        async for record in store.audit.records():
            typer.echo(json.dumps(record))


async def purge(url: str, attachments: str | None, days: int) -> str:
    """Delete old threads and files, and return a message with the counts."""
    async with _sql_store(url) as store:
        purged = await store.purge(timedelta(days=days))
        files = attachment_store(attachments, store, await store.secret())
        if files is not None:
            await files.delete_doomed(store)
            await files.clean_up()
    return f"Deleted {purged.threads} threads and {purged.attachments} attachments."


def _sql_store(url: str) -> SQLStore[Any]:
    settings = Settings()
    return SQLStore(
        url,
        lease=settings.lease,
        audit_days=settings.audit_days,
        direct_url=settings.direct_store,
    )


@contextmanager
def without_traceback() -> Iterator[None]:
    """Report problems with the database or the file storage without a traceback."""
    try:
        yield
    except DBAPIError as error:
        problem = f"The database does not respond: {error.orig}"
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
    except (ImportError, OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error


def host_names(given: str, host: str, port: int) -> list[str] | None:
    """Return the allowed host names, given the option's value; `None` for all.

    Raises:
        ValueError: If the value contains an invalid host name.
    """
    names = given.replace(",", " ").split()
    hosts = names or (local_hosts(host, port) if is_loopback(host) else None)
    Hosts(hosts)
    return hosts


def check_port(host: str, port: int) -> None:
    """Check that the server can listen on an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise typer.BadParameter(
                f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --port."
            ) from None


def attachment_store(
    url: str | None, store: SQLStore[Any], secret: str
) -> AttachmentStore[Any] | None:
    """Return the attachment store, if a URL is given."""
    if url is None:
        return None
    # The import needs an extra that a chat without uploads does not need.
    from ..stores import AttachmentStore

    return AttachmentStore(url, metadata=store, secret=secret)
