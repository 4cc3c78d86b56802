"""The token usage of a run."""

from __future__ import annotations

from inspect import isawaitable

from agent_framework import Content, UsageDetails, add_usage_details

from ..telemetry import record_usage
from .overrides import limited
from .response_converter import AgentResponseConverter

REPORTED_WITHIN = 10.0
"""Maximum seconds for an app's own report."""


class RunUsage:
    """Adds up the usage that the agents of a run report."""

    def __init__(self) -> None:
        self._of_agents: dict[str | None, UsageDetails] = {}

    def add(self, content: Content, agent: str | None) -> None:
        """Add `usage` content.

        Args:
            content: The content. If it replaces, it is the agent's total in this run.
            agent: The agent's name.
        """
        usage = content.usage_details or UsageDetails()
        if content.merge_mode != "replace":
            usage = add_usage_details(self._of_agents.get(agent), usage)
        self._of_agents[agent] = usage

    async def report(self, converter: AgentResponseConverter) -> None:
        """Report the total usage, if there is any, to telemetry and to the converter."""
        total: UsageDetails | None = None
        for usage in self._of_agents.values():
            total = add_usage_details(total, usage)
        if total is not None:
            record_usage(total)
            reporting = converter.on_usage(total)
            if isawaitable(reporting):
                await limited(reporting, REPORTED_WITHIN)
