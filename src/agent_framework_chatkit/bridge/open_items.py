"""Items while they are being written."""

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
    AssistantMessageContentPartTextDelta,
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
from pydantic import TypeAdapter

from ..text import mend_surrogates
from .item_writer import ItemWriter
from .widget_updates import widget_updates

logger = logging.getLogger(__name__)

# Makes what the class's constructor makes, in less time: nearly all that is streamed is this.
_text_delta = TypeAdapter(AssistantMessageContentPartTextDelta).validator.validate_python


class _Text:
    """A text that grows, and takes hardly more memory than its own size.

    A list of its deltas would take ten times that, and so does a `StringIO`, which is one inside.
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
    """One text of an assistant message, with its annotations."""

    def __init__(self, key: object, index: int) -> None:
        self.key = key
        self.index = index
        self.text = _Text()
        self.annotations: list[Annotation] = []
        self.known: set[str] = set()
        """The annotations as JSON: to look for one in the list takes longer with each."""
        self.high_surrogate = ""
        """The first half of a pair whose second half has yet to come."""

    @property
    def length(self) -> int:
        return self.text.length

    def content(self) -> AssistantMessageContent:
        return AssistantMessageContent(text=self.text.whole(), annotations=list(self.annotations))


class OpenMessage:
    """An assistant message while it is being written."""

    def __init__(self, writer: ItemWriter) -> None:
        self._writer = writer
        self._parts: list[_Part] = []
        self._current: _Part | None = None
        """The last of the parts; text of another key begins another."""
        self.item = writer.item(AssistantMessageItem, "msg", content=[])
        self._id = self.item.id
        writer.add(self.item.model_copy(), self)

    def append(self, text: str, part: object = None) -> None:
        """Add text to the end.

        Args:
            text: The text. Half a surrogate pair at its end waits for the other half.
            part: What the text is a part of. A new value begins a new content part.
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
        """Set the text of a part, which costs nothing on the wire if that is what it already is.

        Args:
            text: The whole text of the part.
            part: What the text is a part of, as for `append`.
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
        """Add an annotation to a part's text; one that is there already is left out.

        An index past the end of the text, or none, is set to the end of the text.
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
        """Take back all text."""
        for index in range(len(self._parts)):
            self._update(
                AssistantMessageContentPartDone(
                    content_index=index, content=AssistantMessageContent(text="", annotations=[])
                )
            )
        self._parts, self._current = [], None

    def close(self) -> None:
        """Write that the message is finished."""
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
        """Replace half a surrogate pair whose other half has not come."""
        part = self._current
        if part is not None and part.high_surrogate:
            part.high_surrogate = ""
            self._send_delta(part, "\N{REPLACEMENT CHARACTER}")

    def _send_delta(self, part: _Part, delta: str) -> None:
        part.text.append(delta)
        update = _text_delta({"content_index": part.index, "delta": delta})
        self._writer.update(self._id, update)

    def _update(self, update: ThreadItemUpdate) -> None:
        self._writer.update(self._id, update)


class OpenWorkflow:
    """A workflow while it is being written.

    It is added with its first task, so that no empty workflow is shown. A reasoning workflow is
    added at once, since it shows that the agent is thinking.
    """

    def __init__(self, writer: ItemWriter, workflow: Workflow) -> None:
        self.writer = writer
        self._started = time.monotonic()
        self._is_added = False
        self.before_close: Callable[[], None] | None = None
        """Called before the workflow is finished, while tasks may still be updated."""
        own = workflow.model_copy(update={"tasks": list(workflow.tasks)})
        self.item = writer.item(WorkflowItem, "workflow", workflow=own)
        if workflow.type == "reasoning" or workflow.tasks:
            self._add()

    @property
    def is_closed(self) -> bool:
        """Whether the workflow is finished."""
        return self.writer.is_finished(self.item.id)

    @property
    def tasks(self) -> list[Task]:
        """The workflow's tasks, as they are now."""
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
        """Write that the workflow is finished; one without tasks is removed.

        Args:
            summary: What to show for it. By default its own summary, else how long it took, in
                whole seconds, rounded up.
            expanded: Whether its tasks stay unfolded.
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
    """Give a workflow that has ended its final state.

    A task that still runs loses its spinner. It gets no tick either, since it may yet fail.

    Args:
        workflow: The workflow.
        seconds: How long it took, which is its summary if it has none.
    """
    workflow.tasks = [
        task.model_copy(update={"status_indicator": "none"})
        if task.status_indicator == "loading"
        else task
        for task in workflow.tasks
    ]
    workflow.summary = workflow.summary or DurationSummary(duration=math.ceil(seconds))


class OpenImage:
    """A generated image while it is being drawn."""

    def __init__(self, writer: ItemWriter) -> None:
        self._writer = writer
        self._item = writer.item(GeneratedImageItem, "message")
        writer.close_current()
        writer.add(self._item.model_copy(), self)

    def update(self, image: GeneratedImage, progress: float | None) -> None:
        """Show an image that is not finished.

        Args:
            image: The image so far.
            progress: How much of it is drawn, from 0 to 1.
        """
        self._item.image = image
        self._writer.update(self._item.id, GeneratedImageUpdated(image=image, progress=progress))

    def close(self, image: GeneratedImage | None = None) -> None:
        """Write that the image is finished; if there is none, its place is removed."""
        self._item.image = image or self._item.image
        if self._item.image is None:
            self._writer.remove(self._item.id)
        else:
            self._writer.done(self._item)


class OpenWidget:
    """A widget while its states are streamed."""

    def __init__(self, writer: ItemWriter, item: WidgetItem) -> None:
        self._writer = writer
        self._item = item
        writer.close_current()
        writer.add(item.model_copy(), self)

    def show(self, widget: WidgetRoot) -> None:
        """Show the widget's next state.

        Raises:
            ValueError: If it is too deep.
        """
        for update in widget_updates(self._item.widget, widget):
            self._writer.update(self._item.id, update)
        self._item.widget = widget

    def close(self) -> None:
        """Write that the widget is finished."""
        self._writer.done(self._item)
