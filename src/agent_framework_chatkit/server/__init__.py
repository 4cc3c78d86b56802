"""The ChatKit server for Agent Framework agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import AgentChatKitServer

__all__ = ["AgentChatKitServer"]


def __getattr__(name: str) -> Any:
    if name != "AgentChatKitServer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .server import AgentChatKitServer

    return AgentChatKitServer
