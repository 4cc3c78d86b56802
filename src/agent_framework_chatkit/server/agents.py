"""The agents of a server, and the choice of the one that answers in a thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeAlias

from agent_framework import FunctionTool, SupportsAgentRun, Workflow, WorkflowAgent
from chatkit.errors import CustomStreamError
from chatkit.types import ThreadMetadata
from typing_extensions import TypeVar

from ..bridge.overrides import MaybeAwaitable, resolve
from ..interrupts.calls import ToolDescription, describe_tool
from ..interrupts.client_tools import client_tool_names
from ..text import readable_name
from ..workflows.runner import ThreadWorkflow, check_tools
from .call_recorder import RECORDER
from .workflow_input import WORKFLOW_INPUT

TContext = TypeVar("TContext", default=Any)


class BuildsWorkflow(Protocol):
    """A `WorkflowBuilder` or an orchestration builder."""

    def build(self) -> Workflow:
        """Return a workflow."""


AnyAgent: TypeAlias = "SupportsAgentRun | Workflow | BuildsWorkflow"
"""An agent, a workflow, or a workflow builder."""

AgentFactory: TypeAlias = "Callable[[ThreadMetadata, TContext], MaybeAwaitable[AnyAgent]]"
"""Takes a thread and the request's context, and returns the agent that answers."""

TurnAgent: TypeAlias = SupportsAgentRun | ThreadWorkflow
"""An agent or a workflow, ready to run a turn."""

AGENT_KEY = "af_agent"
"""The key in a thread's metadata for the name of its agent."""

_GENERATED = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""Matches the end of a generated workflow name."""


class Agents(Generic[TContext]):
    """One agent, or several from which a thread's first message chooses.

    Args:
        given: An agent or a function that returns one, or a mapping of names to these.

    Raises:
        ValueError: If the mapping or a name is empty.
    """

    def __init__(
        self,
        given: AnyAgent | AgentFactory[TContext] | Mapping[str, AnyAgent | AgentFactory[TContext]],
    ) -> None:
        self._given: Any = given
        self.by_name: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        """The agents that the user may choose, by name. The first is the default."""
        if isinstance(given, Mapping) and (not given or not all(map(_is_name, given))):
            raise ValueError("Pass at least one agent, and give each a name.")
        for agent in self.by_name.values() or [given]:
            if not _is_factory(agent):
                # Raises now if the agent cannot run.
                _runnable(agent, is_shared=True)

    def menu(self) -> list[dict[str, Any]]:
        """Return the agents in the format of the `composer.models` option."""
        default = next(iter(self.by_name), None)
        return [
            {
                "id": name,
                "label": self._label(name),
                **({"description": text} if (text := own_text(agent, "description")) else {}),
                **({"default": True} if name == default else {}),
            }
            for name, agent in self.by_name.items()
        ]

    def assign(self, thread: ThreadMetadata, chosen: str | None) -> None:
        """Set the thread's agent, if it has none: the chosen one, or the default."""
        name = chosen or next(iter(self.by_name), None)
        if name in self.by_name:
            thread.metadata.setdefault(AGENT_KEY, name)

    def check(self, thread: ThreadMetadata, chosen: str | None) -> str | None:
        """Check the agent that a message asks for.

        Returns:
            A notice for the user if another agent answers in this thread.

        Raises:
            CustomStreamError: If there is no such agent.
        """
        if chosen and chosen not in self.by_name:
            raise CustomStreamError(
                f"There is no agent {chosen!r} here. Choose one of: {', '.join(self.by_name)}."
            )
        name = thread.metadata.get(AGENT_KEY)
        if not chosen or name not in self.by_name or chosen == name:
            return None
        return (
            f"{self._label(name)} answers in this chat. "
            f"Start a new chat to ask {self._label(chosen)}."
        )

    async def of(self, thread: ThreadMetadata, context: TContext) -> TurnAgent:
        """Return the agent that answers in a thread.

        Raises:
            CustomStreamError: If the server no longer has this agent.
        """
        agent = self._given
        if self.by_name:
            name = thread.metadata.get(AGENT_KEY) or next(iter(self.by_name))
            if name not in self.by_name:
                raise CustomStreamError(
                    f"The agent {name!r} of this chat is no longer available. Start a new chat."
                )
            agent = self.by_name[name]
        if _is_factory(agent):
            return _runnable(await resolve(agent(thread, context)), is_shared=False)
        return _runnable(agent, is_shared=True)

    def _label(self, name: str) -> str:
        own_name = own_text(self.by_name[name], "name")
        return own_name or readable_name(name.rpartition(":")[2]) or name


def own_text(agent: object, attribute: str) -> str | None:
    """Return an agent's own name or description, or `None` for a factory or a generated name."""
    value = getattr(agent, attribute, None)
    if not isinstance(value, str) or _GENERATED.search(value):
        return None
    return value.strip() or None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.strip() != ""


def _is_factory(agent: Any) -> bool:
    return callable(agent) and not isinstance(agent, type | FunctionTool | SupportsAgentRun)


def _runnable(agent: Any, *, is_shared: bool) -> TurnAgent:
    """Return the agent or workflow that runs a turn.

    Args:
        agent: The agent that the app passed, or that its function returned.
        is_shared: Whether all threads use the same object.

    Raises:
        TypeError: If it is not an agent, or has a workflow that cannot be copied.
    """
    if isinstance(agent, WorkflowAgent):
        agent = agent.workflow
    if not isinstance(agent, type):
        if hasattr(agent, "build") and not hasattr(agent, "run"):
            agent = agent.build()
        if isinstance(agent, Workflow):
            middleware = (RECORDER, WORKFLOW_INPUT)
            return ThreadWorkflow(agent, is_shared=is_shared, middleware=middleware)
        if isinstance(agent, SupportsAgentRun):
            if is_shared:
                check_tools(agent)
            return agent
    if isinstance(agent, type):
        kind = f"the class {agent.__name__}"
    else:
        name = type(agent).__name__
        kind = f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
    raise TypeError(
        f"Expected an agent, not {kind}. Pass an agent, a workflow, a workflow builder, or a "
        "function that takes the thread and the context and returns one of these."
    )


def describe_tool_of(agent: TurnAgent, name: str) -> ToolDescription | None:
    """Return the description of an agent's tool that people see."""
    if isinstance(agent, ThreadWorkflow):
        return agent.describe_tool(name)
    return describe_tool(agent, name)


def client_tools_of(agent: TurnAgent) -> set[str]:
    """Return the names of an agent's client tools."""
    return agent.client_tools if isinstance(agent, ThreadWorkflow) else client_tool_names(agent)
