"""Calls methods that an app may override, and checks their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatkit.types import StreamOptions, StreamOptionsEvent, ThreadMetadata
from typing_extensions import TypeVar

from ..stores.owners import owner_of, value_of
from .service_failures import log_failure

if TYPE_CHECKING:
    from .server import AgentChatKitServer

TContext = TypeVar("TContext", default=Any)


def stream_options(
    server: AgentChatKitServer[TContext], thread: ThreadMetadata, context: TContext
) -> StreamOptionsEvent:
    """Return the app's options for a turn's stream, or the default ones if that fails."""
    try:
        return StreamOptionsEvent(stream_options=server.get_stream_options(thread, context))
    except Exception as error:
        log_failure(error, "Using the default stream options for thread %r.", thread.id)
        return StreamOptionsEvent(stream_options=StreamOptions(allow_cancel=True))


def detached_context(server: AgentChatKitServer[TContext], context: TContext) -> TContext:
    """Return the app's context for a turn that outlives its request.

    Raises:
        TypeError: If it does not name the same owner.
    """
    detached = server.detached_context(context)
    if value_of(detached, "user_id") != owner_of(context):
        raise TypeError(
            "detached_context must return a context with the same `user_id` as the request's."
        )
    return detached
