"""Runs an app's handlers for the actions of its widgets."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Generic

from chatkit.actions import Action
from chatkit.errors import CustomStreamError
from chatkit.types import (
    ProgressUpdateEvent,
    SyncCustomActionResponse,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
)
from typing_extensions import TypeVar

from ..bridge.context import ThreadContext
from ..error_log import log_error
from ..stores.sql.turn_rows import ThreadChange, Writes
from ..widgets.actions import ActionHandler, ActionRun, Actions, RefusedActionError
from .agent_runner import Emit, emitted
from .answers import OUR_ACTIONS
from .publish import publish
from .threads import ThreadClosedError, check_open

if TYPE_CHECKING:
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)


class CustomActions(Generic[TContext]):
    """Runs an app's action handlers.

    Args:
        server: The server whose widgets send the actions.
        handlers: One handler for each action type.

    Raises:
        ValueError: If a type has two handlers or is reserved.
    """

    def __init__(
        self, server: AgentChatKitServer[TContext], handlers: Collection[ActionHandler]
    ) -> None:
        self._server = server
        self._actions = Actions(handlers, reserved=OUR_ACTIONS)

    async def stream(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Handle an action that streams; see `AgentChatKitServer.action`.

        Raises:
            CustomStreamError: If the handler fails. The message is for the user.
            RefusedActionError: If the action is refused. The message is for the user.
        """
        handled = self._take(thread, action, sender)
        agent_context = self._agent_context(thread, context, sender)
        with self._reporting_failures(action):
            async with aclosing(handled.stream(agent_context)) as events:
                async for event in events:
                    yield event
        if not handled.for_agent:
            return

        async def answer(emit: Emit) -> None:
            await self._server.runner.answer_input(
                thread, handled.for_agent, context, emit, sender=agent_context.sender
            )

        async with aclosing(emitted(answer)) as events:
            async for event in events:
                yield event

    async def answer(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: TContext,
    ) -> SyncCustomActionResponse:
        """Handle an action with an immediate response; see `AgentChatKitServer.sync_action`."""
        handled = self._take(thread, action, sender)
        agent_context = self._agent_context(thread, context, sender)
        before = thread.model_copy(deep=True)
        with self._reporting_failures(action):
            events = [event async for event in handled.stream(agent_context)]
        updated = agent_context.sender
        others = [event for event in events if not _can_omit(event, updated)]
        if handled.for_agent or others:
            raise NotImplementedError(
                f"The handler of {action.type!r} does more than replace its widget, so its action "
                "must stream: do not set `streaming` to false in the widget."
            )
        writes = Writes()
        changed: list[ThreadStreamEvent] = []
        if thread != before:
            writes.thread = ThreadChange(before, thread)
        if updated is not None and updated is not sender:
            writes.items.append(updated)
            changed.append(ThreadItemReplacedEvent(item=updated))
        if writes.thread or writes.items:
            await publish(self._server, thread.id, changed, writes, context)
        if updated is None or updated is sender:
            return SyncCustomActionResponse()
        return SyncCustomActionResponse(updated_item=updated)

    def _take(
        self, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None
    ) -> ActionRun:
        try:
            check_open(thread)
        except ThreadClosedError as closed:
            raise RefusedActionError(str(closed)) from closed
        return self._actions.take(action, sender)

    def _agent_context(
        self, thread: ThreadMetadata, context: TContext, sender: WidgetItem | None
    ) -> ThreadContext[TContext]:
        return ThreadContext(
            thread=thread, store=self._server.store, request_context=context, sender=sender
        )

    @contextmanager
    def _reporting_failures(self, action: Action[str, Any]) -> Iterator[None]:
        """Turn a handler's exception into an error with a message for the user."""
        try:
            yield
        except CustomStreamError:
            raise
        except Exception as error:
            log_error(logger, "The handler of an action of type %r failed.", action.type)
            raise CustomStreamError(self._server.error_message(error)) from error


def _can_omit(event: ThreadStreamEvent, updated: WidgetItem | None) -> bool:
    """Return whether a response that holds only the updated widget may leave out an event."""
    if isinstance(event, ThreadItemReplacedEvent):
        return updated is not None and event.item.id == updated.id
    return isinstance(event, (ThreadItemUpdatedEvent, ProgressUpdateEvent))
