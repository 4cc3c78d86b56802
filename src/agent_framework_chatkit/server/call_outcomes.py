"""The results, for the model, of calls that were cut short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_framework import Content

from ..interrupts.client_tools import error_result

NOT_STARTED = "This call was not started."
UNKNOWN_EFFECT = (
    "This call was started; its effect is unknown. Find out, or ask the user, before you make it "
    "again."
)
MAYBE_STARTED = (
    "It is not known whether this call was started. Find out, or ask the user, before you make it "
    "again."
)


@dataclass(frozen=True)
class CallOutcomes:
    """The outcomes of the calls of a run that have no result in it.

    Attributes:
        started: The calls that were started, by ID; `None` for a call that the agent has sent.
        returned: The results of tools that the agent has not sent, by call ID.
        is_recorded: Whether all started calls are recorded.
    """

    started: Mapping[str, Content | None]
    returned: dict[str, Content]
    is_recorded: bool

    def of(self, call: Content) -> Content:
        """Return the result of a call for the model."""
        call_id = str(call.call_id)
        if call_id in self.returned:
            result = self.returned[call_id]
            result.id = call.id
            return result
        if call_id in self.started:
            return error_result(call, UNKNOWN_EFFECT)
        return error_result(call, NOT_STARTED if self.is_recorded else MAYBE_STARTED)
