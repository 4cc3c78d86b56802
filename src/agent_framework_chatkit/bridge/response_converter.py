"""What each kind of agent content becomes in the thread."""

from __future__ import annotations

import json
import logging
import mimetypes
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from agent_framework import Annotation as Citation
from agent_framework import Content, Message, UsageDetails, WorkflowEvent
from chatkit.types import (
    Annotation,
    CustomTask,
    ErrorEvent,
    FileSource,
    FileTask,
    ImageTask,
    SearchTask,
    StructuredInput,
    Task,
    URLSource,
)

from ..interrupts.calls import tool_of
from ..interrupts.forms import questions_for
from ..interrupts.pause import Decision
from ..interrupts.questions import asked_questions
from ..text import code_block, mend_surrogates, readable_name, shorten, visible
from .cards import (
    FAILED_ICON,
    Form,
    approval_card,
    approval_decision_card,
    consent_card,
    consent_decision_card,
)
from .overrides import MaybeAwaitable

logger = logging.getLogger(__name__)

MAX_DETAIL = 2_000
"""How many characters of code, arguments or results a person is shown."""

_RUNNING = {"in_progress", "queued", "searching", "interpreting", "generating"}
_FAILED = {"failed", "incomplete", "cancelled"}
_RETRYABLE = ("rate", "429", "timeout", "timed_out", "overload", "unavailable", "server_error")
_FILTERED = ("content_filter", "content_policy", "safety", "moderation")


def is_running(result: Content | None) -> bool:
    """Return whether a tool whose result is this has yet to finish."""
    return result is None or result.status in _RUNNING


def has_failed(result: Content | None) -> bool:
    """Return whether a tool's result says that the tool failed."""
    return result is not None and (result.exception is not None or result.status in _FAILED)


class AgentResponseConverter:
    """Decides what each kind of agent content becomes in the thread.

    Each method takes content and returns a ChatKit value, or `None` to show nothing. Override
    the ones whose result should differ; an override may be a plain method or a coroutine.
    `stream_agent_response` knows the order of things and writes the events, so a converter
    holds no state of a stream, and one converter serves any number of them.

    An override that raises loses the one content that it was given, with its traceback in the
    log; the rest of the stream goes on.

    Args:
        client_tools: Names of the tools that the browser runs. A call of one becomes a
            `ClientToolCallItem`; a call of any other tool without an implementation is an error.
        show_tool_details: Whether people see the arguments and results of tools. They may hold
            what is not meant for them, so by default they see only that a tool ran, and how it
            ended.
        partial_images: How many partial images a generated image arrives in, from which
            progress is computed. Unknown by default: progress then stays at 0.
        always_approve: Whether an approval card also offers to approve every later call of the
            tool in its thread. The agent needs a `ToolApprovalMiddleware` for that.
    """

    def __init__(
        self,
        *,
        client_tools: Collection[str] = (),
        show_tool_details: bool = False,
        partial_images: int | None = None,
        always_approve: bool = False,
    ) -> None:
        self.client_tools = frozenset(client_tools)
        self.always_approve = always_approve
        self.show_tool_details = show_tool_details
        self.partial_images = partial_images

    def text_to_delta(self, content: Content) -> MaybeAwaitable[str | None]:
        """Convert `text` to the text that is added to the assistant's message."""
        return content.text

    def citation_to_annotation(self, citation: Citation) -> MaybeAwaitable[Annotation | None]:
        """Convert a citation of a text to an annotation.

        A citation with an http(s) URL names a web page, any other a file. The annotation's index
        is where the cited span ends; without a span it is where the citation arrived.
        """
        url = mend_surrogates(citation.get("url") or "")
        title = mend_surrogates(citation.get("title") or "")
        description = mend_surrogates(citation.get("snippet") or "") or None
        index = _span_end(citation)
        if is_web_url(url):
            return Annotation(
                source=URLSource(
                    url=url, title=title or urlsplit(url).netloc, description=description
                ),
                index=index,
            )
        filename = visible(url or title or citation.get("file_id") or "", in_name=True)
        if not filename:
            return None
        return Annotation(
            source=FileSource(
                filename=filename,
                title=visible(title, in_name=True) or filename,
                description=description,
            ),
            index=index,
        )

    def reasoning_to_delta(self, content: Content) -> MaybeAwaitable[str | None]:
        """Convert `text_reasoning` to the text that is added to a thought."""
        return content.text

    def function_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `function_call` and its `function_result` to a task.

        Every `*_to_task` method for a tool is called when the call begins, when more of its
        arguments have arrived, and with the result.

        Args:
            call: The call, with as much of its arguments as there is; `None` for a result
                without a call.
            result: The result, once there is one.
        """
        return self._tool_task(call.name if call else None, call, result)

    def function_to_widget(
        self, call: Content | None, result: Content
    ) -> MaybeAwaitable[Form | None]:
        """Convert a `function_result` to a widget: the one that a `widget_tool` has made.

        Args:
            call: The call, or `None` for a result without a call.
            result: The result.
        """
        made = (item.raw_representation for item in result.items or ())
        return next((each for each in made if isinstance(each, Form)), None)

    def mcp_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert an `mcp_server_tool_call` and `mcp_server_tool_result` to a task."""
        return self._tool_task(call.tool_name if call else None, call, result)

    def search_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `search_tool_call` and `search_tool_result` to a search task."""
        found = [
            value
            for value in (
                *((call.parse_arguments(),) if call else ()),
                *((result.result, result.items) if result else ()),
            )
            if value is not None
        ]
        tool = call or result
        return SearchTask(
            title=readable_name((tool.tool_name if tool else None) or "search"),
            queries=list(dict.fromkeys(_queries(found))),
            sources=list({source.url: source for source in _sources(found)}.values()),
            status_indicator=_status(result),
        )

    def code_interpreter_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `code_interpreter_tool_call` and `..._result` to a task with the code."""
        return CustomTask(
            title="Run code",
            icon=_icon(result, "square-code"),
            content=_blocks(
                (_texts(call.inputs) if call else "", "python"),
                (_texts(result.outputs) if result else "", ""),
            ),
            status_indicator=_status(result),
        )

    def shell_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `shell_tool_call`, `shell_tool_result` and `shell_command_output` to a task."""
        if result is None:
            outputs: Sequence[Any] = ()
        elif result.type == "shell_command_output":
            outputs = (result,)
        else:
            outputs = result.outputs or ()
        return CustomTask(
            title="Run commands",
            icon=_icon(result, "square-code"),
            content=_blocks(
                ("\n".join(call.commands or ()) if call else "", "sh"),
                *((_command_output(output), "") for output in outputs),
            ),
            status_indicator=_status(result),
        )

    def computer_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `computer_tool_call` and `computer_tool_result` to a task."""
        actions = [str(action.get("type", "")) for action in (call.actions or ())] if call else []
        return CustomTask(
            title="Use the computer",
            icon=_icon(result, "desktop"),
            content=", ".join(readable_name(action) for action in actions if action) or None,
            status_indicator=_status(result),
        )

    def screenshot_to_task(self, content: Content) -> MaybeAwaitable[Task | None]:
        """Convert the screenshot of a `computer_tool_result` to a task."""
        return ImageTask(title="Screenshot", status_indicator="complete")

    def image_to_url(
        self, image_id: str, content: Content, partial_image_index: int | None = None
    ) -> MaybeAwaitable[str | None]:
        """Convert an image, generated or sent as `data` or `uri`, to the URL it is shown by.

        Override it to store images and return where they are, instead of sending and storing
        each of them within its item.

        Args:
            image_id: The same for every partial image of one image.
            content: The `data` or `uri` content that holds the image.
            partial_image_index: Which partial image this is, from 0; `None` for the whole.

        Returns:
            The URL, or `None` if this is not an image: only `http`, `https` and `data:image/`
            are taken for one.
        """
        uri = content.uri or ""
        return uri if is_web_url(uri) or uri.startswith("data:image/") else None

    def partial_image_index_to_progress(self, partial_image_index: int) -> float:
        """Convert the index of a partial image to how much is done, from 0 to 1."""
        if not self.partial_images or self.partial_images < 0:
            return 0.0
        return max(0.0, min(1.0, partial_image_index / self.partial_images))

    def file_to_task(self, content: Content) -> MaybeAwaitable[Task | None]:
        """Convert other `data` and `uri`, `hosted_file` and `hosted_vector_store` to a task."""
        name = shorten(visible(_file_name(content), in_name=True), 200)
        return FileTask(
            title=name,
            sources=[FileSource(filename=name, title=name)],
            status_indicator="complete",
        )

    def approval_request_to_form(self, content: Content) -> MaybeAwaitable[Form | None]:
        """Convert a `function_approval_request` to a card with Approve and Decline.

        The buttons send an action of type `APPROVAL_ACTION` with the request's id and the
        answer, and nothing else: what a browser says of a tool's arguments is not to be trusted.
        """
        return approval_card(content, tool_of(content), always_approve=self.always_approve)

    def approval_decision_to_form(
        self, content: Content, decision: Decision
    ) -> MaybeAwaitable[Form | None]:
        """Convert a `function_approval_request` that was decided to a card that can't be used.

        Args:
            content: The request.
            decision: What was decided, by whom and when.

        Returns:
            The card, or `None` to leave the one with the buttons, which are then refused.
        """
        return approval_decision_card(content, tool_of(content), decision)

    def consent_request_to_form(self, content: Content) -> MaybeAwaitable[Form | None]:
        """Convert an `oauth_consent_request` to a card that leads to the consent page.

        Only an https link is shown; any other gives nothing, and a warning in the log.
        """
        link = content.consent_link or ""
        parts = urlsplit(link)
        if parts.scheme != "https" or not parts.netloc or not link.isprintable():
            logger.warning("A consent link that is not an https URL is not shown: %r", link)
            return None
        return consent_card(parts.netloc, link)

    def consent_decision_to_form(
        self, content: Content, decision: Decision
    ) -> MaybeAwaitable[Form | None]:
        """Convert an `oauth_consent_request` that was answered to a card that can't be used.

        Args:
            content: The request.
            decision: Whether consent was given, by whom and when.

        Returns:
            The card, or `None` to leave the one with the buttons, which are then refused.
        """
        return consent_decision_card(decision)

    def questions_to_inputs(self, content: Content) -> MaybeAwaitable[list[StructuredInput]]:
        """Convert a call of `ask_user` to the questions that a person answers."""
        return asked_questions(content)

    def request_info_to_inputs(self, content: Content) -> MaybeAwaitable[list[StructuredInput]]:
        """Convert a workflow's `request_info` to the questions that a person answers.

        What is asked follows from the type of the response: a choice for `bool`, an enum or a
        `Literal`, a question for each field of a dataclass or Pydantic model, else a free text.

        Returns:
            The questions. With none, the workflow waits for the next message, as it does by
            default if it takes messages.
        """
        arguments = content.parse_arguments() or {}
        event = arguments.get("request_event")
        data = event.get("data") if isinstance(event, Mapping) else arguments.get("data")
        request_id = str(arguments.get("request_id") or content.call_id or "")
        raw = content.raw_representation
        response_type = raw.response_type if isinstance(raw, WorkflowEvent) else str
        if response_type in (Message, list[Message]):
            return []
        question = shorten(mend_surrogates(_question(data)), MAX_DETAIL)
        return questions_for(response_type, question, request_id)

    def step_to_task(
        self, name: str, status: Literal["running", "completed", "failed"]
    ) -> MaybeAwaitable[Task | None]:
        """Convert a step of a workflow to a task: called when it begins and when it ends.

        Args:
            name: The step's id, which for an agent is its name.
            status: How it is going.
        """
        indicators: dict[str, Any] = {"running": "loading", "completed": "complete"}
        return CustomTask(
            title=readable_name(name),
            icon=FAILED_ICON if status == "failed" else None,
            status_indicator=indicators.get(status, "none"),
        )

    def missing_tool_to_error(self, content: Content) -> MaybeAwaitable[ErrorEvent | None]:
        """Convert a call of a tool that nothing here can run to an error."""
        logger.error(
            "The agent called %r, which has no implementation. Give the tool one, or, if the "
            "browser runs it, name it in AgentResponseConverter(client_tools=[...]).",
            content.name,
        )
        return ErrorEvent(
            message=f"The assistant needs a tool that is not available here: "
            f"{readable_name(content.name or 'unknown')}."
        )

    def error_to_event(self, content: Content) -> MaybeAwaitable[ErrorEvent | None]:
        """Convert an `error` to an error event.

        What the agent says of an error may name accounts, hosts and keys, so the person reads
        a message of ours and the log holds the agent's.
        """
        logger.error(
            "The agent reported an error: %s (code %s, details %s)",
            content.message,
            content.error_code,
            content.error_details,
        )
        code = str(content.error_code or "").lower()
        if any(word in code for word in _FILTERED):
            return ErrorEvent(
                message="The answer was stopped by a content filter. Try to ask in another way."
            )
        if any(word in code for word in _RETRYABLE):
            return ErrorEvent(
                message="The model is busy at the moment. Try again.", allow_retry=True
            )
        return ErrorEvent(
            message="Something went wrong while the answer was written. Try again.",
            allow_retry=True,
        )

    def on_usage(self, usage: UsageDetails) -> MaybeAwaitable[None]:
        """Take note of what the turn used; it becomes no item. Called once, when it ends."""

    def _tool_task(
        self, name: str | None, call: Content | None, result: Content | None
    ) -> CustomTask:
        details = None
        if self.show_tool_details:
            details = _blocks(
                (_json((call.parse_arguments() or None) if call else None), "json"),
                (_result_text(result), ""),
            )
        if has_failed(result):
            details = f"Failed\n\n{details}" if details else "Failed"
        return CustomTask(
            title=readable_name(name or "") or "Tool",
            icon=_icon(result, None),
            content=details,
            status_indicator=_status(result),
        )


def is_web_url(url: str) -> bool:
    """Return whether this is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def is_image(content: Content) -> bool:
    """Return whether `data` or `uri` content says that it is an image."""
    media_type = content.media_type or mimetypes.guess_type(content.uri or "")[0] or ""
    return media_type.partition("/")[0].strip().lower() == "image"


def _status(result: Content | None) -> Any:
    if is_running(result):
        return "loading"
    return "none" if has_failed(result) else "complete"


def _icon(result: Content | None, icon: str | None) -> Any:
    return FAILED_ICON if has_failed(result) else icon


def _span_end(citation: Citation) -> int | None:
    ends = [
        region["end_index"]
        for region in citation.get("annotated_regions") or ()
        if isinstance(region.get("end_index"), int)
    ]
    if ends:
        return max(ends)
    index = (citation.get("additional_properties") or {}).get("index")
    return index if isinstance(index, int) else None


def _blocks(*blocks: tuple[str, str]) -> str | None:
    """Return code blocks, each given as its code and its language, leaving out empty ones."""
    shown = [
        code_block(shorten(mend_surrogates(code), MAX_DETAIL), language)
        for code, language in blocks
        if code.strip()
    ]
    return "\n\n".join(shown) or None


def _texts(contents: Any) -> str:
    """Join the texts of a list of contents."""
    if not isinstance(contents, Sequence) or isinstance(contents, str):
        return ""
    return "".join(
        content.text or ""
        for content in contents
        if isinstance(content, Content) and content.type == "text"
    )


def _command_output(output: Any) -> str:
    if not isinstance(output, Content):
        return ""
    lines = [output.stdout or "", output.stderr or ""]
    if output.timed_out:
        lines.append("(timed out)")
    elif output.exit_code:
        lines.append(f"(exit code {output.exit_code})")
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _json(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _result_text(result: Content | None) -> str:
    if result is None:
        return ""
    if result.type == "mcp_server_tool_result":
        output = result.output
        return _texts(output) or (output if isinstance(output, str) else "")
    return result.result if isinstance(result.result, str) else _json(result.result)


def _dicts(value: Any, depth: int = 6) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping within a value; providers nest what they found each in their own way."""
    if isinstance(value, Content):
        yield {"url": value.uri, "title": value.name}
        yield from _dicts(value.additional_properties, depth - 1)
    elif isinstance(value, Mapping):
        yield value
        if depth:
            for child in value.values():
                yield from _dicts(child, depth - 1)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and depth:
        for child in value:
            yield from _dicts(child, depth - 1)


def _queries(found: Any) -> Iterator[str]:
    for mapping in _dicts(found):
        for key in ("query", "queries"):
            value = mapping.get(key)
            for query in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(query, str) and query.strip():
                    yield shorten(mend_surrogates(query), 500)


def _sources(found: Any) -> Iterator[URLSource]:
    for mapping in _dicts(found):
        url = mapping.get("url") or mapping.get("uri")
        if isinstance(url, str) and is_web_url(url := mend_surrogates(url)):
            title = mapping.get("title")
            title = mend_surrogates(title) if isinstance(title, str) else ""
            yield URLSource(url=url, title=title or urlsplit(url).netloc)


def _file_name(content: Content) -> str:
    properties = content.additional_properties or {}
    for name in (content.name, properties.get("filename"), properties.get("name")):
        if isinstance(name, str) and name:
            return name
    if content.type == "uri" and content.uri:
        path = unquote(urlsplit(content.uri).path)
        return path.rsplit("/", 1)[-1] or content.uri
    if content.type == "data" and content.media_type:
        return f"file{mimetypes.guess_extension(content.media_type) or ''}"
    return content.file_id or content.vector_store_id or "file"


def _question(data: Any) -> str:
    """Return what a workflow asks: its text, or the field of it that holds the question."""
    if isinstance(data, str) and data.strip():
        return data
    for name in ("question", "prompt", "message", "text", "description"):
        value = data.get(name) if isinstance(data, Mapping) else getattr(data, name, None)
        if isinstance(value, str) and value.strip():
            return value
    if isinstance(data, Mapping):
        lines = [
            f"{readable_name(str(name))}: {value}"
            for name, value in data.items()
            if isinstance(value, str) and value.strip()
        ]
        if lines:
            return "\n".join(lines)
    return "The assistant needs your input to go on."
