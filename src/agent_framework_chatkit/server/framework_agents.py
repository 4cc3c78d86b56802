"""Runs a framework agent with a thread's history."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from copy import copy
from typing import Any

from agent_framework import (
    AgentMiddlewareLayer,
    AgentResponseUpdate,
    AgentSession,
    Message,
    RawAgent,
    SupportsAgentRun,
)

from .call_recorder import RECORDER
from .history_providers import OwnHistory, with_history
from .missing_tools import ReportedMissingTools, has_approvals


def stream_agent(
    agent: SupportsAgentRun,
    history: list[Message],
    inputs: list[Message],
    session: AgentSession,
    own: OwnHistory | None,
    options: Mapping[str, Any],
    invocation_kwargs: Mapping[str, Any],
) -> AsyncIterable[AgentResponseUpdate]:
    """Run an agent and stream its updates.

    Args:
        agent: The agent. It is not changed, because other threads use it at the same time.
        history: The earlier messages.
        inputs: The new messages.
        session: The agent's session.
        own: The app's own history provider of the agent, if any; it replaces `history`.
        options: The model and tool that the user chose.
        invocation_kwargs: Values that the agent's tools receive besides their arguments.
    """
    if not isinstance(agent, RawAgent):
        whole = inputs if session.service_session_id else [*history, *inputs]
        return agent.run(
            whole, stream=True, session=session, function_invocation_kwargs=invocation_kwargs
        )
    agent = copy(agent)
    if own is None:
        agent.context_providers = with_history(agent.context_providers, history)
    else:
        agent.context_providers = [
            own if provider is own.provider else provider for provider in agent.context_providers
        ]
    run_options: dict[str, Any] = {"options": options} if options else {}
    missing = ReportedMissingTools() if has_approvals(inputs) else None
    middleware = [RECORDER] if missing is None else [RECORDER, missing]
    if isinstance(agent, AgentMiddlewareLayer):
        run_options["middleware"] = middleware
    else:
        run_options["client_kwargs"] = {"middleware": middleware}
    updates = agent.run(
        inputs,
        stream=True,
        session=session,
        function_invocation_kwargs=invocation_kwargs,
        **run_options,
    )
    return updates if missing is None else missing.updates(updates)
