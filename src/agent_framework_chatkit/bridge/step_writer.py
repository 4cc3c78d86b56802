"""Writes the steps of a workflow as tasks."""

from __future__ import annotations

from dataclasses import dataclass

from chatkit.types import CustomSummary, Task

from .activity_writer import ActivityWriter, ShownTask
from .overrides import resolve
from .response_converter import AgentResponseConverter


@dataclass
class _Step:
    """A running step."""

    shown: ShownTask | None
    """The step's task."""
    completed: Task | None
    """The task that replaces it when the step completes."""


class StepWriter:
    """Writes a task for each step of a workflow.

    Args:
        activity: Writes the tasks.
        converter: Converts each step.
    """

    def __init__(self, activity: ActivityWriter, converter: AgentResponseConverter) -> None:
        self._activity = activity
        self._converter = converter
        self.running: dict[str, _Step] = {}
        """The running steps, by name."""

    async def begin(self, name: str) -> None:
        """Write that a step started."""
        task = await resolve(self._converter.step_to_task(name, "running"))
        completed = await resolve(self._converter.step_to_task(name, "completed"))
        shown = self._activity.add(task)
        self.running[name] = _Step(shown, completed)
        if shown is not None:
            # The title names the running steps, even while the tasks are collapsed.
            workflow = shown.workflow.item.workflow
            before = workflow.summary
            names = before.title.split(", ") if isinstance(before, CustomSummary) else []
            title = ", ".join(dict.fromkeys([*names, getattr(task, "title", None) or name]))
            workflow.summary = CustomSummary(title=title)

    async def end(self, name: str, *, has_failed: bool) -> None:
        """Write that a step ended."""
        step = self.running.pop(name)
        task = step.completed
        if has_failed:
            task = await resolve(self._converter.step_to_task(name, "failed"))
        _end(step.shown, task)

    def end_task(self, name: str) -> None:
        """Show a running step of this name, if there is one, as completed.

        The step's message is its result, and closes the workflow with its task.
        """
        if name in self.running:
            step = self.running[name]
            _end(step.shown, step.completed)


def _end(shown: ShownTask | None, task: Task | None) -> None:
    if shown is not None and task is not None:
        shown.update(task)
