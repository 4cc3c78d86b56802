"""The agents of a server, and which of them answers in a thread."""

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
from ..workflows.runner import ThreadWorkflow

TContext = TypeVar("TContext", default=Any)


class BuildsWorkflow(Protocol):
    """A `WorkflowBuilder`, or a builder of an orchestration."""

    def build(self) -> Workflow:
        """Return a workflow."""


AnyAgent: TypeAlias = "SupportsAgentRun | Workflow | BuildsWorkflow"
"""What can answer: an agent, a workflow, or a builder of one."""

AgentFactory: TypeAlias = "Callable[[ThreadMetadata, TContext], MaybeAwaitable[AnyAgent]]"
"""Returns who answers in a thread, given the thread and the request's context."""

TurnAgent: TypeAlias = SupportsAgentRun | ThreadWorkflow
"""What can answer in a turn."""

AGENT_KEY = "af_agent"
"""In a thread's metadata: the name of the agent that answers in it."""

_MADE_UP = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""Ends the name that a workflow has which was given none."""


class Agents(Generic[TContext]):
    """One agent, or several of which a thread's first message chooses one.

    Args:
        given: An agent or a function that returns one; or a mapping of names to these.

    Raises:
        ValueError: If the mapping is empty, or a name is.
    """

    def __init__(
        self,
        given: AnyAgent | AgentFactory[TContext] | Mapping[str, AnyAgent | AgentFactory[TContext]],
    ) -> None:
        self._given: Any = given
        self.by_name: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        """The agents that a person may choose, by name; the first answers by default."""
        if isinstance(given, Mapping) and (not given or not all(map(_is_name, given))):
            raise ValueError("Give a mapping of agents at least one agent, and each a name.")
        for agent in self.by_name.values() or [given]:
            if not _is_factory(agent):
                # Says at once what is wrong with it.
                _runnable(agent, is_shared=True)

    def menu(self) -> list[dict[str, Any]]:
        """Return the agents as the option `composer.models` lists them."""
        default = next(iter(self.by_name), None)
        return [
            {
                "id": name,
                "label": self._label(name),
                **({"description": text} if (text := said_by(agent, "description")) else {}),
                **({"default": True} if name == default else {}),
            }
            for name, agent in self.by_name.items()
        ]

    def assign(self, thread: ThreadMetadata, chosen: str | None) -> None:
        """Have a message decide which agent answers in its thread, if none has before."""
        name = chosen or next(iter(self.by_name), None)
        if name in self.by_name:
            thread.metadata.setdefault(AGENT_KEY, name)

    def check(self, thread: ThreadMetadata, chosen: str | None) -> str | None:
        """Check which agent a message asks for.

        Returns:
            What the person is told, if another agent answers in this thread.

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
            CustomStreamError: If it has gone.
        """
        agent = self._given
        if self.by_name:
            name = thread.metadata.get(AGENT_KEY) or next(iter(self.by_name))
            if name not in self.by_name:
                raise CustomStreamError(
                    f"The agent {name!r} of this chat is no longer here. Start a new chat."
                )
            agent = self.by_name[name]
        if _is_factory(agent):
            return _runnable(await resolve(agent(thread, context)), is_shared=False)
        return _runnable(agent, is_shared=True)

    def _label(self, name: str) -> str:
        said = said_by(self.by_name[name], "name")
        return said or readable_name(name.rpartition(":")[2]) or name


def said_by(agent: object, attribute: str) -> str | None:
    """Return what an agent says of itself; a function that makes agents says nothing."""
    value = getattr(agent, attribute, None)
    if not isinstance(value, str) or _MADE_UP.search(value):
        return None
    return value.strip() or None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.strip() != ""


def _is_factory(agent: Any) -> bool:
    return callable(agent) and not isinstance(agent, type | FunctionTool | SupportsAgentRun)


def _runnable(agent: Any, *, is_shared: bool) -> TurnAgent:
    """Return what runs a turn.

    Args:
        agent: What the app has given, or its function has returned.
        is_shared: Whether it is the same for all threads.

    Raises:
        TypeError: If it is not an agent, or a workflow that cannot be copied.
    """
    if isinstance(agent, WorkflowAgent):
        agent = agent.workflow
    if not isinstance(agent, type):
        if hasattr(agent, "build") and not hasattr(agent, "run"):
            agent = agent.build()
        if isinstance(agent, Workflow):
            return ThreadWorkflow(agent, is_shared=is_shared)
        if isinstance(agent, SupportsAgentRun):
            return agent
    kind = f"the class {agent.__name__}" if isinstance(agent, type) else f"a {type(agent).__name__}"
    raise TypeError(
        f"Not an agent, but {kind}. Give an agent, a workflow, a workflow's builder, or a function "
        "that takes the thread and the context and returns one of these."
    )


def describe_tool_of(agent: TurnAgent, name: str) -> ToolDescription | None:
    """Return what people are told of a tool of an agent."""
    if isinstance(agent, ThreadWorkflow):
        return agent.describe_tool(name)
    return describe_tool(agent, name)


def client_tools_of(agent: TurnAgent) -> set[str]:
    """Return the names of an agent's client tools."""
    return agent.client_tools if isinstance(agent, ThreadWorkflow) else client_tool_names(agent)
