"""Writes texts and their citations as assistant messages."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping

from agent_framework import AgentResponseUpdate, Content

from .item_stream import ItemStream
from .open_items import OpenMessage
from .overrides import MaybeAwaitable, resolve
from .raw_representation import raw_field
from .response_converter import AgentResponseConverter
from .step_writer import StepWriter

logger = logging.getLogger(__name__)


class MessageWriter:
    """Writes each text to its message.

    Args:
        items: The stream to write to.
        converter: Converts each content.
        steps: The steps of a workflow, whose agents may be the authors.
    """

    def __init__(
        self, items: ItemStream, converter: AgentResponseConverter, steps: StepWriter
    ) -> None:
        self._items = items
        self._converter = converter
        self._steps = steps
        self._message_id: str | None = None
        self.author: str | None = None
        """The author of the last text."""

    def write(self, content: Content, update: AgentResponseUpdate) -> Awaitable[None] | None:
        """Write `text`, and return the rest to await, if any."""
        delta = self._converter.text_to_delta(content)
        if isinstance(delta, str) and not content.annotations:
            if delta:
                self._write(delta, content, update)
            return None
        return self._write_annotated(delta, content, update)

    def restart(self, update: AgentResponseUpdate) -> None:
        """Clear the message that an update replaces, if it is still open."""
        message = self._items.current
        if isinstance(message, OpenMessage) and update.message_id in (None, self._message_id):
            message.clear()

    async def _write_annotated(
        self, delta: MaybeAwaitable[str | None], content: Content, update: AgentResponseUpdate
    ) -> None:
        text = await resolve(delta) or ""
        if not isinstance(text, str):
            raise TypeError(f"Text must be a string, not {text!r}.")
        if not text and not content.annotations:
            return
        message = self._write(text, content, update)
        if message is None:
            logger.warning("A citation came without its text: %r", content.annotations)
            return
        for citation in content.annotations or ():
            annotation = await resolve(self._converter.citation_to_annotation(citation))
            if annotation is not None:
                message.annotate(annotation, _part(content))

    def _write(
        self, text: str, content: Content, update: AgentResponseUpdate
    ) -> OpenMessage | None:
        """Write text to its message, and return the message, if there is one."""
        message_id = update.message_id or raw_field(content.raw_representation, "item_id")
        author = update.author_name
        current = self._items.current
        if (message_id and self._message_id and message_id != self._message_id) or (
            author and self.author and author != self.author
        ):
            if isinstance(current, OpenMessage):
                self._items.close_current()
            current = self._message_id = self.author = None
        if not isinstance(current, OpenMessage):
            if not text:
                return None
            if author is not None:
                self._steps.end_task(author)
            current = self._items.message()
        self._message_id = message_id or self._message_id
        self.author = author or self.author

        if content.merge_mode == "replace":
            current.replace(text, _part(content))
        elif text:
            current.append(text, _part(content))
        return current


def _part(content: Content) -> object:
    """Return a key that identifies the text's content part within its message."""
    raw, properties = content.raw_representation, content.additional_properties
    index = None if raw is None else raw_field(raw, "content_index")
    if not properties:
        return index
    core = properties.get("core")
    # A refusal, for example, is a separate part.
    kind = (core if isinstance(core, Mapping) else properties).get("model_output_kind")
    return index if kind is None else (index, kind)
