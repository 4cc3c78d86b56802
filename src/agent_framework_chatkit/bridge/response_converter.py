"""What each kind of agent content becomes in the thread."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Literal
from urllib.parse import urlsplit

from agent_framework import Annotation as Citation
from agent_framework import Content, UsageDetails
from chatkit.types import (
    Annotation,
    CustomTask,
    ErrorEvent,
    FileSource,
    FileTask,
    ImageTask,
    StructuredInput,
    Task,
)

from ..interrupts.calls import tool_of
from ..interrupts.pause import Decision
from ..interrupts.questions import asked_questions
from ..interrupts.request_info import requested_inputs
from ..text import readable_name, shorten, visible
from .cards import (
    FAILED_ICON,
    WidgetForm,
    approval_card,
    approval_decision_card,
    consent_card,
    consent_decision_card,
)
from .data_content import file_name
from .overrides import MaybeAwaitable
from .sources import cited, is_web_url
from .tool_tasks import code_task, computer_task, search_task, shell_task, tool_task

logger = logging.getLogger(__name__)

_RETRYABLE = ("rate", "429", "timeout", "timed_out", "overload", "unavailable", "server_error")
_FILTERED = ("content_filter", "content_policy", "safety", "moderation")


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
        return cited(citation)

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
        name = call.name if call else None
        return tool_task(name, call, result, with_details=self.show_tool_details)

    def function_to_widget(
        self, call: Content | None, result: Content
    ) -> MaybeAwaitable[WidgetForm | None]:
        """Convert a `function_result` to a widget: the one that a `widget_tool` has made.

        Args:
            call: The call, or `None` for a result without a call.
            result: The result.
        """
        made = (item.raw_representation for item in result.items or ())
        return next((each for each in made if isinstance(each, WidgetForm)), None)

    def mcp_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert an `mcp_server_tool_call` and `mcp_server_tool_result` to a task."""
        name = call.tool_name if call else None
        return tool_task(name, call, result, with_details=self.show_tool_details)

    def search_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `search_tool_call` and `search_tool_result` to a search task."""
        return search_task(call, result)

    def code_interpreter_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `code_interpreter_tool_call` and `..._result` to a task with the code."""
        return code_task(call, result)

    def shell_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `shell_tool_call`, `shell_tool_result` and `shell_command_output` to a task."""
        return shell_task(call, result)

    def computer_tool_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `computer_tool_call` and `computer_tool_result` to a task."""
        return computer_task(call, result)

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
        name = shorten(visible(file_name(content), in_name=True), 200)
        return FileTask(
            title=name,
            sources=[FileSource(filename=name, title=name)],
            status_indicator="complete",
        )

    def approval_request_to_form(self, content: Content) -> MaybeAwaitable[WidgetForm | None]:
        """Convert a `function_approval_request` to a card with Approve and Decline.

        The buttons send an action of type `APPROVAL_ACTION` with the request's id and the
        answer, and nothing else: a browser is not trusted with a tool's arguments.
        """
        return approval_card(content, tool_of(content), always_approve=self.always_approve)

    def approval_decision_to_form(
        self, content: Content, decision: Decision
    ) -> MaybeAwaitable[WidgetForm | None]:
        """Convert a decided `function_approval_request` to a card that shows the decision.

        Args:
            content: The request.
            decision: What was decided, by whom and when.

        Returns:
            The card, or `None` to leave the one with the buttons, which are then refused.
        """
        return approval_decision_card(content, tool_of(content), decision)

    def consent_request_to_form(self, content: Content) -> MaybeAwaitable[WidgetForm | None]:
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
    ) -> MaybeAwaitable[WidgetForm | None]:
        """Convert an answered `oauth_consent_request` to a card that shows the decision.

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
        return requested_inputs(content)

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
        """Convert a call of a tool without an implementation to an error."""
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

        The agent's message may name accounts, hosts and keys: it goes to the log, and the person
        reads a general one.
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
        """Do something with the usage of a turn, such as storing it. Called once, at its end."""
