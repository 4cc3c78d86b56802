"""Converts each kind of agent content for the thread."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, Literal

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
from .sources import cited, is_web_url, web_address
from .tool_tasks import code_task, computer_task, search_task, shell_task, tool_task

logger = logging.getLogger(__name__)

_RETRYABLE = ("rate", "429", "timeout", "timed_out", "overload", "unavailable", "server_error")
_FILTERED = ("content_filter", "content_policy", "safety", "moderation")


class AgentResponseConverter:
    """Converts each kind of agent content to its form in the thread.

    Each method receives content and returns a ChatKit value, or `None` to show nothing. Override
    the methods whose results should differ. An override may be a plain method or a coroutine.
    `stream_agent_response` controls the order and writes the events, so a converter has no
    state, and can serve any number of streams.

    If an override raises, only the content that it received is skipped, with the traceback in
    the log; the stream continues.

    Args:
        client_tools: Names of the tools that the browser runs. A call to one becomes a
            `ClientToolCallItem`; a call to any other tool without an implementation is an error.
        show_tool_details: Whether users see the arguments and results of tools. They may contain
            confidential data, so by default users see only that a tool ran, and whether it
            failed.
        partial_images: The number of partial images per generated image, for computing the
            progress. It is unknown by default, and the progress stays at 0.
        always_approve: Whether an approval card also offers to approve all later calls to the
            tool in the thread. This requires a `ToolApprovalMiddleware` in the agent.
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
        """Convert `text` to the text to add to the assistant's message."""
        return content.text

    def citation_to_annotation(self, citation: Citation) -> MaybeAwaitable[Annotation | None]:
        """Convert a text's citation to an annotation.

        A citation with an http(s) URL is a web page; any other is a file. The annotation's index
        is the end of the cited span; without a span, it is the position where the citation
        arrived.
        """
        return cited(citation)

    def reasoning_to_delta(self, content: Content) -> MaybeAwaitable[str | None]:
        """Convert `text_reasoning` to the text to add to a thought."""
        return content.text

    def function_to_task(
        self, call: Content | None, result: Content | None
    ) -> MaybeAwaitable[Task | None]:
        """Convert a `function_call` and its `function_result` to a task.

        Every `*_to_task` method for a tool is called when the call starts, when more of its
        arguments arrive, and with the result.

        Args:
            call: The call, with the arguments received so far; `None` for a result without a
                call.
            result: The result, once it arrives.
        """
        name = call.name if call else None
        return tool_task(name, call, result, with_details=self.show_tool_details)

    def function_to_widget(
        self, call: Content | None, result: Content
    ) -> MaybeAwaitable[WidgetForm | None]:
        """Convert a `function_result` to a widget, by default the one from a `widget_tool`.

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
        """Convert an image, generated or sent as `data` or `uri`, to its URL.

        Override this method to store images elsewhere and return their URLs. By default, each
        image is sent and stored within its item.

        Args:
            image_id: The image's ID, which its partial images share.
            content: The `data` or `uri` content with the image.
            partial_image_index: The index of a partial image, from 0; `None` for the whole image.

        Returns:
            The URL, which starts with `http`, `https` or `data:image/`, or `None` if the content
            is not such an image.
        """
        uri = content.uri or ""
        return uri if is_web_url(uri) or uri.startswith("data:image/") else None

    def partial_image_index_to_progress(self, partial_image_index: int) -> float:
        """Convert the index of a partial image to the progress, from 0 to 1."""
        if not self.partial_images or self.partial_images < 0:
            return 0.0
        return max(0.0, min(1.0, partial_image_index / self.partial_images))

    def file_to_task(self, content: Content) -> MaybeAwaitable[Task | None]:
        """Convert other `data` and `uri`, `hosted_file` and `hosted_vector_store` to a task.

        If the file is at an https URL, this is the description of the task's source.
        """
        name = shorten(visible(file_name(content), in_name=True), 200)
        link = content.uri if web_address(content.uri or "") is not None else None
        return FileTask(
            title=name,
            sources=[FileSource(filename=name, title=name, description=link)],
            status_indicator="complete",
        )

    def approval_request_to_form(self, content: Content) -> MaybeAwaitable[WidgetForm | None]:
        """Convert a `function_approval_request` to a card with Approve and Decline.

        The buttons send an action of type `APPROVAL_ACTION` with only the request's ID and the
        answer, because a browser cannot be trusted with a tool's arguments.
        """
        return approval_card(content, tool_of(content), always_approve=self.always_approve)

    def approval_decision_to_form(
        self, content: Content, decision: Decision
    ) -> MaybeAwaitable[WidgetForm | None]:
        """Convert a decided `function_approval_request` to a card that shows the decision.

        Args:
            content: The request.
            decision: The decision, with its author and time.

        Returns:
            The card, or `None` to leave the card with its buttons, which no longer work.
        """
        return approval_decision_card(content, tool_of(content), decision)

    def consent_request_to_form(self, content: Content) -> MaybeAwaitable[WidgetForm | None]:
        """Convert an `oauth_consent_request` to a card that links to the consent page.

        Only https links without a user name are shown; any other gives `None` and a warning in the
        log.
        """
        link = content.consent_link or ""
        address = web_address(link)
        if address is None:
            logger.warning("A consent link that is not a plain https URL is not shown: %r", link)
            return None
        return consent_card(address, link)

    def consent_decision_to_form(
        self, content: Content, decision: Decision
    ) -> MaybeAwaitable[WidgetForm | None]:
        """Convert an answered `oauth_consent_request` to a card that shows the decision.

        Args:
            content: The request.
            decision: Whether consent was given, with its author and time.

        Returns:
            The card, or `None` to leave the card with its buttons, which no longer work.
        """
        return consent_decision_card(decision)

    def questions_to_inputs(self, content: Content) -> MaybeAwaitable[list[StructuredInput]]:
        """Convert a call to `ask_user` to questions for the user."""
        return asked_questions(content)

    def request_info_to_inputs(self, content: Content) -> MaybeAwaitable[list[StructuredInput]]:
        """Convert a workflow's `request_info` to questions for the user.

        The type of the response determines the questions: a choice for `bool`, an enum or a
        `Literal`; a question per field of a dataclass or Pydantic model; otherwise a text.

        Returns:
            The questions. If the list is empty, the workflow waits for the next message, which
            is the default if the response is a message.
        """
        return requested_inputs(content)

    def step_to_task(
        self, name: str, status: Literal["running", "completed", "failed"]
    ) -> MaybeAwaitable[Task | None]:
        """Convert a step of a workflow to a task, when it starts and when it ends.

        Args:
            name: The step's ID, which is the name if the step is an agent.
            status: The step's status.
        """
        indicators: dict[str, Any] = {"running": "loading", "completed": "complete"}
        return CustomTask(
            title=readable_name(name),
            icon=FAILED_ICON if status == "failed" else None,
            status_indicator=indicators.get(status, "none"),
        )

    def missing_tool_to_error(self, content: Content) -> MaybeAwaitable[ErrorEvent | None]:
        """Convert a call to a tool without an implementation to an error."""
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

        The agent's message may contain accounts, hosts and keys. It is logged, and the user sees
        a general message.
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
                message="The answer was stopped by a content filter. Try asking in another way."
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
        """Handle the usage of a turn, for example store it. Called once, when the turn ends.

        The turn waits for a coroutine, but not longer than ten seconds.
        """
