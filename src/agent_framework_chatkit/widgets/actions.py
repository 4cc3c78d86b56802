"""What the server does when a person uses a widget."""

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
"""What a handler returns: what the agent is to answer, or nothing."""

_NOTHING: tuple[AgentResponseUpdate, ...] = ()
_UNKNOWN = "This chat cannot do that."
_CLOSED = "This is not offered any more. Reload the page to see how it is."


class RefusedActionError(Exception):
    """An action that changes nothing; the message is for the person."""


@dataclass(frozen=True)
class ActionHandler:
    """What handles the actions of one type; made by `action`.

    Attributes:
        type: The type, as widgets name it.
        handle: Called with the payload and the context.
        payload: Checks what a client sends.
        from_page: Whether pages may call it on their own, with any payload.
    """

    type: str
    handle: Callable[[Any, ThreadContext[Any]], MaybeAwaitable[ForAgent]]
    payload: TypeAdapter[Any]
    from_page: bool = False


Handle: TypeAlias = "Callable[[Any, ThreadContext[Any]], MaybeAwaitable[ForAgent]]"


def action(type: str, *, from_page: bool = False) -> Callable[[Handle], ActionHandler]:
    """Have a function handle what people do in widgets.

    ```python
    @action("flights.book")
    async def book_flight(flight: Flight, context: ThreadContext) -> str:
        await context.replace_widget(booked.build(flight))
        return f"I have booked flight {flight.number}."


    server = AgentChatKitServer(agent, store, actions=[book_flight])
    ```

    The function, sync or async, is called with two arguments: the action's payload, with what the
    form around it holds, as the type of the first parameter; and a `ThreadContext`, whose `sender`
    is the widget. Text or messages that it returns are given to the agent as the person's, and its
    answer streams; if it returns `None` the agent does not run. A payload that does not fit is
    refused, and the person told which field is wrong.

    Args:
        type: The type of the actions, as widgets name it.
        from_page: Whether a page may call it on its own by `sendCustomAction`, with or without a
            widget and with any payload. Otherwise an action is taken only if the stored widget
            offers it: the same type and payload, but for the values of its form's fields and
            controls.

    Raises:
        TypeError: If the function does not take two arguments, or does not say the type of the
            first.
    """

    def handler(function: Handle) -> ActionHandler:
        names = list(inspect.signature(function).parameters)
        hints = get_type_hints(function, include_extras=True)
        if len(names) != 2 or names[0] not in hints:
            raise TypeError(
                f"The handler of {type!r} takes two arguments, the payload and a ThreadContext, "
                "and says of what type the payload is."
            )
        return ActionHandler(type, function, TypeAdapter(hints[names[0]]), from_page)

    return handler


class Actions:
    """The handlers that a server has.

    Args:
        handlers: One for each type.
        reserved: Types that apps cannot have for their own.

    Raises:
        ValueError: If a type has two, or is reserved.
    """

    def __init__(self, handlers: Collection[ActionHandler], reserved: Collection[str]) -> None:
        self._handlers: dict[str, ActionHandler] = {}
        for handler in handlers:
            if handler.type in self._handlers or handler.type in reserved:
                raise ValueError(f"There is a handler of {handler.type!r} already.")
            self._handlers[handler.type] = handler

    def take(self, action: Action[str, Any], sender: WidgetItem | None) -> ActionRun:
        """Return what is to run for an action.

        Raises:
            RefusedActionError: If nothing handles it, if its widget does not offer it any more,
                or if its payload does not fit.
        """
        handler = self._handlers.get(action.type)
        if handler is None:
            logger.warning("There is no handler of actions of type %r.", action.type)
            raise RefusedActionError(_UNKNOWN)
        if not handler.from_page and (sender is None or not is_offered(action, sender)):
            raise RefusedActionError(_CLOSED)
        try:
            payload = handler.payload.validate_python(action.payload)
        except ValidationError as error:
            raise RefusedActionError(_problems(error)) from error
        return ActionRun(partial(handler.handle, payload))


class ActionRun:
    """One action, while it is handled.

    Args:
        handle: What handles it.
    """

    def __init__(self, handle: Callable[[ThreadContext[Any]], MaybeAwaitable[ForAgent]]) -> None:
        self._handle = handle
        self.for_agent: list[Message] = []
        """What the agent is to answer, once the handler has ended."""

    def stream(self, context: ThreadContext[Any]) -> AsyncGenerator[ThreadStreamEvent, None]:
        """Run the handler, and yield what it shows while it runs."""
        return stream_agent_response(self._run(context), context.thread.id, context=context)

    async def _run(self, context: ThreadContext[Any]) -> AsyncIterator[AgentResponseUpdate]:
        """Run the handler as a run of an agent that says nothing itself."""
        returned = await resolve(self._handle(context))
        if isinstance(returned, str):
            returned = Message("user", [returned])
        self.for_agent = [returned] if isinstance(returned, Message) else returned or []
        for update in _NOTHING:
            yield update


def _problems(error: ValidationError) -> str:
    """Return what is wrong with a payload, field by field."""
    problems = [
        ": ".join(
            part
            for part in (
                readable_name(".".join(map(str, problem["loc"]))),
                problem["msg"].removeprefix("Value error, "),
            )
            if part
        )
        for problem in error.errors(include_url=False, include_input=False)
    ]
    return f"This does not fit. {'; '.join(problems[:3])}."
