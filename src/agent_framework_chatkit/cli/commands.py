"""The `af-chatkit` command."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Annotated

import typer

from . import DEFAULT_STORE

# Commands import modules when they run, so that help and typos need not wait for the framework.

app = typer.Typer(
    help="Put an Agent Framework agent behind a ChatKit chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StoreOption = Annotated[str, typer.Option(help="The database URL.", envvar="CHATKIT_STORE")]
AttachmentsOption = Annotated[
    str | None,
    typer.Option(
        help="Where to store uploaded files: a folder or a bucket URL.",
        envvar="CHATKIT_ATTACHMENTS",
    ),
]


class LogFormat(str, Enum):
    """The format of the log."""

    TEXT = "text"
    JSON = "json"


AgentsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="AGENT...",
        help="The agent, as module:name: an agent, a workflow, a workflow builder, or a function "
        "that returns one. If there are several, users choose one in the composer.",
        envvar="CHATKIT_AGENT",
    ),
]
HostOption = Annotated[str, typer.Option(help="The address to listen on.", envvar="CHATKIT_HOST")]
PortOption = Annotated[
    int, typer.Option(help="The port to listen on.", envvar="CHATKIT_PORT", min=0, max=65535)
]
AllowedHostsOption = Annotated[
    str,
    typer.Option(
        help="The host names of the chat, separated by commas: chat.example.com,*.example.org. "
        "By default, local names on a loopback address, and all names otherwise.",
        envvar="CHATKIT_ALLOWED_HOSTS",
    ),
]
RootPathOption = Annotated[
    str,
    typer.Option(
        help="The path under which a proxy serves the chat: /chat.", envvar="CHATKIT_ROOT_PATH"
    ),
]
WorkersOption = Annotated[
    int, typer.Option(help="The number of server processes.", envvar="CHATKIT_WORKERS", min=1)
]
LogFormatOption = Annotated[
    LogFormat,
    typer.Option(help="Text, or JSON with a line for each turn.", envvar="CHATKIT_LOG_FORMAT"),
]
ReloadOption = Annotated[bool, typer.Option(help="Restart when the code changes.")]


@app.command()
def serve(
    agents: AgentsArgument,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    allowed_hosts: AllowedHostsOption = "",
    root_path: RootPathOption = "",
    store: StoreOption = DEFAULT_STORE,
    attachments: AttachmentsOption = None,
    workers: WorkersOption = 1,
    log_format: LogFormatOption = LogFormat.TEXT,
    reload: ReloadOption = False,
) -> None:
    """Serve an agent's chat."""
    from .address import check_address, host_names
    from .collector import paused_collector
    from .settings import Settings
    from .storage import prepare, without_traceback

    check_address(host, port, root_path)
    with without_traceback():
        hosts = host_names(allowed_hosts, host, port)
    with _print_if_slow(f"Loading {' '.join(agents)} ..."), paused_collector():
        import uvicorn

        from .agents import add_current_folder, load_agents
        from .logs import log_config

        add_current_folder()
        load_agents(agents)
    with without_traceback():
        secret = asyncio.run(prepare(store, attachments, Settings().secret))
    if hosts is None:
        text = "Every host name is allowed. Name your own: --allowed-hosts chat.example.com"
        typer.echo(text, err=True)
    settings = {
        "CHATKIT_AGENT": " ".join(agents),
        "CHATKIT_STORE": store,
        "CHATKIT_HOST": host,
        "CHATKIT_PORT": str(port),
        "CHATKIT_ALLOWED_HOSTS": allowed_hosts,
    }
    if attachments is not None:
        settings |= {"CHATKIT_ATTACHMENTS": attachments, "CHATKIT_SECRET": secret}
    # Workers are separate processes, which read the settings from the environment.
    os.environ.update(settings)
    typer.echo(f"Serving {', '.join(agents)} at http://{host}:{port}")
    uvicorn.run(
        "agent_framework_chatkit.cli.serving:make_app",
        factory=True,
        host=host,
        port=port,
        root_path=root_path.rstrip("/"),
        workers=workers,
        reload=reload,
        log_config=log_config(as_json=log_format is LogFormat.JSON),
        log_level="warning",
        timeout_graceful_shutdown=30,
        # A worker takes seconds to import the framework, more on a busy machine. With the default,
        # uvicorn would consider it dead and kill it again and again.
        timeout_worker_healthcheck=120,
    )


@app.command()
def migrate(store: StoreOption = DEFAULT_STORE) -> None:
    """Create the database's tables, or bring them up to date."""
    from . import storage

    with storage.without_traceback():
        asyncio.run(storage.migrate(store))
    typer.echo("The database is up to date.")


@app.command()
def purge(
    days: Annotated[int, typer.Argument(help="Delete threads unused for this many days.", min=1)],
    store: StoreOption = DEFAULT_STORE,
    attachments: AttachmentsOption = None,
) -> None:
    """Delete old threads and everything that belongs to them.

    Without --attachments, the server deletes the files at its next cleanup.
    """
    from . import storage

    with storage.without_traceback():
        typer.echo(asyncio.run(storage.purge(store, attachments, days)))


@app.command()
def audit(store: StoreOption = DEFAULT_STORE) -> None:
    """Print the audit trail as JSON lines, oldest first."""
    from . import storage

    with storage.without_traceback():
        asyncio.run(storage.print_audit(store))


@contextmanager
def _print_if_slow(text: str) -> Iterator[None]:
    """Print a message if the block takes more than a second."""
    timer = threading.Timer(1, typer.echo, [text], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
