"""Handlers for the actions of widgets."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, get_type_hints

from agent_framework import AgentResponseUpdate, Message
from chatkit.actions import Action
from chatkit.types import ThreadStreamEvent, WidgetItem
from pydantic import TypeAdapter, ValidationError

from ..bridge.context import ThreadContext
from ..bridge.overrides import MaybeAwaitable, resolve
from ..bridge.streaming import stream_agent_response
from ..text import readable_name
from .offers import is_offered

logger = logging.getLogger(__name__)

ForAgent: TypeAlias = "str | Message | list[Message] | None"
"""A handler's return value: the agent's input, or `None` if the agent is not to run."""

_NOTHING: tuple[AgentResponseUpdate, ...] = ()
_UNKNOWN = "This chat cannot do that."
_CLOSED = "This is no longer available. Reload the page to see the current state."


class RefusedActionError(Exception):
    """An action was refused. The message is for the user."""


@dataclass(frozen=True)
class ActionHandler:
    """The handler of an action type. Use the `action` decorator to create one.

    Attributes:
        type: The action type that widgets use.
        handle: Called with the payload and the context.
        payload: Validates the payload that a client sends.
        from_page: Whether pages may send the action themselves, with any payload.
    """

    type: str
    handle: Callable[[Any, ThreadContext[Any]], MaybeAwaitable[ForAgent]]
    payload: TypeAdapter[Any]
    from_page: bool = False


Handle: TypeAlias = "Callable[[Any, ThreadContext[Any]], MaybeAwaitable[ForAgent]]"


def action(type: str, *, from_page: bool = False) -> Callable[[Handle], ActionHandler]:
    """Make a function the handler of a widget action.

    ```python
    @action("flights.book")
    async def book_flight(flight: Flight, context: ThreadContext) -> str:
        await context.replace_widget(booked.build(flight))
        return f"I have booked flight {flight.number}."


    server = AgentChatKitServer(agent, store, actions=[book_flight])
    ```

    The function, sync or async, takes two arguments: the action's payload, which includes the
    values of the surrounding form and is converted to the type of the first parameter; and a
    `ThreadContext`, whose `sender` is the widget. If it returns text or messages, the agent answers
    them as the user's; if it returns `None`, the agent does not run. An invalid payload is refused
    with a message that names the wrong field.

    Args:
        type: The action type that widgets use.
        from_page: Whether a page may send the action itself with `sendCustomAction`, with or
            without a widget and with any payload. Otherwise, an action is accepted only if the
            stored widget contains it: with the same type and payload, apart from the values of
            form fields and controls.

    Raises:
        TypeError: If the function does not take two arguments, or its first parameter has no type
            annotation.
    """

    def handler(function: Handle) -> ActionHandler:
        names = list(inspect.signature(function).parameters)
        hints = get_type_hints(function, include_extras=True)
        if len(names) != 2 or names[0] not in hints:
            raise TypeError(
                f"The handler of {type!r} must take two arguments, the payload and a "
                "ThreadContext, and annotate the payload's type."
            )
        return ActionHandler(type, function, TypeAdapter(hints[names[0]]), from_page)

    return handler


class Actions:
    """A server's action handlers.

    Args:
        handlers: One handler for each type.
        reserved: Types that apps cannot use.

    Raises:
        ValueError: If a type has two handlers or is reserved.
    """

    def __init__(self, handlers: Collection[ActionHandler], reserved: Collection[str]) -> None:
        self._handlers: dict[str, ActionHandler] = {}
        for handler in handlers:
            if handler.type in self._handlers or handler.type in reserved:
                raise ValueError(f"There is already a handler for {handler.type!r}.")
            self._handlers[handler.type] = handler

    def take(self, action: Action[str, Any], sender: WidgetItem | None) -> ActionRun:
        """Return the run of an action's handler.

        Raises:
            RefusedActionError: If the type has no handler, the widget no longer offers the action,
                or the payload is not valid.
        """
        handler = self._handlers.get(action.type)
        if handler is None:
            logger.warning("There is no handler for actions of type %r.", action.type)
            raise RefusedActionError(_UNKNOWN)
        if not handler.from_page and (sender is None or not is_offered(action, sender)):
            raise RefusedActionError(_CLOSED)
        try:
            payload = handler.payload.validate_python(action.payload)
        except ValidationError as error:
            raise RefusedActionError(_problems(error)) from error
        return ActionRun(partial(handler.handle, payload))


class ActionRun:
    """Runs the handler of one action.

    Args:
        handle: The handler, with the payload applied.
    """

    def __init__(self, handle: Callable[[ThreadContext[Any]], MaybeAwaitable[ForAgent]]) -> None:
        self._handle = handle
        self.for_agent: list[Message] = []
        """The agent's input, set when the handler returns."""

    def stream(self, context: ThreadContext[Any]) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run the handler, and yield its events."""
        return stream_agent_response(self._run(context), context.thread.id, context=context)

    async def _run(self, context: ThreadContext[Any]) -> AsyncIterator[AgentResponseUpdate]:
        """Run the handler as an agent run without updates of its own."""
        returned = await resolve(self._handle(context))
        if isinstance(returned, str):
            returned = Message("user", [returned])
        self.for_agent = [returned] if isinstance(returned, Message) else returned or []
        for update in _NOTHING:
            yield update


def _problems(error: ValidationError) -> str:
    """Return a message with the first problems of a payload, by field."""
    problems = [
        ": ".join(
            part
            for part in (
                readable_name(".".join(map(str, problem["loc"]))),
                problem["msg"].removeprefix("Value error, "),
            )
            if part
        )
        for problem in error.errors(include_url=False, include_input=False)[:3]
    ]
    return f"This input is not valid. {'; '.join(problems)}."
