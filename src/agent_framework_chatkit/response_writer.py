"""The order of things: what an agent sends, update by update, becomes items one after another."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent_framework import AgentResponseUpdate, Content, UsageDetails, add_usage_details
from chatkit.types import (
    ClientToolCallItem,
    ErrorEvent,
    GeneratedImage,
    GeneratedImageItem,
    StructuredInputItem,
    Task,
    ThoughtTask,
    WidgetItem,
)
from opentelemetry import trace

from .item_writer import ItemWriter, OpenImage, OpenMessage, OpenWorkflow
from .overrides import resolve
from .response_converter import (
    AgentResponseConverter,
    Form,
    has_failed,
    is_image,
    is_running,
)
from .text import mend_json, mend_surrogates

logger = logging.getLogger(__name__)

REQUEST_INFO = "request_info"
"""The name of the function call that `WorkflowAgent` makes of a workflow's request."""

_TOOL_KINDS = {
    "function_call": "function",
    "function_result": "function",
    "mcp_server_tool_call": "mcp_tool",
    "mcp_server_tool_result": "mcp_tool",
    "search_tool_call": "search_tool",
    "search_tool_result": "search_tool",
    "code_interpreter_tool_call": "code_interpreter",
    "code_interpreter_tool_result": "code_interpreter",
    "shell_tool_call": "shell_tool",
    "shell_tool_result": "shell_tool",
    "shell_command_output": "shell_tool",
    "computer_tool_call": "computer_tool",
    "computer_tool_result": "computer_tool",
}


class _Pace:
    """When a text that is sent whole each time has grown enough to be sent again.

    It grows by a 32nd between two sendings, so that what is sent adds up to a multiple of the
    text's length, however long it gets, while each step still looks like streaming.
    """

    def __init__(self) -> None:
        self._sent = 0

    def is_due(self, length: int) -> bool:
        if length <= self._sent + self._sent // 32:
            return False
        self._sent = length
        return True


@dataclass(eq=False)
class _ToolCall:
    """A tool call whose outcome is not known yet."""

    kind: str
    """Which of the converter's methods shows it."""
    content: Content | None
    """The call as it began; `None` for a result that came without one."""
    texts: list[str] = field(default_factory=list)
    """What has arrived of the arguments or of the code."""
    length: int = 0
    """How many characters that is."""
    pace: _Pace = field(default_factory=_Pace)
    """Spares a task for every fragment of the arguments."""
    result: Content | None = None
    """What has arrived of the result."""
    workflow: OpenWorkflow | None = None
    """Where its task is shown, once it is."""
    index: int = 0
    """Its task's place in that workflow."""
    is_answered_elsewhere: bool = False
    """Whether it needs no result in this turn: a person or a service gives it."""

    def whole_call(self) -> Content | None:
        """Return the call with all of its arguments or code that have arrived."""
        call = self.content
        if call is None or not self.texts:
            return call
        self.texts = ["".join(self.texts)]
        whole = copy(call)
        if self.kind == "code_interpreter":
            whole.inputs = [Content.from_text(self.texts[0])]
        else:
            whole.arguments = self.texts[0]
        return whole


@dataclass(eq=False)
class _Thought:
    """A thought while it streams."""

    key: object
    """What the provider calls it; another key begins another thought."""
    workflow: OpenWorkflow
    index: int
    texts: list[str] = field(default_factory=list)
    length: int = 0
    pace: _Pace = field(default_factory=_Pace)


class ResponseWriter:
    """Writes one run's updates as items.

    Args:
        items: Where the items are written.
        converter: What each content becomes.
    """

    def __init__(self, items: ItemWriter, converter: AgentResponseConverter) -> None:
        self._items = items
        self._converter = converter
        self._has_updates = False
        self._message_id: str | None = None
        self._author: str | None = None
        self._calls: list[_ToolCall] = []
        """Calls whose result is still to come, oldest first."""
        self._thought: _Thought | None = None
        self._images: dict[str, OpenImage] = {}
        """Images that are being drawn, by the id that the provider gave them."""
        self._is_waiting = False
        """Whether the run waits for a person, so that calls may well have no result yet."""
        self._usage: dict[str | None, UsageDetails] = {}
        """What each response of the model used, by its id."""
        self._to_task = {
            "function": converter.function_to_task,
            "mcp_tool": converter.mcp_tool_to_task,
            "search_tool": converter.search_tool_to_task,
            "code_interpreter": converter.code_interpreter_to_task,
            "shell_tool": converter.shell_tool_to_task,
            "computer_tool": converter.computer_tool_to_task,
        }
        self._handlers: dict[str, Callable[[Content, AgentResponseUpdate], Awaitable[None]]] = {
            "text": self._text,
            "text_reasoning": self._reasoning,
            "function_call": self._function_call,
            "function_result": self._tool_result,
            "mcp_server_tool_call": self._tool_call,
            "mcp_server_tool_result": self._tool_result,
            "search_tool_call": self._tool_call,
            "search_tool_result": self._tool_result,
            "code_interpreter_tool_call": self._tool_call,
            "code_interpreter_tool_result": self._tool_result,
            "shell_tool_call": self._tool_call,
            "shell_tool_result": self._tool_result,
            "shell_command_output": self._tool_result,
            "computer_tool_call": self._tool_call,
            "computer_tool_result": self._tool_result,
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

    async def write(self, update: AgentResponseUpdate) -> None:
        """Write what an update shows."""
        self._has_updates = True
        replaces = getattr(update, "merge_mode", None) == "replace"
        for content in update.contents or ():
            handler = self._handlers.get(getattr(content, "type", ""))
            if handler is None:
                logger.warning("Content of an unknown kind is not shown: %r", content)
                continue
            if replaces and content.type == "text":
                self._restart_message(update)
                replaces = False
            try:
                await handler(content, update)
            except Exception:
                logger.exception("Content of kind %r could not be shown.", content.type)

    async def finish(self) -> None:
        """Write what remains when the run has ended well."""
        for call in self._calls:
            await self._try(self._show_call(call), "A tool call could not be shown.")
        self._items.close()
        await self._try(self._leave_unanswered(), "A call without a result could not be shown.")
        if self._has_updates and not self._items.wrote_item:
            OpenMessage(self._items).close()
        await self._try(self._report_usage(), "The usage of a turn could not be reported.")

    def abort(self) -> None:
        """Close what is open when the run has failed or was cancelled."""
        self._items.close()

    async def _try(self, step: Awaitable[None], complaint: str) -> None:
        try:
            await step
        except Exception:
            logger.exception(complaint)

    # Text

    async def _text(self, content: Content, update: AgentResponseUpdate) -> None:
        delta = self._converter.text_to_delta(content)
        if delta.__class__ is not str:
            delta = await resolve(delta) or ""
            if not isinstance(delta, str):
                raise TypeError(f"Text must be a string, not {delta!r}.")
        if not delta and not content.annotations:
            return
        raw = content.raw_representation
        message_id = update.message_id or getattr(raw, "item_id", None)
        author = update.author_name
        if (message_id and self._message_id and message_id != self._message_id) or (
            author and self._author and author != self._author
        ):
            if isinstance(self._items.current, OpenMessage):
                self._items.close_current()
            self._message_id = self._author = None
        if not delta and not isinstance(self._items.current, OpenMessage):
            logger.warning("A citation came without its text: %r", content.annotations)
            return
        self._message_id = message_id or self._message_id
        self._author = author or self._author

        message = self._items.message()
        part = (getattr(raw, "content_index", None), _output_kind(content))
        if content.merge_mode == "replace":
            message.replace(delta, part)
        elif delta:
            message.append(delta, part)
        for citation in content.annotations or ():
            annotation = await resolve(self._converter.citation_to_annotation(citation))
            if annotation is not None:
                message.annotate(annotation, part)

    def _restart_message(self, update: AgentResponseUpdate) -> None:
        message = self._items.current
        if isinstance(message, OpenMessage) and update.message_id in (None, self._message_id):
            message.clear()

    # Activity: reasoning, tools, files

    async def _reasoning(self, content: Content, update: AgentResponseUpdate) -> None:
        delta = await resolve(self._converter.reasoning_to_delta(content))
        if not delta:
            return
        raw = content.raw_representation
        key = (
            content.id or getattr(raw, "item_id", None),
            getattr(raw, "summary_index", getattr(raw, "content_index", None)),
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
        if content.name == REQUEST_INFO and _is_request_info(content):
            await self._request_info(content)
        else:
            await self._tool_call(content, update)

    async def _tool_call(self, content: Content, update: AgentResponseUpdate) -> None:
        kind = _TOOL_KINDS[content.type]
        call = self._find_call(kind, content)
        is_new = call is None
        if call is None:
            call = _ToolCall(kind, content)
            call.is_answered_elsewhere = kind != "function" or bool(
                getattr(content, "informational_only", False) or getattr(content, "hosted", False)
            )
            self._calls.append(call)
        elif call.content is None:
            call.content = content
        text = _call_text(content)
        is_whole = content.merge_mode == "replace" or text is None
        if text is not None:
            if content.merge_mode == "replace":
                call.texts, call.length = [], 0
            call.texts.append(text)
            call.length += len(text)
        if call.pace.is_due(call.length) or is_new or is_whole:
            await self._show_call(call)

    async def _tool_result(self, content: Content, update: AgentResponseUpdate) -> None:
        kind = _TOOL_KINDS[content.type]
        call = self._find_call(kind, content)
        if call is None:
            call = _ToolCall(kind, None)
            if content.type == "function_result":
                logger.warning("A result came without its call: %r", content.call_id)
        call.result = _with_earlier_outputs(call.result, content)
        if is_running(content):
            if call not in self._calls:
                self._calls.append(call)
        elif call in self._calls:
            self._calls.remove(call)
        await self._show_call(call)

        if content.type == "computer_tool_result" and content.screenshot is not None:
            task = await resolve(self._converter.screenshot_to_task(content.screenshot))
            self._add_task(task)
        if content.type == "code_interpreter_tool_result":
            for output in content.outputs or ():
                if isinstance(output, Content) and output.type in ("data", "uri"):
                    await self._data(output, update)

    def _find_call(self, kind: str, content: Content) -> _ToolCall | None:
        """Return the unfinished call that a fragment or a result belongs to."""
        for call in reversed(self._calls):
            if call.kind != kind:
                continue
            known = call.content or call.result
            call_id = known.call_id if known else None
            if not content.call_id or not call_id:
                return call
            if call_id == content.call_id:
                names = {content.name, call.content.name if call.content else None} - {None, ""}
                return call if len(names) < 2 else None
        return None

    async def _show_call(self, call: _ToolCall) -> None:
        if call.kind == "function" and call.result is None and self._is_client_tool(call):
            return
        task = await resolve(self._to_task[call.kind](call.whole_call(), call.result))
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

    def _is_client_tool(self, call: _ToolCall) -> bool:
        return call.content is not None and call.content.name in self._converter.client_tools

    async def _leave_unanswered(self) -> None:
        """Write what becomes of the calls that nothing has answered."""
        calls = [call for call in self._calls if call.kind == "function"]
        client_calls = [content for call in calls if (content := self._client_call(call))]
        if client_calls:
            first, *others = client_calls
            self._items.write_done(
                ClientToolCallItem(
                    id=self._items.new_id("tool_call"),
                    thread_id=self._items.thread_id,
                    created_at=datetime.now(),
                    call_id=mend_surrogates(first.call_id or ""),
                    name=first.name or "",
                    arguments=mend_json(first.parse_arguments() or {}),
                )
            )
            for other in others:
                logger.warning("ChatKit has one client call at a time; %r waits.", other.name)
        elif not self._is_waiting:
            for call in calls:
                content = call.whole_call()
                if content is not None and not call.is_answered_elsewhere:
                    self._send_error(await resolve(self._converter.missing_tool_to_error(content)))

    def _client_call(self, call: _ToolCall) -> Content | None:
        return call.whole_call() if self._is_client_tool(call) else None

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
        item_id = self._items.new_id("message")
        image = await self._image(item_id, content, None)
        if image is None:
            await self._file(content, update)
            return
        self._items.write_done(
            GeneratedImageItem(
                id=item_id,
                thread_id=self._items.thread_id,
                created_at=datetime.now(),
                image=image,
            )
        )

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
            image = await self._image(image_id or self._items.new_id("image"), output, index)
            if image is None:
                continue
            if image_id not in self._images:
                self._images[image_id] = OpenImage(self._items)
            if output.additional_properties.get("is_partial_image"):
                progress = self._converter.partial_image_index_to_progress(index or 0)
                self._images[image_id].update(image, progress)
            else:
                self._images.pop(image_id).close(image)

    # Forms

    async def _approval_request(self, content: Content, update: AgentResponseUpdate) -> None:
        self._is_waiting = True
        self._write_form(await resolve(self._converter.approval_request_to_form(content)))

    async def _consent_request(self, content: Content, update: AgentResponseUpdate) -> None:
        self._is_waiting = True
        self._write_form(await resolve(self._converter.consent_request_to_form(content)))

    def _write_form(self, form: Form | None) -> None:
        if form is None:
            return
        self._items.write_done(
            WidgetItem(
                id=self._items.new_id("message"),
                thread_id=self._items.thread_id,
                created_at=datetime.now(),
                widget=form.widget,
                copy_text=form.text,
            )
        )

    async def _request_info(self, content: Content) -> None:
        inputs = await resolve(self._converter.request_info_to_inputs(content))
        if not inputs:
            return
        self._is_waiting = True
        self._items.write_done(
            StructuredInputItem(
                id=self._items.new_id("message"),
                thread_id=self._items.thread_id,
                created_at=datetime.now(),
                inputs=inputs,
            )
        )

    # What is no item

    async def _error(self, content: Content, update: AgentResponseUpdate) -> None:
        self._send_error(await resolve(self._converter.error_to_event(content)))

    async def _count_usage(self, content: Content, update: AgentResponseUpdate) -> None:
        usage = content.usage_details or UsageDetails()
        if content.merge_mode != "replace":
            usage = add_usage_details(self._usage.get(update.response_id), usage)
        self._usage[update.response_id] = usage

    async def _report_usage(self) -> None:
        total: UsageDetails | None = None
        for usage in self._usage.values():
            total = add_usage_details(total, usage)
        if total is None:
            return
        span = trace.get_current_span()
        for name, key in (("input", "input_token_count"), ("output", "output_token_count")):
            count = total.get(key)
            if isinstance(count, int):
                span.set_attribute(f"gen_ai.usage.{name}_tokens", count)
        await resolve(self._converter.on_usage(total))

    async def _nothing(self, content: Content, update: AgentResponseUpdate) -> None:
        """Show nothing: the person gave the answer and knows it."""


def _output_kind(content: Content) -> Any:
    """Return what the model calls the text, such as a refusal, which stands apart from others."""
    properties = content.additional_properties
    if not properties:
        return None
    core = properties.get("core")
    return (core if isinstance(core, Mapping) else properties).get("model_output_kind")


def _is_request_info(content: Content) -> bool:
    arguments = content.arguments
    return isinstance(arguments, Mapping) and "request_id" in arguments


def _call_text(content: Content) -> str | None:
    """Return the arguments or code in a call, which may be a fragment; `None` if it has none."""
    if content.type == "code_interpreter_tool_call":
        inputs = content.inputs or ()
        texts = [part.text for part in inputs if part.type == "text" and part.text]
        return "".join(texts) if texts else None
    if content.type == "function_call" and content.arguments:
        arguments = content.arguments
        return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)
    return None


def _with_earlier_outputs(earlier: Content | None, content: Content) -> Content:
    """Return a result with the outputs that arrived before it."""
    if (
        earlier is None
        or content.merge_mode == "replace"
        or not isinstance(earlier.outputs, Sequence)
        or not isinstance(content.outputs, Sequence)
    ):
        return content
    return Content.from_code_interpreter_tool_result(
        call_id=content.call_id,
        outputs=[*earlier.outputs, *content.outputs],
        status=content.status,
    )
