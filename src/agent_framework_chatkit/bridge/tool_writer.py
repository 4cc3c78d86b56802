"""Writes tool calls and their results as tasks and widgets."""

from __future__ import annotations

import logging
from collections.abc import Collection

from agent_framework import Content
from chatkit.types import WidgetItem

from ..interrupts.pause import Pause
from ..interrupts.questions import ASK_USER
from .activity_writer import ActivityWriter
from .cards import WidgetForm
from .item_stream import ItemStream
from .media_writer import MediaWriter
from .open_items import OpenWorkflow
from .overrides import attempt, resolve
from .response_converter import AgentResponseConverter
from .tool_call import CALLS, RESULTS, ToolCall
from .tool_tasks import has_failed

logger = logging.getLogger(__name__)


class ToolWriter:
    """Writes tool calls and their results.

    Args:
        items: The stream to write to.
        converter: Converts each content.
        activity: Writes the tasks.
        media: Writes the images of code interpreters.
        client_tools: Names of client tools, whose calls become items instead of tasks.
    """

    def __init__(
        self,
        items: ItemStream,
        converter: AgentResponseConverter,
        activity: ActivityWriter,
        media: MediaWriter,
        client_tools: Collection[str],
    ) -> None:
        self._items = items
        self._converter = converter
        self._activity = activity
        self._media = media
        self._without_task = {*client_tools, ASK_USER}
        self._calls: list[ToolCall] = []
        """Calls without a result so far, oldest first."""
        self._widgets: list[WidgetForm] = []
        """Widgets of results, held until parallel calls return too."""
        self._declined: set[str | None] = set()
        """The IDs of declined calls, whose results are not shown."""
        self._to_task = {
            "function": converter.function_to_task,
            "mcp_tool": converter.mcp_tool_to_task,
            "search_tool": converter.search_tool_to_task,
            "code_interpreter": converter.code_interpreter_to_task,
            "shell_tool": converter.shell_tool_to_task,
            "computer_tool": converter.computer_tool_to_task,
        }

    async def resume(self, pause: Pause) -> None:
        """Add the remaining calls of a resumed run."""
        for content in pause.calls_to_make():
            call = ToolCall("function")
            call.add_call(content)
            self._calls.append(call)
            decision = pause.decision_on(content)
            if decision is not None and decision.approved:
                await self._try_to_show(call)
            elif decision is not None:
                self._declined.add(content.call_id)

    async def call(self, content: Content) -> None:
        """Write a call, or a fragment of one."""
        kind = CALLS[content.type]
        call = next((each for each in reversed(self._calls) if each.has_call(kind, content)), None)
        if call is None:
            call = ToolCall(kind)
            self._calls.append(call)
        if call.add_call(content):
            await self._show(call)

    async def result(self, content: Content) -> None:
        """Write the result of a call."""
        kind = RESULTS[content.type]
        call = next(
            (each for each in reversed(self._calls) if each.has_result(kind, content)), None
        )
        if call is None:
            call = ToolCall(kind)
            self._calls.append(call)
            if kind == "function":
                logger.warning("A result came without its call: %r", content.call_id)
        call.add_result(content)
        if call.is_finished:
            self._calls.remove(call)
        if content.call_id in self._declined:
            return
        await self._show(call)

        if kind == "function":
            widget = await resolve(self._converter.function_to_widget(call.whole(), content))
            if widget is not None:
                self._widgets.append(widget)
            if not any(each.needs_result for each in self._calls):
                self.show_widgets()
        if content.type == "computer_tool_result" and content.screenshot is not None:
            self._activity.add(
                await resolve(self._converter.screenshot_to_task(content.screenshot))
            )
        if content.type == "code_interpreter_tool_result":
            for output in content.outputs or ():
                if isinstance(output, Content) and output.type in ("data", "uri"):
                    await self._media.data(output)

    def show_widgets(self) -> None:
        """Write the widgets of tools that returned."""
        widgets, self._widgets = self._widgets, []
        for widget, text in widgets:
            item = self._items.item(WidgetItem, "message", widget=widget, copy_text=text)
            self._items.write_done(item)

    async def show_open_calls(self) -> None:
        """Write the calls without a result, with their whole arguments."""
        for call in self._calls:
            await self._try_to_show(call)

    def unanswered(self) -> list[Content]:
        """Return the calls that should have a result by now."""
        calls = (call.whole() for call in self._calls if call.needs_result)
        return [call for call in calls if call is not None]

    def discard_unanswered(self) -> None:
        """Remove the current workflow if it contains only calls without a result."""
        workflow = self._items.current
        if isinstance(workflow, OpenWorkflow):
            shown = [call.shown for call in self._calls if call.needs_result]
            indexes = {task.index for task in shown if task and task.workflow is workflow}
            if len(indexes) == len(workflow.tasks):
                workflow.discard()

    async def _try_to_show(self, call: ToolCall) -> None:
        await attempt(self._show(call), "A tool call could not be shown.")

    async def _show(self, call: ToolCall) -> None:
        if call.result is None and call.name in self._without_task:
            return
        task = await resolve(self._to_task[call.kind](call.whole(), call.result))
        if task is None:
            return
        if call.shown is None:
            call.shown = self._activity.add(task)
        elif not call.shown.update(task) and has_failed(call.result):
            # The workflow was closed before the tool failed.
            self._activity.add(task)
