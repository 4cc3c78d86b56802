"""Thread titles: the server sets the first one, and people may change it."""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from chatkit.types import ThreadMetadata, ThreadUpdatedEvent, UserMessageItem
from typing_extensions import TypeVar

from ..bridge.overrides import limited
from ..stores.sql.turn_rows import ThreadChange, Writes
from .publish import publish
from .service_failures import log_failure
from .threads import thread_response

if TYPE_CHECKING:
    from .server import AgentChatKitServer

TContext = TypeVar("TContext", default=Any)

TITLE_WITHIN = 60.0
"""Maximum seconds to wait for a title."""


def give_title(
    server: AgentChatKitServer[TContext],
    thread: ThreadMetadata,
    message: UserMessageItem,
    context: TContext,
) -> None:
    """Give a thread the title that the server returns, immediately or in the background."""

    async def set_when_ready(pending: Awaitable[str | None]) -> None:
        try:
            title = await limited(pending, TITLE_WITHIN)
            if title and thread.title is None:
                await set_title(server, thread, _checked(title), context)
        except Exception as error:
            log_failure(error, "Could not set the title of thread %r.", thread.id)

    try:
        title = server.title(thread, message, context)
        if isawaitable(title):
            server.in_background(set_when_ready(title))
        elif title:
            thread.title = _checked(title)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        log_failure(error, "Could not set the title of thread %r.", thread.id)


async def set_title(
    server: AgentChatKitServer[TContext], thread: ThreadMetadata, title: str, context: TContext
) -> None:
    """Set a thread's title, even while a turn is running."""
    named = thread.model_copy(update={"title": title})
    event = ThreadUpdatedEvent(thread=thread_response(named))
    writes = Writes(thread=ThreadChange(thread, named))
    await publish(server, thread.id, [event], writes, context)


def _checked(title: object) -> str:
    """Return a title from an app.

    Raises:
        TypeError: If it is not a string.
    """
    if not isinstance(title, str):
        raise TypeError(f"A title must be a string, not {title!r}.")
    return title
