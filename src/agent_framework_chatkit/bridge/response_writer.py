"""Writes an agent's updates as thread items, one after another."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, TypeAlias

from agent_framework import AgentResponseUpdate, Content, WorkflowEvent

from ..error_log import log_error
from ..interrupts.pause import Pause
from ..interrupts.request_info import is_request_info
from .activity_writer import ActivityWriter
from .interrupt_writer import InterruptWriter
from .item_stream import ItemStream
from .media_writer import MediaWriter
from .message_writer import MessageWriter
from .open_items import OpenMessage
from .overrides import attempt, resolve
from .response_converter import AgentResponseConverter
from .step_writer import StepWriter
from .tool_call import CALLS, RESULTS
from .tool_writer import ToolWriter
from .usage import RunUsage

logger = logging.getLogger(__name__)

_Handler: TypeAlias = Callable[[Content, AgentResponseUpdate], "Awaitable[None] | None"]


class ResponseWriter:
    """Writes one run's updates as items.

    Args:
        items: The stream to write to.
        converter: Converts each content.
        pause: Receives the open requests when the run ends. Without it, the run cannot resume.
        client_tools: Names of more client tools than the converter's.
    """

    def __init__(
        self,
        items: ItemStream,
        converter: AgentResponseConverter,
        pause: Pause | None = None,
        *,
        client_tools: Collection[str] = (),
    ) -> None:
        self._items = items
        self._converter = converter
        self._has_updates = False
        self._held: dict[str, list[AgentResponseUpdate]] = {}
        """Updates of steps that run parallel to the current message's author, by step."""
        browser_tools = converter.client_tools | frozenset(client_tools)
        activity = ActivityWriter(items, converter)
        media = MediaWriter(items, converter, activity)
        self._steps = StepWriter(activity, converter)
        self._running_steps = self._steps.running
        self._messages = MessageWriter(items, converter, self._steps)
        self._tools = tools = ToolWriter(items, converter, activity, media, browser_tools)
        self._interrupts = interrupts = InterruptWriter(items, converter, pause, browser_tools)
        self._usage = usage = RunUsage()
        # The handlers do not refer to this object: the cycle would keep its answer in memory.
        self._handlers: dict[str, _Handler] = {
            "text": self._messages.write,
            "usage": lambda content, update: usage.add(content, update.author_name),
        }
        of_content: dict[str, Callable[[Content], Awaitable[None] | None]] = {
            "text_reasoning": activity.think,
            **dict.fromkeys(CALLS, tools.call),
            **dict.fromkeys(RESULTS, tools.result),
            "function_call": partial(_function_call, tools, interrupts),
            "image_generation_tool_call": media.image_call,
            "image_generation_tool_result": media.image_result,
            "data": media.data,
            "uri": media.data,
            "hosted_file": media.file,
            "hosted_vector_store": media.file,
            "function_approval_request": lambda content: interrupts.add("approval", content),
            # The user gave this answer, so there is nothing to show.
            "function_approval_response": lambda content: None,
            "oauth_consent_request": lambda content: interrupts.add("consent", content),
            "error": partial(_error, items, converter),
        }
        self._handlers |= {kind: _without_update(handle) for kind, handle in of_content.items()}

    def write(self, update: AgentResponseUpdate) -> Awaitable[object] | None:
        """Write an update, and return the rest to await, if any.

        Nearly every update is a piece of text and leaves nothing to await. Creating a coroutine for
        each of them would take a tenth of the bridge's time.
        """
        self._has_updates = True
        if self._running_steps and self._hold(update):
            return None
        contents = update.contents or ()
        if len(contents) == 1 and update.merge_mode != "replace":
            return self._write_content(contents[0], update)
        return self._write_contents(update)

    async def _write_contents(self, update: AgentResponseUpdate) -> None:
        replaces = update.merge_mode == "replace"
        if not update.contents and isinstance(update.raw_representation, WorkflowEvent):
            await attempt(self._step(update.raw_representation), "A step could not be shown.")
        for content in update.contents or ():
            if replaces and getattr(content, "type", "") == "text":
                self._messages.restart(update)
                replaces = False
            rest = self._write_content(content, update)
            if rest is not None:
                await rest

    def _write_content(
        self, content: Content, update: AgentResponseUpdate
    ) -> Awaitable[object] | None:
        """Write a content, and return the rest to await, if any.

        Content that cannot be shown is skipped, with an error in the log.
        """
        try:
            handler = self._handlers[content.type]
        except (AttributeError, KeyError):
            logger.warning("Content of an unknown kind is not shown: %r", content)
            return None
        try:
            rest = handler(content, update)
        except Exception:
            log_error(logger, "Content of kind %r could not be shown.", content.type)
            return None
        if rest is None:
            return None
        return attempt(rest, f"Content of kind {content.type!r} could not be shown.")

    async def finish(self, *, must_answer: bool = False) -> None:
        """Close the open items and write the open requests after the run succeeded.

        Args:
            must_answer: Whether to write an empty message even if there were no updates.
        """
        while self._held:
            for update in self._held.pop(next(iter(self._held))):
                await self._write_contents(update)
        await self._tools.show_open_calls()
        calls = self._tools.unanswered()
        if self._interrupts.is_paused(calls):
            self._tools.discard_unanswered()
        self._items.close()
        self._tools.show_widgets()
        await self._interrupts.write(calls)
        if (self._has_updates or must_answer) and not self._items.wrote_item:
            OpenMessage(self._items).close()
        await attempt(
            self._usage.report(self._converter), "The usage of a turn could not be reported."
        )

    def abort(self) -> None:
        """Close the open items after the run failed or was cancelled."""
        self.show_widgets()
        self._items.close()

    async def resume(self, pause: Pause) -> None:
        """Resume a paused run, with its remaining calls.

        Args:
            pause: The pause, whose requests are now answered.
        """
        await self._tools.resume(pause)

    def show_widgets(self) -> None:
        """Write the widgets of tools that returned."""
        self._tools.show_widgets()

    async def _step(self, event: WorkflowEvent[Any]) -> None:
        name = event.executor_id or ""
        if event.type == "executor_invoked":
            await self._steps.begin(name)
        elif name in self._running_steps:
            await self._steps.end(name, has_failed=event.type == "executor_failed")
            if name == self._messages.author and isinstance(self._items.current, OpenMessage):
                self._items.close_current()
            await self._write_held()

    def _hold(self, update: AgentResponseUpdate) -> bool:
        """Hold an update of another step until the current message is complete.

        Otherwise two concurrent messages would interrupt each other.
        """
        raw = update.raw_representation
        name = raw.executor_id if isinstance(raw, WorkflowEvent) else update.author_name
        author = self._messages.author
        if (
            not name
            or name == author
            or author not in self._running_steps
            or not isinstance(self._items.current, OpenMessage)
        ):
            return False
        self._held.setdefault(name, []).append(update)
        return True

    async def _write_held(self) -> None:
        """Write the held updates, one step after another."""
        for name in list(self._held):
            for update in self._held.pop(name, ()):
                rest = self.write(update)
                if rest is not None:
                    await rest


def _function_call(
    tools: ToolWriter, interrupts: InterruptWriter, content: Content
) -> Awaitable[None] | None:
    if is_request_info(content):
        interrupts.add("input", content)
        return None
    return tools.call(content)


async def _error(items: ItemStream, converter: AgentResponseConverter, content: Content) -> None:
    error = await resolve(converter.error_to_event(content))
    if error is not None:
        items.write_error(error)


def _without_update(handle: Callable[[Content], Awaitable[None] | None]) -> _Handler:
    return lambda content, update: handle(content)
