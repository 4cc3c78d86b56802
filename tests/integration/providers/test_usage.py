"""The tokens of a turn, as the service reports them."""

from __future__ import annotations

import pytest
from agent_framework import UsageDetails

from agent_framework_chatkit import AgentResponseConverter

from .chat import TEA, chat
from .endpoint import Reply
from .services import SERVICES, Service


class Counting(AgentResponseConverter):
    """Records the reported usage."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[UsageDetails] = []

    def on_usage(self, usage: UsageDetails) -> None:
        self.reported.append(usage)


@pytest.mark.parametrize("calls", [0, 2])
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_usage_of_turn_is_sum_of_answers(service: Service, calls: int) -> None:
    converter = Counting()
    async with chat(service, response_converter=converter) as talking:
        talking.endpoint.script = [*[Reply([TEA])] * calls, Reply(["It is ", "done."])]
        await talking.person.ask("Order tea")
        used = talking.endpoint.used
    assert len(used) == calls + 1
    (reported,) = converter.reported
    assert reported["input_token_count"] == sum(given for given, _ in used)
    assert reported["output_token_count"] == sum(made for _, made in used)
