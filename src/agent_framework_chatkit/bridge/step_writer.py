"""Steps of a workflow, as tasks."""

from __future__ import annotations

from dataclasses import dataclass

from chatkit.types import CustomSummary, Task

from .activity_writer import ActivityWriter, ShownTask
from .overrides import resolve
from .response_converter import AgentResponseConverter


@dataclass
class _Step:
    """A step while it runs."""

    shown: ShownTask | None
    """Its task."""
    completed: Task | None
    """What its task becomes when the step is completed."""


class StepWriter:
    """Writes a task for each step of a workflow.

    Args:
        activity: Writes tasks.
        converter: What each step becomes.
    """

    def __init__(self, activity: ActivityWriter, converter: AgentResponseConverter) -> None:
        self._activity = activity
        self._converter = converter
        self.running: dict[str, _Step] = {}
        """The steps that run, by their names."""

    async def begin(self, name: str) -> None:
        """Write that a step runs."""
        task = await resolve(self._converter.step_to_task(name, "running"))
        completed = await resolve(self._converter.step_to_task(name, "completed"))
        shown = self._activity.add(task)
        self.running[name] = _Step(shown, completed)
        if shown is not None:
            # Names the running steps, also while the tasks are folded.
            workflow = shown.workflow.item.workflow
            before = workflow.summary
            names = before.title.split(", ") if isinstance(before, CustomSummary) else []
            title = ", ".join(dict.fromkeys([*names, getattr(task, "title", None) or name]))
            workflow.summary = CustomSummary(title=title)

    async def end(self, name: str, *, has_failed: bool) -> None:
        """Write that a step has ended."""
        step = self.running.pop(name)
        task = step.completed
        if has_failed:
            task = await resolve(self._converter.step_to_task(name, "failed"))
        _end(step.shown, task)

    def end_task(self, name: str) -> None:
        """Show a running step as completed, if there is one of this name.

        Its message closes the workflow that shows the task, and is the step's result.
        """
        if name in self.running:
            step = self.running[name]
            _end(step.shown, step.completed)


def _end(shown: ShownTask | None, task: Task | None) -> None:
    if shown is not None and task is not None:
        shown.update(task)
