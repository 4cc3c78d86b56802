"""Writes an agent's activity as workflow tasks: streamed thoughts, and other tasks."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field

from agent_framework import Content
from chatkit.types import Task, ThoughtTask

from ..text import mend_surrogates
from .item_stream import ItemStream
from .open_items import OpenWorkflow
from .overrides import MaybeAwaitable, resolve
from .pace import Pace
from .raw_representation import raw_field
from .response_converter import AgentResponseConverter


@dataclass(eq=False)
class ShownTask:
    """A task in a workflow."""

    workflow: OpenWorkflow
    index: int
    """The task's index in the workflow."""

    def update(self, task: Task) -> bool:
        """Replace the task, and return `True`, if its workflow is still open."""
        if self.workflow.is_closed:
            return False
        self.workflow.update_task(self.index, task)
        return True


@dataclass(eq=False)
class _Thought:
    """A thought that is streaming."""

    key: object
    """The thought's key in the model's service. Another key starts another thought."""
    shown: ShownTask
    texts: list[str] = field(default_factory=list)
    length: int = 0
    pace: Pace = field(default_factory=Pace)

    def show(self) -> None:
        self.texts = ["".join(self.texts)]
        self.shown.update(ThoughtTask(content=mend_surrogates(self.texts[0])))


class ActivityWriter:
    """Writes an agent's thoughts and other tasks, one after another.

    Args:
        items: The stream to write to.
        converter: Converts each content.
    """

    def __init__(self, items: ItemStream, converter: AgentResponseConverter) -> None:
        self._items = items
        self._converter = converter
        self._thought: _Thought | None = None

    def add(self, task: Task | None) -> ShownTask | None:
        """Show a task; `None` shows nothing."""
        if task is None:
            return None
        self._end_thought()
        workflow = self._items.activity()
        return ShownTask(workflow, workflow.add_task(task))

    def think(self, content: Content) -> Awaitable[None] | None:
        """Write `text_reasoning`, and return the rest to await, if any."""
        delta = self._converter.reasoning_to_delta(content)
        if isinstance(delta, str):
            self._think(delta, content)
            return None
        return self._think_once_known(delta, content)

    async def _think_once_known(self, delta: MaybeAwaitable[str | None], content: Content) -> None:
        text = await resolve(delta)
        self._think(text or "", content)

    def _think(self, delta: str, content: Content) -> None:
        if not delta:
            return
        raw = content.raw_representation
        key = (
            content.id or raw_field(raw, "item_id"),
            raw_field(raw, "summary_index", raw_field(raw, "content_index")),
        )
        thought = self._thought
        if (
            thought is None
            or thought.key != key
            or thought.shown.workflow is not self._items.current
        ):
            thought = self._begin_thought(key, delta)
        replaces = content.merge_mode == "replace"
        if replaces:
            thought.texts, thought.length = [], 0
        thought.texts.append(delta)
        thought.length += len(delta)
        if thought.pace.is_due(thought.length) or replaces:
            thought.show()

    def _begin_thought(self, key: object, delta: str) -> _Thought:
        self._end_thought()
        workflow = self._items.activity("reasoning")
        index = workflow.add_task(ThoughtTask(content=mend_surrogates(delta)))
        workflow.before_close = self._end_thought
        self._thought = _Thought(key, ShownTask(workflow, index))
        return self._thought

    def _end_thought(self) -> None:
        thought, self._thought = self._thought, None
        if thought is not None:
            thought.show()
