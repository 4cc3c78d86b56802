"""The order of things: what an agent sends, update by update, becomes items one after another."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_framework import (
    AgentResponseUpdate,
    Content,
    UsageDetails,
    WorkflowEvent,
    add_usage_details,
)
from chatkit.types import (
    ClientToolCallItem,
    CustomSummary,
    ErrorEvent,
    GeneratedImage,
    GeneratedImageItem,
    StructuredInputItem,
    Task,
    ThoughtTask,
    WidgetItem,
)

from ..interrupts.client_tools import client_tool_call_fields, error_result
from ..interrupts.pause import Interrupt, InterruptKind, Pause
from ..interrupts.questions import ASK_USER
from ..interrupts.request_info import is_request_info
from ..telemetry import record_usage
from ..text import mend_surrogates
from .cards import Form
from .data_content import is_image
from .item_stream import ItemWriter
from .open_items import OpenImage, OpenMessage, OpenWorkflow
from .overrides import MaybeAwaitable, resolve
from .pace import Pace
from .response_converter import AgentResponseConverter
from .tool_call import CALLS, RESULTS, ToolCall
from .tool_tasks import has_failed

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Thought:
    """A thought while it streams."""

    key: object
    """What the provider calls it; another key begins another thought."""
    workflow: OpenWorkflow
    index: int
    texts: list[str] = field(default_factory=list)
    length: int = 0
    pace: Pace = field(default_factory=Pace)


@dataclass
class _Step:
    """A step of a workflow while it runs."""

    completed: Task | None
    """What its task becomes when it ends."""
    workflow: OpenWorkflow | None = None
    """Where that is shown."""
    index: int = 0

    def end(self) -> None:
        if self.workflow is not None and not self.workflow.is_closed and self.completed is not None:
            self.workflow.update_task(self.index, self.completed)


class ResponseWriter:
    """Writes one run's updates as items.

    Args:
        items: Where the items are written.
        converter: What each content becomes.
        pause: Takes what the run waits for when it has ended. Without it, nobody goes on with
            the run.
        client_tools: Names of tools that the browser runs, besides those that the converter knows.
    """

    def __init__(
        self,
        items: ItemWriter,
        converter: AgentResponseConverter,
        pause: Pause | None = None,
        *,
        client_tools: Collection[str] = (),
    ) -> None:
        self._items = items
        self._converter = converter
        self._pause = pause
        self._client_tools = converter.client_tools | frozenset(client_tools)
        self._has_updates = False
        self._message_id: str | None = None
        self._author: str | None = None
        self._calls: list[ToolCall] = []
        """Calls whose result is still to come, oldest first."""
        self._widgets: list[Form] = []
        """Widgets of results, until the calls beside theirs have ended as well."""
        self._thought: _Thought | None = None
        self._images: dict[str, OpenImage] = {}
        """Images that are being drawn, by the id that the provider gave them."""
        self._requests: list[tuple[InterruptKind, Content]] = []
        """What a person is asked when the run has ended; they could not answer before."""
        self._steps: dict[str, _Step] = {}
        """Steps of a workflow that are running, by their names."""
        self._held: dict[str, list[AgentResponseUpdate]] = {}
        """What steps send that run beside the one whose message is being written."""
        self._declined: set[str | None] = set()
        """The ids of calls that a person has declined, and so knows the outcome of."""
        self._usage: dict[str | None, UsageDetails] = {}
        """What each agent has used, by its name."""
        self._to_task = {
            "function": converter.function_to_task,
            "mcp_tool": converter.mcp_tool_to_task,
            "search_tool": converter.search_tool_to_task,
            "code_interpreter": converter.code_interpreter_to_task,
            "shell_tool": converter.shell_tool_to_task,
            "computer_tool": converter.computer_tool_to_task,
        }
        self._handlers: dict[
            str, Callable[[Content, AgentResponseUpdate], Awaitable[None] | None]
        ] = {
            "text": self._text,
            "text_reasoning": self._reasoning,
            **dict.fromkeys(CALLS, self._tool_call),
            **dict.fromkeys(RESULTS, self._tool_result),
            "function_call": self._function_call,
            "image_generation_tool_call": self._image_call,
            "image_generation_tool_result": self._image_result,
            "data": self._data,
            "uri": self._data,
            "hosted_file": self._file,
            "hosted_vector_store": self._file,
            "function_approval_request": self._approval_request,
            "function_approval_response": self._nothing,
            "oauth_consent_request": self._consent_request,
            "error": self._error,
            "usage": self._count_usage,
        }

    def write(self, update: AgentResponseUpdate) -> Awaitable[None] | None:
        """Write what an update shows, and return what is left to await.

        Nothing is left of nearly every update, which is a piece of text: a coroutine for each
        would take a tenth of its time.
        """
        self._has_updates = True
        if self._steps and self._hold(update):
            return None
        contents = update.contents or ()
        if len(contents) == 1 and update.merge_mode != "replace":
            return self._write_content(contents[0], update)
        return self._write_contents(update)

    async def _write_contents(self, update: AgentResponseUpdate) -> None:
        replaces = update.merge_mode == "replace"
        if not update.contents and isinstance(update.raw_representation, WorkflowEvent):
            await self._try(self._step(update.raw_representation), "A step could not be shown.")
        for content in update.contents or ():
            if replaces and getattr(content, "type", "") == "text":
                self._restart_message(update)
                replaces = False
            rest = self._write_content(content, update)
            if rest is not None:
                await rest

    def _write_content(
        self, content: Content, update: AgentResponseUpdate
    ) -> Awaitable[None] | None:
        """Write what a content shows, and return what is left to await.

        One that cannot be shown is lost, and the log says so.
        """
        try:
            handler = self._handlers[content.type]
        except (AttributeError, KeyError):
            logger.warning("Content of an unknown kind is not shown: %r", content)
            return None
        try:
            rest = handler(content, update)
        except Exception:
            logger.exception("Content of kind %r could not be shown.", content.type)
            return None
        if rest is None:
            return None
        return self._try(rest, f"Content of kind {content.type!r} could not be shown.")

    async def finish(self) -> None:
        """Write what remains when the run has ended well."""
        self._author = None
        await self._let_go()
        for call in self._calls:
            await self._try(self._show_call(call), "A tool call could not be shown.")
        await self._ask()
        if self._has_updates and not self._items.wrote_item:
            OpenMessage(self._items).close()
        await self._try(self._report_usage(), "The usage of a turn could not be reported.")

    def abort(self) -> None:
        """Close what is open when the run has failed or was cancelled."""
        self.show_widgets()
        self._items.close()

    async def resume(self, pause: Pause) -> None:
        """Go on where a run was paused, with the calls that it is yet to make.

        Args:
            pause: What the run waited for, now answered.
        """
        for content in pause.calls_to_make():
            call = ToolCall("function")
            call.add_call(content)
            self._calls.append(call)
            decision = pause.decision_on(content)
            if decision is not None and decision.approved:
                await self._try(self._show_call(call), "A tool call could not be shown.")
            elif decision is not None:
                self._declined.add(content.call_id)

    async def _try(self, step: Awaitable[None], complaint: str) -> None:
        try:
            await step
        except Exception:
            logger.exception(complaint)

    # Text

    def _text(self, content: Content, update: AgentResponseUpdate) -> Awaitable[None] | None:
        delta = self._converter.text_to_delta(content)
        if isinstance(delta, str) and not content.annotations:
            if delta:
                self._write_text(delta, content, update)
            return None
        return self._annotated_text(delta, content, update)

    async def _annotated_text(
        self, delta: MaybeAwaitable[str | None], content: Content, update: AgentResponseUpdate
    ) -> None:
        text = await resolve(delta) or ""
        if not isinstance(text, str):
            raise TypeError(f"Text must be a string, not {text!r}.")
        if not text and not content.annotations:
            return
        message = self._write_text(text, content, update)
        if message is None:
            logger.warning("A citation came without its text: %r", content.annotations)
            return
        for citation in content.annotations or ():
            annotation = await resolve(self._converter.citation_to_annotation(citation))
            if annotation is not None:
                message.annotate(annotation, _part(content))

    def _write_text(
        self, text: str, content: Content, update: AgentResponseUpdate
    ) -> OpenMessage | None:
        """Write text to the message that it belongs to; return that, if there is one."""
        message_id = update.message_id or _field(content.raw_representation, "item_id")
        author = update.author_name
        current = self._items.current
        if (message_id and self._message_id and message_id != self._message_id) or (
            author and self._author and author != self._author
        ):
            if isinstance(current, OpenMessage):
                self._items.close_current()
            current = self._message_id = self._author = None
        if not isinstance(current, OpenMessage):
            if not text:
                return None
            if author in self._steps:
                # What it says shows that it is at work; the task would end with its workflow.
                self._steps[author].end()
            current = self._items.message()
        self._message_id = message_id or self._message_id
        self._author = author or self._author

        if content.merge_mode == "replace":
            current.replace(text, _part(content))
        elif text:
            current.append(text, _part(content))
        return current

    def _restart_message(self, update: AgentResponseUpdate) -> None:
        message = self._items.current
        if isinstance(message, OpenMessage) and update.message_id in (None, self._message_id):
            message.clear()

    # Steps of a workflow

    async def _step(self, event: WorkflowEvent[Any]) -> None:
        name = event.executor_id or ""
        if event.type == "executor_invoked":
            await self._begin_step(name)
            return
        step = self._steps.pop(name, None)
        if step is None:
            return
        if event.type == "executor_failed":
            step.completed = await resolve(self._converter.step_to_task(name, "failed"))
        step.end()
        if name == self._author and isinstance(self._items.current, OpenMessage):
            self._items.close_current()
        await self._let_go()

    def _hold(self, update: AgentResponseUpdate) -> bool:
        """Keep what another step sends until the one that speaks is done.

        Two that speak at once would tear each other's messages to pieces.
        """
        raw = update.raw_representation
        name = raw.executor_id if isinstance(raw, WorkflowEvent) else update.author_name
        if (
            not name
            or name == self._author
            or self._author not in self._steps
            or not isinstance(self._items.current, OpenMessage)
        ):
            return False
        self._held.setdefault(name, []).append(update)
        return True

    async def _let_go(self) -> None:
        """Write what was held, step by step."""
        for name in list(self._held):
            for update in self._held.pop(name, ()):
                rest = self.write(update)
                if rest is not None:
                    await rest

    async def _begin_step(self, name: str) -> None:
        task = await resolve(self._converter.step_to_task(name, "running"))
        completed = await resolve(self._converter.step_to_task(name, "completed"))
        step = self._steps[name] = _Step(completed)
        step.workflow, step.index = workflow, _ = self._add_task(task)
        if workflow is not None:
            # Says who is at work, also when the tasks are folded.
            before = workflow.item.workflow.summary
            names = before.title.split(", ") if isinstance(before, CustomSummary) else []
            title = ", ".join(dict.fromkeys([*names, getattr(task, "title", None) or name]))
            workflow.item.workflow.summary = CustomSummary(title=title)

    # Activity: reasoning, tools, files

    async def _reasoning(self, content: Content, update: AgentResponseUpdate) -> None:
        delta = await resolve(self._converter.reasoning_to_delta(content))
        if not delta:
            return
        raw = content.raw_representation
        key = (
            content.id or _field(raw, "item_id"),
            _field(raw, "summary_index", _field(raw, "content_index")),
        )
        thought = self._thought
        if thought is None or thought.key != key or thought.workflow is not self._items.current:
            self._end_thought()
            workflow = self._items.activity("reasoning")
            index = workflow.add_task(ThoughtTask(content=mend_surrogates(delta)))
            thought = self._thought = _Thought(key, workflow, index)
            workflow.before_close = self._end_thought
        if content.merge_mode == "replace":
            thought.texts, thought.length = [], 0
        thought.texts.append(delta)
        thought.length += len(delta)
        if thought.pace.is_due(thought.length) or content.merge_mode == "replace":
            self._show_thought(thought)

    def _show_thought(self, thought: _Thought) -> None:
        thought.texts = ["".join(thought.texts)]
        thought.workflow.update_task(
            thought.index, ThoughtTask(content=mend_surrogates(thought.texts[0]))
        )

    def _end_thought(self) -> None:
        if self._thought is not None and not self._thought.workflow.is_closed:
            self._show_thought(self._thought)
        self._thought = None

    async def _function_call(self, content: Content, update: AgentResponseUpdate) -> None:
        if is_request_info(content):
            await self._request_info(content)
        else:
            await self._tool_call(content, update)

    async def _tool_call(self, content: Content, update: AgentResponseUpdate) -> None:
        kind = CALLS[content.type]
        call = next((each for each in reversed(self._calls) if each.has_call(kind, content)), None)
        if call is None:
            call = ToolCall(kind)
            self._calls.append(call)
        if call.add_call(content):
            await self._show_call(call)

    async def _tool_result(self, content: Content, update: AgentResponseUpdate) -> None:
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
        await self._show_call(call)

        if kind == "function":
            widget = await resolve(self._converter.function_to_widget(call.whole(), content))
            if widget is not None:
                self._widgets.append(widget)
            if not any(each.needs_result for each in self._calls):
                self.show_widgets()
        if content.type == "computer_tool_result" and content.screenshot is not None:
            self._add_task(await resolve(self._converter.screenshot_to_task(content.screenshot)))
        if content.type == "code_interpreter_tool_result":
            for output in content.outputs or ():
                if isinstance(output, Content) and output.type in ("data", "uri"):
                    await self._data(output, update)

    def show_widgets(self) -> None:
        """Write the widgets of tools that have ended."""
        widgets, self._widgets = self._widgets, []
        for widget, text in widgets:
            item = self._items.item(WidgetItem, "message", widget=widget, copy_text=text)
            self._items.write_done(item)

    async def _show_call(self, call: ToolCall) -> None:
        if call.result is None and (call.name in self._client_tools or call.name == ASK_USER):
            return
        task = await resolve(self._to_task[call.kind](call.whole(), call.result))
        if task is None:
            return
        if call.workflow is None:
            call.workflow, call.index = self._add_task(task)
        elif not call.workflow.is_closed:
            call.workflow.update_task(call.index, task)
        elif has_failed(call.result):
            # Its workflow was closed while it ran, and says nothing of how it ended.
            self._add_task(task)

    def _add_task(self, task: Task | None) -> tuple[OpenWorkflow | None, int]:
        if task is None:
            return None, 0
        self._end_thought()
        workflow = self._items.activity()
        return workflow, workflow.add_task(task)

    async def _ask(self) -> None:
        """Write what a person is asked, and note what the run waits for."""
        unanswered = [call for call in self._calls if call.needs_result]
        calls = [content for call in unanswered if (content := call.whole()) is not None]
        clients = [call for call in calls if call.name in self._client_tools]
        questions = [call for call in calls if call.name == ASK_USER]
        is_paused = bool(self._requests or clients or questions)
        if is_paused:
            self._drop_what_waits(unanswered)
        self._items.close()
        self.show_widgets()
        for kind, request in self._requests:
            await self._try(self._write_form(kind, request), "A request could not be shown.")
        for call in questions:
            await self._try(self._write_form("questions", call), "Questions could not be shown.")
        for call in calls if not is_paused else ():
            await self._try(self._lack(call), "A missing tool could not be reported.")
        for number, call in enumerate(clients):
            self._call_client_tool(call, is_first=number == 0)
        if self._pause is not None:
            self._pause.calls = calls

    def _drop_what_waits(self, waiting: Sequence[ToolCall]) -> None:
        """Take back an activity that shows nothing but calls which are yet to be made."""
        workflow = self._items.current
        if isinstance(workflow, OpenWorkflow):
            indexes = {call.index for call in waiting if call.workflow is workflow}
            if len(indexes) == len(workflow.tasks):
                workflow.discard()

    async def _write_form(self, kind: InterruptKind, request: Content) -> None:
        if kind in ("questions", "input"):
            to_inputs = (
                self._converter.questions_to_inputs
                if kind == "questions"
                else self._converter.request_info_to_inputs
            )
            inputs = await resolve(to_inputs(request))
            if inputs:
                item = self._items.item(StructuredInputItem, "message", inputs=inputs)
                self._items.write_done(item)
                self._wait(kind, request, item.id)
            elif kind == "input":
                question = (request.parse_arguments() or {}).get("data")
                if isinstance(question, str):
                    self._items.message().append(question, None)
                    self._items.close_current()
                self._wait(kind, request)
            return
        to_form = (
            self._converter.approval_request_to_form
            if kind == "approval"
            else self._converter.consent_request_to_form
        )
        # Sealed before it is shown.
        interrupt = (self._pause or Pause()).interrupt(kind, request)
        form = await resolve(to_form(interrupt.shown))
        if form is not None:
            widget = self._items.item(
                WidgetItem, "message", widget=form.widget, copy_text=form.text
            )
            self._items.write_done(widget)
            interrupt.item_id = widget.id
            if self._pause is not None:
                self._pause.interrupts.append(interrupt)

    async def _lack(self, call: Content) -> None:
        self._wait("missing_tool", call, answer=error_result(call, "This tool is not available."))
        self._send_error(await resolve(self._converter.missing_tool_to_error(call)))

    def _call_client_tool(self, call: Content, *, is_first: bool) -> None:
        """Have the browser make a call, if it is the first: there is one call at a time."""
        if is_first:
            fields = client_tool_call_fields(call)
            item = self._items.item(ClientToolCallItem, "tool_call", **fields)
            self._items.write_done(item)
            self._wait("client_tool", call, item.id)
        elif self._pause is None:
            logger.warning("ChatKit has one client call at a time; %r waits.", call.name)
        else:
            self._wait("client_tool", call)

    def _wait(
        self,
        kind: InterruptKind,
        request: Content,
        item_id: str = "",
        answer: Content | None = None,
    ) -> None:
        if self._pause is not None:
            self._pause.interrupts.append(Interrupt(kind, request, item_id, answer))

    def _send_error(self, error: ErrorEvent | None) -> None:
        if error is not None:
            self._items.wrote_item = True
            self._items.send(error)

    async def _file(self, content: Content, update: AgentResponseUpdate) -> None:
        self._add_task(await resolve(self._converter.file_to_task(content)))

    # Images

    async def _data(self, content: Content, update: AgentResponseUpdate) -> None:
        if not is_image(content):
            await self._file(content, update)
            return
        image = await self._image(self._items.new_id("message"), content, None)
        if image is None:
            await self._file(content, update)
            return
        self._items.write_done(self._items.item(GeneratedImageItem, "message", image=image))

    async def _image(
        self, image_id: str, content: Content, partial_image_index: int | None
    ) -> GeneratedImage | None:
        url = await resolve(self._converter.image_to_url(image_id, content, partial_image_index))
        if url is None:
            logger.warning("What should be an image is not one: %.100r", content.uri)
            return None
        return GeneratedImage(id=mend_surrogates(image_id), url=mend_surrogates(url))

    async def _image_call(self, content: Content, update: AgentResponseUpdate) -> None:
        image_id = content.image_id or ""
        if image_id not in self._images:
            self._images[image_id] = OpenImage(self._items)

    async def _image_result(self, content: Content, update: AgentResponseUpdate) -> None:
        outputs = content.outputs
        if isinstance(outputs, Content):
            outputs = [outputs]
        image_id = content.image_id or ""
        for output in outputs or ():
            if not isinstance(output, Content):
                continue
            index = output.additional_properties.get("partial_image_index")
            image = await self._image(image_id or self._items.new_id("message"), output, index)
            if image is None:
                continue
            if image_id not in self._images:
                self._images[image_id] = OpenImage(self._items)
            if output.additional_properties.get("is_partial_image"):
                progress = self._converter.partial_image_index_to_progress(index or 0)
                self._images[image_id].update(image, progress)
            else:
                self._images.pop(image_id).close(image)

    # Requests

    async def _approval_request(self, content: Content, update: AgentResponseUpdate) -> None:
        self._requests.append(("approval", content))

    async def _consent_request(self, content: Content, update: AgentResponseUpdate) -> None:
        self._requests.append(("consent", content))

    async def _request_info(self, content: Content) -> None:
        self._requests.append(("input", content))

    # What is no item

    async def _error(self, content: Content, update: AgentResponseUpdate) -> None:
        self._send_error(await resolve(self._converter.error_to_event(content)))

    async def _count_usage(self, content: Content, update: AgentResponseUpdate) -> None:
        usage = content.usage_details or UsageDetails()
        if content.merge_mode != "replace":
            usage = add_usage_details(self._usage.get(update.author_name), usage)
        # What replaces is the running total of all that the agent has used in this run.
        self._usage[update.author_name] = usage

    async def _report_usage(self) -> None:
        total: UsageDetails | None = None
        for usage in self._usage.values():
            total = add_usage_details(total, usage)
        if total is None:
            return
        record_usage(total)
        await resolve(self._converter.on_usage(total))

    async def _nothing(self, content: Content, update: AgentResponseUpdate) -> None:
        """Show nothing: the person gave the answer and knows it."""


def _field(raw: object, name: str, default: Any = None) -> Any:
    """Return a field of what the model's service sent.

    A pydantic model is not asked for what it does not have: it takes longer to say so than all
    else that is done with a text.
    """
    fields = getattr(type(raw), "__pydantic_fields__", None)
    if fields is not None and name not in fields:
        return default
    return getattr(raw, name, default)


def _part(content: Content) -> object:
    """Return what tells the text's content part from others of the same message."""
    raw, properties = content.raw_representation, content.additional_properties
    index = None if raw is None else _field(raw, "content_index")
    if not properties:
        return index
    core = properties.get("core")
    # What the model calls the text, such as a refusal, which stands apart from others.
    kind = (core if isinstance(core, Mapping) else properties).get("model_output_kind")
    return index if kind is None else (index, kind)
