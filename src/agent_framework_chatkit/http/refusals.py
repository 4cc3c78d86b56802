"""Records refused requests in the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.types import Scope

if TYPE_CHECKING:
    from ..server.server import AgentChatKitServer

_REFUSED = (401, 403, 413, 429)
_MAX_PATH = 200


async def record_refusal(server: AgentChatKitServer[Any], scope: Scope, status: int) -> None:
    """Record that a request was refused, up to a rate limit.

    Args:
        server: The server that owns the audit trail.
        scope: The request.
        status: The status of the response.
    """
    if status in _REFUSED and server.quotas.may_record_refusal():
        path = scope["path"][:_MAX_PATH]
        await server.store.audit.record("request.refused", None, path=path, status=status)
