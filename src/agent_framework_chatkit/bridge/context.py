"""What a tool may do to the thread while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Protocol

from agent_framework import FunctionInvocationContext
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

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

AGENT_CONTEXT = "agent_context"
"""The name under which tools find their `ThreadContext` in `FunctionInvocationContext.kwargs`."""


_own_workflow: ContextVar[OpenWorkflow | None] = ContextVar("own_workflow", default=None)
"""The workflow that the calling tool has started.

A tool that runs in parallel to another runs in an asyncio task of its own, and so with variables
of its own.
"""


@dataclass
class ClientToolCall:
    """A call that the browser makes once the agent's turn has ended.

    Attributes:
        name: The client tool's name.
        arguments: What it is called with.
    """

    name: str
    arguments: dict[str, Any]


class CallRecorder(Protocol):
    """Takes note of what becomes of the calls of a run."""

    async def start_call(self, call_id: str) -> None:
        """Store that a tool is about to run."""

    def end_call(self, call_id: str, result: Any) -> None:
        """Note what a tool has returned."""


class ThreadContext(Generic[TContext]):
    """A tool's way to the thread, the store and the person, while the tool runs.

    Make one for each turn, give it to the run, and give it to `stream_agent_response`:

    ```python
    context = ThreadContext(thread=thread, store=self.store, request_context=context)
    run = agent.run(
        messages, stream=True, function_invocation_kwargs=context.function_invocation_kwargs
    )
    async for event in stream_agent_response(run, thread.id, context=context):
        yield event
    ```

    A tool declares `ctx: FunctionInvocationContext` and calls `ThreadContext.of(ctx)`. What it
    streams is on the wire at once, in order with what the agent says. Tools that run in
    parallel, and tools of sub-agents made by `Agent.as_tool()`, share the turn's context; each
    has a workflow of its own if it starts one.

    Its methods are those of `chatkit.agents.AgentContext`, so that tools written for the Agents
    SDK keep working.

    Args:
        thread: The thread that the turn belongs to.
        store: The ChatKit store that holds it.
        request_context: What the app knows of the request.
        client_tools: Names of tools that the browser runs, besides those that the
            `AgentResponseConverter` knows.
        resumed: What the run was paused for, if it goes on after a pause.
        sender: The widget whose action this is about, if one was used.
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
        """What the run waits for when it has ended; `stream_agent_response` fills it in."""
        self.recorder: CallRecorder | None = None
        """Takes note of calls, for a turn that is stored while it runs."""
        self.client_tool_call: ClientToolCall | None = None
        """Set by a tool to have the browser make a call when the turn has ended."""
        self.events: asyncio.Queue[ThreadStreamEvent | None] = asyncio.Queue()
        """What is to be sent; `stream_agent_response` reads it. `None` ends the turn."""
        self.items = ItemStream(thread.id, self._new_item_id, self.events.put_nowait)
        """Writes the turn's items, the agent's as well as the tools'."""

    def __deepcopy__(self, memo: dict[int, Any]) -> ThreadContext[TContext]:
        # A workflow copies what it gives its tools; a copy would lead to no thread.
        return self

    @classmethod
    def of(cls, ctx: FunctionInvocationContext) -> ThreadContext[Any]:
        """Return the context of the turn that a tool is called in.

        Raises:
            LookupError: If the run was not given one.
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
        """What the run's parameter of this name must hold for tools to find this context."""
        return {AGENT_CONTEXT: self}

    @property
    def workflow_item(self) -> WorkflowItem | None:
        """The workflow that the tool's tasks are added to, if there is one."""
        workflow = self._own_workflow() or self.items.current
        return workflow.item if isinstance(workflow, OpenWorkflow) else None

    def generate_id(self, type: StoreItemType, thread: ThreadMetadata | None = None) -> str:
        """Return a new id, made by the store, for an item or a thread.

        Args:
            type: What the id is for.
            thread: The thread that the item belongs to; the turn's by default.
        """
        if type == "thread":
            return self.store.generate_thread_id(self.request_context)
        return self.store.generate_item_id(type, thread or self.thread, self.request_context)

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Send an event.

        An item that is added but never done is closed when the turn ends.
        """
        if isinstance(event, ThreadItemAddedEvent):
            self._close_own_workflow()
        self.items.write(event)
        # Lets the event out before the tool goes on, even if the tool never waits for anything.
        await asyncio.sleep(0)

    async def stream_widget(
        self,
        widget: WidgetRoot | AsyncGenerator[WidgetRoot, None],
        copy_text: str | None = None,
    ) -> None:
        """Show a widget, or stream its states.

        Args:
            widget: A widget, or an async generator of its states, each of which is whole. Text
                that grows, in a `Text` or `Markdown` that has an id, streams word by word; with any
                other change the widget is drawn anew.
            copy_text: What is copied when a person copies the widget.

        If the generator fails or the turn is stopped, the widget stays as it was then.

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
        """Show another widget in the place of the sender, or stream its states there.

        Args:
            widget: A widget, or an async generator of its states, as for `stream_widget`. If it
                fails, the sender is shown again as it was.
            copy_text: What is copied when a person copies the widget.

        Raises:
            ValueError: If there is no sender, or a widget is more than 64 components deep.
        """
        sender = self.sender
        if sender is None:
            raise ValueError("There is no widget to replace: none was used.")
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
        """Tell the agent something that people do not see; it reads it with their next message."""
        self.items.write_done(self.items.item(HiddenContextItem, "message", content=content))
        await asyncio.sleep(0)

    async def start_workflow(self, workflow: Workflow) -> None:
        """Begin a workflow, which is the calling tool's own until it ends.

        Unless it is a reasoning workflow, it is shown from its first task on.
        """
        self._close_own_workflow()
        self.items.close_current()
        _own_workflow.set(OpenWorkflow(self.items, workflow))
        await asyncio.sleep(0)

    async def add_workflow_task(self, task: Task) -> int:
        """Add a task to the tool's workflow, else to the one that shows what the agent does.

        Returns:
            The task's index, for `update_workflow_task`.
        """
        workflow = self._own_workflow() or self.items.activity()
        index = workflow.add_task(task)
        await asyncio.sleep(0)
        return index

    async def update_workflow_task(self, task: Task, task_index: int) -> None:
        """Replace a task of the workflow that `add_workflow_task` adds to.

        Args:
            task: The task as it is now.
            task_index: Its index, as `add_workflow_task` returned it.

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
        """End the workflow that `add_workflow_task` adds to; nothing happens if there is none.

        Args:
            summary: What to show for it; how long it took by default.
            expanded: Whether its tasks stay unfolded.
        """
        workflow = self._own_workflow() or self.items.current
        if isinstance(workflow, OpenWorkflow):
            workflow.close(summary, expanded)
        _own_workflow.set(None)
        await asyncio.sleep(0)

    async def stream_progress(self, text: str, icon: IconName | None = None) -> None:
        """Tell the person what is going on, in a line that the next item replaces.

        Args:
            text: What to tell.
            icon: The icon beside it.
        """
        await self.stream(ProgressUpdateEvent(text=text, icon=icon))

    async def stream_client_effect(self, name: str, data: dict[str, Any] | None = None) -> None:
        """Have the page do something, without waiting for it.

        Args:
            name: What the page's `onEffect` is told.
            data: What it is told with it; JSON.
        """
        await self.stream(ClientEffectEvent(name=name, data=data or {}))

    def call_client_tool(self) -> None:
        """Write the client tool call that a tool has left, if there is one."""
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

    def _new_item_id(self, kind: str) -> str:
        item_type: Any = "message" if kind == "msg" else kind
        return self.generate_id(item_type)

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
