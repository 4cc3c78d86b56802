"""Items that are being written."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageItem,
    DurationSummary,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    Task,
    ThreadItemUpdate,
    WidgetItem,
    Workflow,
    WorkflowItem,
    WorkflowSummary,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from chatkit.widgets import WidgetRoot

from ..text import mend_surrogates
from .item_writer import ItemWriter
from .widget_updates import widget_updates

logger = logging.getLogger(__name__)


class _Text:
    """A growing text that takes hardly more memory than its own size.

    A list of its deltas, or a `StringIO`, which contains such a list, would take ten times that.
    """

    def __init__(self, text: str = "") -> None:
        self.length = len(text)
        self._chunks = [text]
        self._deltas: list[str] = []

    def append(self, delta: str) -> None:
        self.length += len(delta)
        self._deltas.append(delta)
        if len(self._deltas) == 256:
            self._chunks.append("".join(self._deltas))
            self._deltas.clear()

    def whole(self) -> str:
        return "".join([*self._chunks, *self._deltas])


class _Part:
    """A content part of an assistant message, with its annotations."""

    def __init__(self, key: object, index: int) -> None:
        self.key = key
        self.index = index
        self.text = _Text()
        self.annotations: list[Annotation] = []
        self.known: set[str] = set()
        """The annotations as JSON, because a set is faster to search than a list."""
        self.high_surrogate = ""
        """The first half of a surrogate pair whose second half has not arrived yet."""

    @property
    def length(self) -> int:
        return self.text.length

    def content(self) -> AssistantMessageContent:
        return AssistantMessageContent(text=self.text.whole(), annotations=list(self.annotations))


class OpenMessage:
    """An assistant message that is being written."""

    def __init__(self, writer: ItemWriter) -> None:
        self._writer = writer
        self._parts: list[_Part] = []
        self._current: _Part | None = None
        """The last part; text with another key starts another part."""
        self.item = writer.item(AssistantMessageItem, "msg", content=[])
        self._id = self.item.id
        writer.add(self.item.model_copy(), self)

    def append(self, text: str, part: object = None) -> None:
        """Add text to the end.

        Args:
            text: The text. Half a surrogate pair at its end waits for the other half.
            part: The key of the text's content part. Another key starts another part.
        """
        current = self._current
        if current is None or current.key != part:
            current = self._part(part)
        if current.high_surrogate or not text.isascii():
            text = current.high_surrogate + text
            current.high_surrogate = ""
            if "\ud800" <= text[-1:] <= "\udbff":
                current.high_surrogate, text = text[-1], text[:-1]
            text = mend_surrogates(text)
        if text:
            self._send_delta(current, text)

    def replace(self, text: str, part: object = None) -> None:
        """Set the text of a part; nothing is sent if it is unchanged.

        Args:
            text: The whole text of the part.
            part: The key of the part, as for `append`.
        """
        current = self._part(part)
        current.high_surrogate = ""
        text = mend_surrogates(text)
        written = current.text.whole()
        if text.startswith(written):
            if text != written:
                self._send_delta(current, text[len(written) :])
            return
        current.text = _Text(text)
        for annotation in current.annotations:
            if annotation.index is not None:
                annotation.index = min(annotation.index, current.length)
        current.known = {annotation.model_dump_json() for annotation in current.annotations}
        self._update(
            AssistantMessageContentPartDone(content_index=current.index, content=current.content())
        )

    def annotate(self, annotation: Annotation, part: object = None) -> None:
        """Add an annotation to a part's text, unless the part has it already.

        If the index is missing or past the end, it is set to the end of the text.
        """
        current = self._part(part)
        index = annotation.index
        if index is None or not 0 <= index <= current.length:
            if index is not None:
                logger.warning(
                    "A citation at %d lies outside its text of %d characters; it is shown at "
                    "the end.",
                    index,
                    current.length,
                )
            annotation = annotation.model_copy(update={"index": current.length})
        key = annotation.model_dump_json()
        if key in current.known:
            return
        current.known.add(key)
        current.annotations.append(annotation)
        self._update(
            AssistantMessageContentPartAnnotationAdded(
                content_index=current.index,
                annotation_index=len(current.annotations) - 1,
                annotation=annotation.model_copy(),
            )
        )

    def clear(self) -> None:
        """Remove all text."""
        for index in range(len(self._parts)):
            self._update(
                AssistantMessageContentPartDone(
                    content_index=index, content=AssistantMessageContent(text="", annotations=[])
                )
            )
        self._parts, self._current = [], None

    def close(self) -> None:
        """Write that the message is done."""
        self._end_part()
        self.item.content = [part.content() for part in self._parts]
        self._writer.done(self.item)

    def _part(self, key: object) -> _Part:
        if self._current is None or self._current.key != key:
            self._end_part()
            self._current = _Part(key, len(self._parts))
            self._parts.append(self._current)
        return self._current

    def _end_part(self) -> None:
        """Replace half a surrogate pair whose other half did not arrive."""
        part = self._current
        if part is not None and part.high_surrogate:
            part.high_surrogate = ""
            self._send_delta(part, "\N{REPLACEMENT CHARACTER}")

    def _send_delta(self, part: _Part, delta: str) -> None:
        part.text.append(delta)
        self._writer.add_text(self._id, part.index, delta)

    def _update(self, update: ThreadItemUpdate) -> None:
        self._writer.update(self._id, update)


class OpenWorkflow:
    """A workflow that is being written.

    It is added with its first task, so that no empty workflow is shown. A reasoning workflow is
    added at once, because it shows that the agent is thinking.
    """

    def __init__(self, writer: ItemWriter, workflow: Workflow) -> None:
        self.writer = writer
        self._started = time.monotonic()
        self._is_added = False
        self.before_close: Callable[[], None] | None = None
        """Called before the workflow is closed, while its tasks can still be updated."""
        own = workflow.model_copy(update={"tasks": list(workflow.tasks)})
        self.item = writer.item(WorkflowItem, "workflow", workflow=own)
        if workflow.type == "reasoning" or workflow.tasks:
            self._add()

    @property
    def is_closed(self) -> bool:
        """Whether the workflow is done or removed."""
        return self.writer.is_finished(self.item.id)

    @property
    def tasks(self) -> list[Task]:
        """The workflow's current tasks."""
        return self.item.workflow.tasks

    def add_task(self, task: Task) -> int:
        """Add a task and return its index."""
        self.tasks.append(task.model_copy())
        index = len(self.tasks) - 1
        if self._is_added:
            self._update(WorkflowTaskAdded(task=task.model_copy(), task_index=index))
        else:
            self._add()
        return index

    def update_task(self, index: int, task: Task) -> None:
        """Replace the task at an index; nothing is sent if it is equal.

        Raises:
            IndexError: If there is no task at the index.
        """
        if not 0 <= index < len(self.tasks):
            raise IndexError(
                f"The workflow has {len(self.tasks)} tasks; there is none at index {index}."
            )
        if self.tasks[index] == task:
            return
        self.tasks[index] = task.model_copy()
        self._update(WorkflowTaskUpdated(task=task.model_copy(), task_index=index))

    def close(self, summary: WorkflowSummary | None = None, expanded: bool = False) -> None:
        """Write that the workflow is done, or remove it if it has no tasks.

        Args:
            summary: The summary to show. The default is the workflow's own summary, or else its
                duration in seconds, rounded up.
            expanded: Whether its tasks stay expanded.
        """
        if self.is_closed:
            return
        if self.before_close is not None:
            self.before_close()
        if not self.tasks:
            self.discard()
            return
        workflow = self.item.workflow
        workflow.summary = summary or workflow.summary
        workflow.expanded = expanded
        settle(workflow, time.monotonic() - self._started)
        self.writer.done(self.item)

    def discard(self) -> None:
        """Remove the workflow."""
        if self._is_added:
            self.writer.remove(self.item.id)
        else:
            self.writer.finish(self.item.id)

    def _add(self) -> None:
        self._is_added = True
        self.writer.add(self.item.model_copy(deep=True), self)

    def _update(self, update: ThreadItemUpdate) -> None:
        self.writer.update(self.item.id, update)


def settle(workflow: Workflow, seconds: float) -> None:
    """Set the final state of a workflow that ended.

    A task that is still running loses its spinner, but gets no check mark, because it may fail.

    Args:
        workflow: The workflow.
        seconds: Its duration, which becomes its summary if it has none.
    """
    workflow.tasks = [
        task.model_copy(update={"status_indicator": "none"})
        if task.status_indicator == "loading"
        else task
        for task in workflow.tasks
    ]
    workflow.summary = workflow.summary or DurationSummary(duration=math.ceil(seconds))


class OpenImage:
    """A generated image that is not finished."""

    def __init__(self, writer: ItemWriter) -> None:
        self._writer = writer
        self._item = writer.item(GeneratedImageItem, "message")
        writer.close_current()
        writer.add(self._item.model_copy(), self)

    def update(self, image: GeneratedImage, progress: float | None) -> None:
        """Show a partial image.

        Args:
            image: The partial image.
            progress: The progress, from 0 to 1.
        """
        self._item.image = image
        self._writer.update(self._item.id, GeneratedImageUpdated(image=image, progress=progress))

    def close(self, image: GeneratedImage | None = None) -> None:
        """Write that the image is done, or remove the item if there is no image."""
        self._item.image = image or self._item.image
        if self._item.image is None:
            self._writer.remove(self._item.id)
        else:
            self._writer.done(self._item)


class OpenWidget:
    """A widget whose states are being streamed."""

    def __init__(self, writer: ItemWriter, item: WidgetItem) -> None:
        self._writer = writer
        self._item = item
        writer.close_current()
        writer.add(item.model_copy(), self)

    def show(self, widget: WidgetRoot) -> None:
        """Show the widget's next state.

        Raises:
            ValueError: If the widget is too deep.
        """
        for update in widget_updates(self._item.widget, widget):
            self._writer.update(self._item.id, update)
        self._item.widget = widget

    def close(self) -> None:
        """Write that the widget is done."""
        self._writer.done(self._item)
