"""The app that `af-chatkit serve` runs."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import TYPE_CHECKING

from .collector import paused_collector, tune_collector

if TYPE_CHECKING:
    from starlette.applications import Starlette

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` in the GNU C library's `malloc.h`."""

_LARGE_BLOCK = 1024 * 1024
"""The size of blocks, in bytes, that are returned to the system."""


def make_app() -> Starlette:
    """Return the app, configured by environment variables."""
    with paused_collector():
        from ..http.app import create_app
        from ..server.server import AgentChatKitServer
        from .address import host_names
        from .agents import add_current_folder, load_agents
        from .settings import Settings
        from .storage import attachment_store, sql_store

        settings = Settings()
        add_current_folder()
        store = sql_store(settings.store)
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
