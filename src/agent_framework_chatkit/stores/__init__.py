"""Stores for threads, items, sessions and attachments.

Each store needs its own extra, so stores are imported lazily.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import ThreadBusyError

if TYPE_CHECKING:
    from .attachments.errors import AttachmentError
    from .attachments.store import AttachmentStore
    from .sql.retention import Purged
    from .sql.store import SQLStore

__all__ = ["AttachmentError", "AttachmentStore", "Purged", "SQLStore", "ThreadBusyError"]

_HOMES = {
    "AttachmentError": ("attachments.errors", "files"),
    "AttachmentStore": ("attachments.store", "files"),
    "Purged": ("sql.retention", "sql"),
    "SQLStore": ("sql.store", "sql"),
}
"""The module of each name, and the extra that the module needs."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _HOMES[name]
    try:
        return getattr(import_module(f".{module}", __name__), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{name} needs {error.name!r}, which is not installed: "
            f"pip install 'agent-framework-chatkit[{extra}]'"
        ) from error
