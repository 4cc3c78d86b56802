"""The command `af-chatkit`."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from ..http.app import create_app
from ..http.hosts import Hosts, is_loopback, local_hosts
from ..server.server import AgentChatKitServer
from ..stores import SQLStore
from .logs import LogFormat, log_config
from .settings import Settings

if TYPE_CHECKING:
    from ..stores import AttachmentStore

app = typer.Typer(
    help="Put an Agent Framework agent behind a ChatKit chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StoreOption = Annotated[str, typer.Option(help="The database's URL.", envvar="CHATKIT_STORE")]
AttachmentsOption = Annotated[
    str | None,
    typer.Option(
        help="Where uploaded files go: a folder, or a bucket's URL.", envvar="CHATKIT_ATTACHMENTS"
    ),
]
DEFAULT_STORE = Settings.model_fields["store"].default


@app.command()
def serve(
    agents: Annotated[
        list[str],
        typer.Argument(
            metavar="AGENT...",
            help="Who answers, as module:name: an agent, a workflow or its builder, or a "
            "function that returns one. Of several, a person chooses one in the composer.",
            envvar="CHATKIT_AGENT",
        ),
    ],
    host: Annotated[str, typer.Option(envvar="CHATKIT_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="CHATKIT_PORT")] = 8000,
    allowed_hosts: Annotated[
        str,
        typer.Option(
            help="The names under which the chat is served, separated by commas: "
            "chat.example.com,*.example.org. By default, on a loopback address, its own; else all.",
            envvar="CHATKIT_ALLOWED_HOSTS",
        ),
    ] = "",
    root_path: Annotated[
        str,
        typer.Option(
            help="The path under which a proxy serves the chat: /chat.", envvar="CHATKIT_ROOT_PATH"
        ),
    ] = "",
    store: StoreOption = DEFAULT_STORE,
    attachments: AttachmentsOption = None,
    workers: Annotated[
        int, typer.Option(help="How many processes serve.", envvar="CHATKIT_WORKERS")
    ] = 1,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            help="Lines of text, or of JSON with one for each turn.", envvar="CHATKIT_LOG_FORMAT"
        ),
    ] = LogFormat.TEXT,
    reload: Annotated[bool, typer.Option(help="Start again when the code changes.")] = False,
) -> None:
    """Serve an agent's chat."""
    sys.path.insert(0, os.getcwd())
    load_agents(agents)
    agent = " ".join(agents)
    _check_port(host, port)
    with _said_in_one_line():
        # Each worker opens its own; these show that they can.
        _attachment_store(attachments, SQLStore[Any](store), "only looked at")
        hosts = _allowed_hosts(allowed_hosts, host, port)
        Hosts(hosts)
        if root_path and not root_path.startswith("/"):
            raise ValueError(f"Begin the root path with a slash: /{root_path}")
    if hosts is None:
        typer.echo(
            "Every host name is allowed. Name those under which the chat is served: "
            "--allowed-hosts chat.example.com",
            err=True,
        )
    # Workers are processes of their own; they read the settings from the environment.
    os.environ.update(
        CHATKIT_AGENT=agent,
        CHATKIT_STORE=store,
        CHATKIT_HOST=host,
        CHATKIT_PORT=str(port),
        CHATKIT_ALLOWED_HOSTS=allowed_hosts,
    )
    if attachments is not None:
        os.environ["CHATKIT_ATTACHMENTS"] = attachments
        os.environ["CHATKIT_SECRET"] = Settings().secret or asyncio.run(_secret(store))
    typer.echo(f"Serving {agent} at http://{host}:{port}")
    uvicorn.run(
        "agent_framework_chatkit.cli.commands:make_app",
        factory=True,
        host=host,
        port=port,
        root_path=root_path.rstrip("/"),
        workers=workers,
        reload=reload,
        log_config=log_config(log_format),
        log_level="warning",
        timeout_graceful_shutdown=30,
        # A worker takes seconds to import the framework, more on a busy machine. By default it
        # would be taken for dead, and killed, again and again.
        timeout_worker_healthcheck=120,
    )


@app.command()
def migrate(store: StoreOption = DEFAULT_STORE) -> None:
    """Create the database's tables, or bring them up to date."""
    with _said_in_one_line():
        asyncio.run(_migrate(store))
    typer.echo("The database is up to date.")


@app.command()
def purge(
    days: Annotated[int, typer.Argument(help="Delete what nobody has touched for so long.", min=1)],
    store: StoreOption = DEFAULT_STORE,
    attachments: AttachmentsOption = None,
) -> None:
    """Delete old threads with all that belongs to them.

    Without --attachments, the files themselves are deleted by the next server that runs.
    """
    with _said_in_one_line():
        typer.echo(asyncio.run(_purge(store, attachments, days)))


def make_app() -> Starlette:
    """Return the app that the environment's settings describe."""
    settings = Settings()
    sys.path.insert(0, os.getcwd())
    store = SQLStore[Any](settings.store, lease=settings.lease)
    attachments = _attachment_store(settings.attachments, store, settings.secret)
    app = create_app(
        AgentChatKitServer(load_agents(settings.agent.split()), store, attachments),
        allowed_hosts=_allowed_hosts(settings.allowed_hosts, settings.host, settings.port),
    )
    # What is imported by now is never garbage. Looking at it all in each collection would take
    # more time than a turn. And what a running answer holds is garbage only when it ends: looking
    # at it all the time would make every other answer late.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return app


def load_agents(paths: Sequence[str]) -> Any:
    """Import one agent, or several by their names.

    Raises:
        typer.BadParameter: If one cannot be imported, or is named twice.
    """
    if len(paths) < 2:
        return load_agent("".join(paths))
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise typer.BadParameter(f"Name {twice!r} once.")
    return {path: load_agent(path) for path in paths}


def load_agent(path: str) -> Any:
    """Import what `module:name` names.

    Raises:
        typer.BadParameter: If there is no such module or name, or the module does not import.
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise typer.BadParameter(f"Name the agent as module:name, not as {path!r}.")
    try:
        module = import_module(module_name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and module_name.startswith(error.name or "?"):
            complaint = f"There is no module {module_name!r} in {os.getcwd()} or installed."
        else:
            complaint = f"{_place_of(error)}: {type(error).__name__}: {error}"
        raise typer.BadParameter(complaint) from error
    try:
        return getattr(module, name)
    except AttributeError:
        raise typer.BadParameter(f"The module {module_name!r} has no {name!r}.") from None


def _place_of(error: Exception) -> str:
    """Return the line of the person's own code that an error comes from."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(os.getcwd()) and "site-packages" not in frame.filename
    ]
    return f"{os.path.relpath(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "It"


@contextmanager
def _said_in_one_line() -> Iterator[None]:
    """Say what is wrong with a database or a place for files without a traceback."""
    try:
        yield
    except DBAPIError as error:
        raise typer.BadParameter(f"The database does not answer: {error.orig}") from error
    except (ImportError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error


def _allowed_hosts(given: str, host: str, port: int) -> list[str] | None:
    """Return the names that are allowed, given those of the option; `None` for all."""
    names = given.replace(",", " ").split()
    return names or (local_hosts(host, port) if is_loopback(host) else None)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise typer.BadParameter(
                f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --port."
            ) from None


async def _secret(url: str) -> str:
    async with SQLStore[Any](url) as store:
        return await store.secret()


async def _migrate(url: str) -> None:
    async with SQLStore[Any](url) as store:
        await store.migrate()


async def _purge(url: str, attachments: str | None, days: int) -> str:
    async with SQLStore[Any](url) as store:
        purged = await store.purge(timedelta(days=days))
        files = _attachment_store(attachments, store, await store.secret())
        if files is not None:
            await files.delete_doomed(store)
            await files.clean_up()
    return f"Deleted {purged.threads} threads and {purged.attachments} attachments."


def _attachment_store(
    url: str | None, store: SQLStore[Any], secret: str
) -> AttachmentStore[Any] | None:
    if url is None:
        return None
    # Not at the top: it needs an extra that a chat without uploads does not.
    from ..stores import AttachmentStore

    return AttachmentStore(url, metadata=store, secret=secret)
