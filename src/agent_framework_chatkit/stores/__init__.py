"""Where threads and attachments are kept. Each store comes with an extra of its own."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attachments import AttachmentStore

__all__ = ["AttachmentStore"]

# Imported when they are first asked for, so that a store whose extra is not installed is missed
# only by those who use it.
_MODULES = {"AttachmentStore": "attachments"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
