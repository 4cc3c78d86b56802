"""Actions that people take in an app's widgets, and what its handlers make of them."""

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
from ..stores.sql.turn_rows import ThreadChange, Writes
from ..widgets.actions import ActionHandler, Actions
from .agent_runner import Emit, emitted
from .answers import OUR_ACTIONS
from .publish import publish

if TYPE_CHECKING:
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)


class CustomActions(Generic[TContext]):
    """Has an app's handlers take actions.

    Args:
        server: Whose widgets they are taken in.
        handlers: One for each type of action.

    Raises:
        ValueError: If a type has two handlers, or is one of ours.
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
        """Have a handler take an action, and the agent answer if it says so.

        Raises:
            CustomStreamError: If the handler fails; the message is for the person.
            RefusedActionError: If the action changes nothing; the message is for the person.
        """
        handled = self._actions.take(action, sender)
        agent_context = self._agent_context(thread, context, sender)
        with self._failing_safely(action):
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
        """Have a handler take an action that changes nothing but its widget.

        Raises:
            CustomStreamError: If the handler fails; the message is for the person.
            NotImplementedError: If the handler shows more; nothing of it is kept.
            RefusedActionError: If the action changes nothing; the message is for the person.
        """
        handled = self._actions.take(action, sender)
        agent_context = self._agent_context(thread, context, sender)
        before = thread.model_copy(deep=True)
        with self._failing_safely(action):
            events = [event async for event in handled.stream(agent_context)]
        updated = agent_context.sender
        shown = [event for event in events if not _is_passing(event, updated)]
        if handled.for_agent or shown:
            raise NotImplementedError(
                f"The handler of {action.type!r} does more than replace its widget, so its action "
                "must stream: do not set `streaming` to false where a widget names it."
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

    def _agent_context(
        self, thread: ThreadMetadata, context: TContext, sender: WidgetItem | None
    ) -> ThreadContext[TContext]:
        return ThreadContext(
            thread=thread, store=self._server.store, request_context=context, sender=sender
        )

    @contextmanager
    def _failing_safely(self, action: Action[str, Any]) -> Iterator[None]:
        """Turn what a handler raises into what a person may read."""
        try:
            yield
        except CustomStreamError:
            raise
        except Exception as error:
            logger.exception("The handler of an action of type %r failed.", action.type)
            raise CustomStreamError(self._server.error_message(error)) from error


def _is_passing(event: ThreadStreamEvent, updated: WidgetItem | None) -> bool:
    """Return whether nothing of an event is lost if only the updated widget is told."""
    if isinstance(event, ThreadItemReplacedEvent):
        return updated is not None and event.item.id == updated.id
    return isinstance(event, (ThreadItemUpdatedEvent, ProgressUpdateEvent))
