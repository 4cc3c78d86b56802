"""Converts thread items to messages for an agent."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias, TypeVar, cast

from agent_framework import Content, Message
from chatkit.store import Store
from chatkit.types import (
    AssistantMessageItem,
    Attachment,
    ClientToolCallItem,
    EndOfTurnItem,
    GeneratedImageItem,
    HiddenContextItem,
    ImageAttachment,
    SDKHiddenContextItem,
    StructuredInput,
    StructuredInputItem,
    Task,
    TaskItem,
    ThreadItem,
    UserMessageItem,
    UserMessageTagContent,
    WidgetItem,
    WorkflowItem,
)

from ..error_log import log_error
from ..text import without_markup
from .attachment_content import AttachmentDataFetcher, file_content
from .overrides import resolve

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext")

AgentInput: TypeAlias = "Message | list[Message] | None"
"""The result for one thread item: a message, several messages, or none."""

PAGE_SIZE = 100


class ThreadItemConverter:
    """Converts ChatKit thread items to Agent Framework messages.

    Each type of item and of content has its own method. Override the methods whose results
    should differ. An override may be a plain method or a coroutine, whatever the original is.
    It returns a message, a list of messages, or `None` for an item that the agent should not see.

    An item that cannot be converted is skipped, with its traceback in the log, so that one bad
    item does not make a whole thread unusable.

    Args:
        attachment_data_fetcher: Returns the bytes of an attachment, given its ID; sync or async.
            Without it, an `AgentChatKitServer` reads its own attachments. Elsewhere, the model
            receives images by their preview URLs, and no other files.
    """

    def __init__(self, attachment_data_fetcher: AttachmentDataFetcher | None = None) -> None:
        self.attachment_data_fetcher = attachment_data_fetcher

    async def to_agent_input(
        self, thread_items: Sequence[ThreadItem] | ThreadItem
    ) -> list[Message]:
        """Convert thread items, oldest first, to input messages for an agent.

        Args:
            thread_items: One item or a sequence of items. Only the last item's quoted text is
                included.

        Returns:
            The messages, in the order of the items. An item may become any number of messages.
        """
        items = list(thread_items) if isinstance(thread_items, Sequence) else [thread_items]
        messages: list[Message] = []
        for index, item in enumerate(items):
            try:
                converted = await self._convert(item, is_last_message=index == len(items) - 1)
            except Exception:
                log_error(
                    logger,
                    "Thread item %r could not be converted; the agent does not see it.",
                    getattr(item, "id", item),
                )
                continue
            if isinstance(converted, Message):
                messages.append(converted)
            elif converted:
                messages.extend(converted)
        return messages

    async def _convert(self, item: object, is_last_message: bool) -> AgentInput:
        match item:
            case UserMessageItem():
                return await resolve(self.user_message_to_input(item, is_last_message))
            case AssistantMessageItem():
                return await resolve(self.assistant_message_to_input(item))
            case ClientToolCallItem():
                return await resolve(self.client_tool_call_to_input(item))
            case WidgetItem():
                return await resolve(self.widget_to_input(item))
            case WorkflowItem():
                return await resolve(self.workflow_to_input(item))
            case TaskItem():
                return await resolve(self.task_to_input(item))
            case StructuredInputItem():
                return await resolve(self.structured_input_to_input(item))
            case GeneratedImageItem():
                return await resolve(self.generated_image_to_input(item))
            case HiddenContextItem():
                return await resolve(self.hidden_context_to_input(item))
            case SDKHiddenContextItem():
                return await resolve(self.sdk_hidden_context_to_input(item))
            case EndOfTurnItem():
                return await resolve(self.end_of_turn_to_input(item))
            case _:
                logger.debug("An item of unknown type is skipped: %r", item)
                return None

    async def user_message_to_input(
        self, item: UserMessageItem, is_last_message: bool = True
    ) -> AgentInput:
        """Convert a user's message with its tags, attachments and quote to user messages.

        Args:
            item: The user's message.
            is_last_message: Whether this is the last item. If not, its quoted text is omitted.
        """
        contents: list[Content] = []
        for is_tag, parts in groupby(item.content, lambda x: isinstance(x, UserMessageTagContent)):
            if not is_tag:
                # Joined before escaping, so that no part can complete another part's markup.
                text = without_markup("".join(part.text for part in parts))
                _append(contents, Content.from_text(text))
                continue
            for part in parts:
                tag = cast("UserMessageTagContent", part)
                _append(contents, await resolve(self.tag_to_message_content(tag)))
        # Older versions stored an attachment once for each time that a message named it.
        for attachment in {each.id: each for each in item.attachments}.values():
            attached = await resolve(self.attachment_to_message_content(attachment))
            if attached is not None:
                contents.append(attached)
        contents = [each for each in contents if each.type != "text" or (each.text or "").strip()]

        messages: list[Message] = []
        if item.quoted_text and is_last_message:
            quoted = without_markup(item.quoted_text)
            messages.append(
                _user_message(f"The user is referring to this in particular:\n{quoted}")
            )
        if contents:
            messages.append(Message("user", contents))
        return messages or None

    def tag_to_message_content(self, tag: UserMessageTagContent) -> Content | None:
        """Convert a tag (an @-mention) to content of any type, at its position in the text.

        The name is the one in the tag's `data`, a mapping or an object, or else the tag's text.
        """
        data: Any = tag.data
        name = data.get("name") if isinstance(data, Mapping) else getattr(data, "name", None)
        return Content.from_text(f"<TAG>Name:{without_markup(str(name or tag.text))}</TAG>")

    async def attachment_to_message_content(self, attachment: Attachment) -> Content | None:
        """Convert an attachment to content for the model.

        A text file (by its MIME type: `text/*`, JSON, CSV, XML or YAML) becomes text that names
        the file, because most chat models reject such files as data. Other files become data
        content. Without bytes, an image becomes the URI of its preview.

        Returns:
            The content, or `None`, with a warning in the log, if there is nothing to send.
        """
        try:
            content = await file_content(attachment, self.attachment_data_fetcher)
            if content is not None:
                return content
        except Exception:
            logger.warning(
                "The bytes of attachment %r could not be fetched.", attachment.id, exc_info=True
            )
        if isinstance(attachment, ImageAttachment):
            return Content.from_uri(str(attachment.preview_url), media_type=attachment.mime_type)
        logger.warning(
            "Attachment %r is not shown to the agent: it has no preview, and nothing gives its "
            "bytes. Pass an attachment_data_fetcher to the ThreadItemConverter.",
            attachment.id,
        )
        return None

    async def assistant_message_to_input(self, item: AssistantMessageItem) -> AgentInput:
        """Convert an assistant's message to an assistant message for the model."""
        text = "".join(part.text for part in item.content)
        return Message("assistant", [text]) if text.strip() else None

    async def client_tool_call_to_input(self, item: ClientToolCallItem) -> AgentInput:
        """Convert a client tool call to a function call and its result.

        A pending call becomes no message, because models reject a call without a result.
        """
        if item.status == "pending":
            return None
        output = "" if item.output is None else json.dumps(item.output, default=str)
        return [
            Message(
                "assistant",
                [
                    Content.from_function_call(
                        call_id=item.call_id,
                        name=item.name,
                        arguments=json.dumps(item.arguments, default=str),
                    )
                ],
            ),
            Message("tool", [Content.from_function_result(call_id=item.call_id, result=output)]),
        ]

    def widget_to_input(self, item: WidgetItem) -> AgentInput:
        """Convert a widget to a user message with the widget's JSON.

        Returns:
            The message, or `None`, with a warning in the log, if the widget is not serializable.
        """
        try:
            widget = item.widget.model_dump_json(exclude_unset=True, exclude_none=True)
        except Exception:
            logger.warning(
                "Widget %r is not shown to the agent: it cannot be written as JSON.",
                item.id,
                exc_info=True,
            )
            return None
        return _user_message(
            f"The following graphical UI widget (id: {item.id}) was displayed to the user: {widget}"
        )

    def workflow_to_input(self, item: WorkflowItem) -> AgentInput:
        """Convert a workflow to one user message for each of its custom tasks.

        Returns:
            The messages, or `None` if no task becomes one.
        """
        messages = (_task_message(task) for task in item.workflow.tasks)
        return [message for message in messages if message is not None] or None

    def task_to_input(self, item: TaskItem) -> AgentInput:
        """Convert a custom task to a user message; other tasks become `None`."""
        return _task_message(item.task)

    async def structured_input_to_input(self, item: StructuredInputItem) -> AgentInput:
        """Convert questions and their answers to a user message, with one line per question."""
        answers = without_markup("\n".join(_answer_line(each) for each in item.inputs))
        return _user_message(
            f"Questions were displayed to the user. Status: {item.status}.\n"
            f"<StructuredInput>\n{answers}\n</StructuredInput>"
        )

    async def generated_image_to_input(self, item: GeneratedImageItem) -> AgentInput:
        """Convert a generated image to a user message with the image's URI."""
        if item.image is None or not item.image.url:
            return None
        return Message(
            "user",
            [
                Content.from_text("This image was generated and displayed to the user."),
                Content.from_uri(item.image.url, media_type=_image_type(item.image.url)),
            ],
        )

    def hidden_context_to_input(self, item: HiddenContextItem) -> AgentInput:
        """Convert the app's hidden context to a system message."""
        return Message("system", [f"<HIDDEN_CONTEXT>{item.content}</HIDDEN_CONTEXT>"])

    async def sdk_hidden_context_to_input(self, item: SDKHiddenContextItem) -> AgentInput:
        """Convert ChatKit's own hidden context to a system message."""
        return Message("system", [f"<HIDDEN_CONTEXT>{item.content}</HIDDEN_CONTEXT>"])

    async def end_of_turn_to_input(self, item: EndOfTurnItem) -> AgentInput:
        """Convert the item that marks the end of a turn, which only the UI needs, to no message."""
        return None


async def simple_to_agent_input(
    thread_items: Sequence[ThreadItem] | ThreadItem,
) -> list[Message]:
    """Convert thread items with the default `ThreadItemConverter`.

    Args:
        thread_items: One item or a sequence of items, oldest first.
    """
    return await ThreadItemConverter().to_agent_input(thread_items)


async def thread_to_agent_input(
    store: Store[TContext],
    thread_id: str,
    context: TContext,
    *,
    converter: ThreadItemConverter | None = None,
) -> list[Message]:
    """Read a whole thread from its store, page by page, and convert it.

    A single page, as `ChatKitServer` loads it, contains the oldest items of a long thread but
    not the newest.

    Args:
        store: Any ChatKit store.
        thread_id: The thread to read.
        context: The request's context, as the store expects it.
        converter: The converter; by default, a `ThreadItemConverter`.

    Raises:
        NotFoundError: If the store does not find the thread.
    """
    items = [item async for item in iterate_thread_items(store, thread_id, context)]
    return await (converter or ThreadItemConverter()).to_agent_input(items)


async def iterate_thread_items(
    store: Store[TContext], thread_id: str, context: TContext
) -> AsyncIterator[ThreadItem]:
    """Yield every item of a thread, oldest first, page by page.

    Raises:
        NotFoundError: If the store does not find the thread.
        ValueError: If the store reports more items but its pages do not advance.
    """
    after: str | None = None
    while True:
        page = await store.load_thread_items(thread_id, after, PAGE_SIZE, "asc", context)
        for item in page.data:
            yield item
        if not page.has_more:
            return
        following = page.after or (page.data[-1].id if page.data else None)
        if following is None or following == after:
            raise ValueError(
                f"{type(store).__name__}.load_thread_items() returns has_more=True for thread "
                f"{thread_id!r} after {after!r}, but no later page: set Page.after to the id of "
                "the page's last item, or has_more to False."
            )
        after = following


def _append(contents: list[Content], content: Content | None) -> None:
    """Append content, and join it to the previous content if both are plain text."""
    if content is None:
        return
    if content.type == "text" and contents and contents[-1].type == "text":
        contents[-1] = contents[-1] + content
    else:
        contents.append(content)


def _user_message(text: str) -> Message:
    return Message("user", [text])


def _task_message(task: Task) -> Message | None:
    if task.type != "custom":
        return None
    text = ": ".join(part for part in (task.title, task.content) if part)
    if not text:
        return None
    return _user_message(
        "A message was displayed to the user that the following task was performed:\n"
        f"<Task>\n{text}\n</Task>"
    )


def _answer_line(question: StructuredInput) -> str:
    answer = question.answer
    if answer is None:
        text = "unanswered"
    elif answer.skipped:
        text = "skipped"
    else:
        text = ", ".join(answer.values)
    return f"- {question.question}: {text}"


def _image_type(url: str) -> str:
    """Return a data URL's MIME type; the default is PNG, because models require a type."""
    if url.startswith("data:image/"):
        return url.removeprefix("data:").partition(";")[0].partition(",")[0]
    return "image/png"
