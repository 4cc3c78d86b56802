"""The context that tools use to change the thread while they run."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Protocol

from agent_framework import Content, FunctionInvocationContext
from chatkit.icons import IconName
from chatkit.store import Store, StoreItemType
from chatkit.types import (
    ClientEffectEvent,
    ClientToolCallItem,
    HiddenContextItem,
    ProgressUpdateEvent,
    Task,
    ThreadItemAddedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
    Workflow,
    WorkflowItem,
    WorkflowSummary,
)
from chatkit.widgets import WidgetRoot
from typing_extensions import TypeVar

from ..interrupts.pause import Pause
from .item_stream import ItemStream
from .open_items import OpenWidget, OpenWorkflow
from .widget_updates import check_depth, widget_updates

TContext = TypeVar("TContext", default=Any)

AGENT_CONTEXT = "agent_context"
"""The name under which tools find their `ThreadContext` in `FunctionInvocationContext.kwargs`."""


_own_workflow: ContextVar[OpenWorkflow | None] = ContextVar("own_workflow", default=None)
"""The workflow that the calling tool started.

Each parallel tool call runs in its own asyncio task, and therefore has its own value.
"""


@dataclass
class ClientToolCall:
    """A client tool call that the browser makes when the agent's turn ends.

    Attributes:
        name: The client tool's name.
        arguments: The arguments of the call.
    """

    name: str
    arguments: dict[str, Any]


class CallRecorder(Protocol):
    """Records the tool calls of a run."""

    async def start_call(self, call: Content) -> None:
        """Record that a tool is about to run."""

    def end_call(self, call_id: str, result: Any) -> None:
        """Record a tool's result."""


class ThreadContext(Generic[TContext]):
    """Gives tools access to the thread, the store and the user while they run.

    Create one for each turn, and pass it to the run and to `stream_agent_response`:

    ```python
    context = ThreadContext(thread=thread, store=self.store, request_context=context)
    run = agent.run(
        messages, stream=True, function_invocation_kwargs=context.function_invocation_kwargs
    )
    async for event in stream_agent_response(run, thread.id, context=context):
        yield event
    ```

    A tool declares `ctx: FunctionInvocationContext` and calls `ThreadContext.of(ctx)`. Everything
    it streams is sent immediately, in order with the agent's own output. Parallel tools, and the
    tools of sub-agents made by `Agent.as_tool()`, share the turn's context, but each tool has its
    own workflow if it starts one.

    The methods are those of `chatkit.agents.AgentContext`, so tools written for the Agents SDK
    keep working.

    Args:
        thread: The turn's thread.
        store: The ChatKit store that contains the thread.
        request_context: The app's own context for the request.
        client_tools: Names of more client tools than those of the `AgentResponseConverter`.
        resumed: The pause, if the run resumes after one.
        sender: The widget whose action started the turn, if any.
    """

    def __init__(
        self,
        *,
        thread: ThreadMetadata,
        store: Store[TContext],
        request_context: TContext,
        client_tools: Collection[str] = (),
        resumed: Pause | None = None,
        sender: WidgetItem | None = None,
    ) -> None:
        self.thread = thread
        self.store = store
        self.request_context = request_context
        self.client_tools = frozenset(client_tools)
        self.resumed = resumed
        self.sender = sender
        self.pause = Pause()
        """The run's open requests; `stream_agent_response` adds them when the run ends."""
        self.recorder: CallRecorder | None = None
        """Records tool calls, if the turn is stored while it runs."""
        self.client_tool_call: ClientToolCall | None = None
        """The call that the browser makes when the turn ends; a tool may set it."""
        self.events: asyncio.Queue[ThreadStreamEvent | None] = asyncio.Queue()
        """The events to send, which `stream_agent_response` reads. `None` ends the turn."""
        self.items = ItemStream(thread.id, _new_ids(self), self.events.put_nowait)
        """Writes the items of the agent and of its tools."""

    def __deepcopy__(self, memo: dict[int, Any]) -> ThreadContext[TContext]:
        # A workflow copies its tools' arguments; a copied context would belong to no thread.
        return self

    @classmethod
    def of(cls, ctx: FunctionInvocationContext) -> ThreadContext[Any]:
        """Return the context of the turn in which a tool is called.

        Raises:
            LookupError: If the run has no context.
        """
        context = ctx.kwargs.get(AGENT_CONTEXT)
        if not isinstance(context, ThreadContext):
            raise LookupError(
                "This run has no ThreadContext. Pass one to it: "
                "agent.run(..., function_invocation_kwargs=context.function_invocation_kwargs)."
            )
        return context

    @property
    def function_invocation_kwargs(self) -> dict[str, Any]:
        """The value of the run's parameter of this name, through which tools find the context."""
        return {AGENT_CONTEXT: self}

    @property
    def workflow_item(self) -> WorkflowItem | None:
        """The workflow to which the tool's tasks are added, if there is one."""
        workflow = self._own_workflow() or self.items.current
        return workflow.item if isinstance(workflow, OpenWorkflow) else None

    def generate_id(self, type: StoreItemType, thread: ThreadMetadata | None = None) -> str:
        """Return a new ID from the store for an item or a thread.

        Args:
            type: The type of the item, or `"thread"`.
            thread: The item's thread; by default, the turn's.
        """
        if type == "thread":
            return self.store.generate_thread_id(self.request_context)
        return self.store.generate_item_id(type, thread or self.thread, self.request_context)

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Send an event.

        When the turn ends, items that were added but are not done are closed.
        """
        if isinstance(event, ThreadItemAddedEvent):
            self._close_own_workflow()
        self.items.write(event)
        # Send the event before the tool continues, even if the tool never awaits anything.
        await asyncio.sleep(0)

    async def stream_widget(
        self,
        widget: WidgetRoot | AsyncGenerator[WidgetRoot, None],
        copy_text: str | None = None,
    ) -> None:
        """Show a widget, or stream its states.

        If the generator fails or the turn is stopped, the widget keeps its last state.

        Args:
            widget: A widget, or an async generator of its states, each of which is complete.
                Growing text in a `Text` or `Markdown` with an ID streams as deltas; any other
                change sends the whole widget again.
            copy_text: The text for the clipboard when the user copies the widget.

        Raises:
            ValueError: If a widget is more than 64 components deep.
        """
        self._close_own_workflow()
        if not isinstance(widget, AsyncGenerator):
            self.items.write_done(self._widget_item(widget, copy_text))
            await asyncio.sleep(0)
            return
        opened: OpenWidget | None = None
        try:
            async with aclosing(widget) as states:
                async for state in states:
                    if opened is None:
                        opened = OpenWidget(self.items, self._widget_item(state, copy_text))
                    else:
                        opened.show(state)
                    await asyncio.sleep(0)
        finally:
            if opened is not None:
                opened.close()

    async def replace_widget(
        self,
        widget: WidgetRoot | AsyncGenerator[WidgetRoot, None],
        copy_text: str | None = None,
    ) -> None:
        """Replace the sender with another widget, or stream its states there.

        Args:
            widget: A widget, or an async generator of its states, as for `stream_widget`. If the
                generator fails, the original sender is shown again.
            copy_text: The text for the clipboard when the user copies the widget.

        Raises:
            ValueError: If there is no sender, or a widget is more than 64 components deep.
        """
        sender = self.sender
        if sender is None:
            raise ValueError("There is no widget to replace: no widget action started this turn.")
        shown = sender.widget
        try:
            if isinstance(widget, AsyncGenerator):
                async with aclosing(widget) as states:
                    async for state in states:
                        for change in widget_updates(shown, state):
                            self.items.send(
                                ThreadItemUpdatedEvent(item_id=sender.id, update=change)
                            )
                        shown = state
                        await asyncio.sleep(0)
            else:
                check_depth(widget)
                shown = widget
        except BaseException:
            self.items.write(ThreadItemReplacedEvent(item=sender))
            raise
        self.sender = sender.model_copy(update={"widget": shown, "copy_text": copy_text})
        await self.stream(ThreadItemReplacedEvent(item=self.sender))

    async def add_hidden_context(self, content: str) -> None:
        """Add context that users do not see. The agent reads it with the next message."""
        self.items.write_done(self.items.item(HiddenContextItem, "message", content=content))
        await asyncio.sleep(0)

    async def start_workflow(self, workflow: Workflow) -> None:
        """Start a workflow that belongs to the calling tool until it ends.

        It is shown when it has a task, or at once if it is a reasoning workflow.
        """
        self._close_own_workflow()
        self.items.close_current()
        _own_workflow.set(OpenWorkflow(self.items, workflow))
        await asyncio.sleep(0)

    async def add_workflow_task(self, task: Task) -> int:
        """Add a task to the tool's workflow, or else to the workflow of the agent's activity.

        Returns:
            The task's index, for `update_workflow_task`.
        """
        workflow = self._own_workflow() or self.items.activity()
        index = workflow.add_task(task)
        await asyncio.sleep(0)
        return index

    async def update_workflow_task(self, task: Task, task_index: int) -> None:
        """Replace a task of the workflow to which `add_workflow_task` adds.

        Args:
            task: The new task.
            task_index: The index that `add_workflow_task` returned.

        Raises:
            IndexError: If there is no task at the index.
            ValueError: If there is no workflow.
        """
        workflow = self._own_workflow() or self.items.current
        if not isinstance(workflow, OpenWorkflow):
            raise ValueError("There is no workflow: call start_workflow or add_workflow_task.")
        workflow.update_task(task_index, task)
        await asyncio.sleep(0)

    async def end_workflow(
        self, summary: WorkflowSummary | None = None, expanded: bool = False
    ) -> None:
        """End the workflow to which `add_workflow_task` adds, if there is one.

        Args:
            summary: The workflow's summary; by default, its duration.
            expanded: Whether its tasks stay expanded.
        """
        workflow = self._own_workflow() or self.items.current
        if isinstance(workflow, OpenWorkflow):
            workflow.close(summary, expanded)
        _own_workflow.set(None)
        await asyncio.sleep(0)

    async def stream_progress(self, text: str, icon: IconName | None = None) -> None:
        """Show a line about the current progress, which the next item replaces.

        Args:
            text: The line.
            icon: The icon next to it.
        """
        await self.stream(ProgressUpdateEvent(text=text, icon=icon))

    async def stream_client_effect(self, name: str, data: dict[str, Any] | None = None) -> None:
        """Trigger an effect in the page, without waiting for it.

        Args:
            name: The effect's name for the page's `onEffect`.
            data: The effect's data, as JSON.
        """
        await self.stream(ClientEffectEvent(name=name, data=data or {}))

    def call_client_tool(self) -> None:
        """Write the client tool call that a tool requested, if any."""
        if self.client_tool_call is not None:
            call, self.client_tool_call = self.client_tool_call, None
            self.items.write_done(
                self.items.item(
                    ClientToolCallItem,
                    "tool_call",
                    call_id=self.generate_id("tool_call"),
                    name=call.name,
                    arguments=call.arguments,
                )
            )

    def _widget_item(self, widget: WidgetRoot, copy_text: str | None) -> WidgetItem:
        check_depth(widget)
        return self.items.item(WidgetItem, "message", widget=widget, copy_text=copy_text)

    def _own_workflow(self) -> OpenWorkflow | None:
        workflow = _own_workflow.get()
        if workflow is None or workflow.is_closed or workflow.writer is not self.items:
            return None
        return workflow

    def _close_own_workflow(self) -> None:
        workflow = self._own_workflow()
        if workflow is not None:
            workflow.close()
        _own_workflow.set(None)


def _new_ids(context: ThreadContext[Any]) -> Callable[[str], str]:
    """Return a function that creates a turn's item IDs.

    It does not keep the context in memory, which contains the items.
    """
    reference = weakref.ref(context)

    def new_id(kind: str) -> str:
        alive = reference()
        if alive is None:
            raise RuntimeError("The turn has ended, so no item can be added to it.")
        item_type: Any = "message" if kind == "msg" else kind
        return alive.generate_id(item_type)

    return new_id
