"""Conversations that OpenAI keeps, when it has lost them or cannot go on with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .chat import TEA, Chat, Desk, answer_of, chat, of
from .endpoint import Part, Reply, Thought
from .openai_endpoints import Responses
from .services import CONVERSATIONS, RESPONSES, Service

with_each_service = pytest.mark.parametrize(
    "service", [RESPONSES, CONVERSATIONS], ids=lambda service: service.name
)


def responses(talking: Chat) -> Responses:
    assert isinstance(talking.endpoint, Responses)
    return talking.endpoint


@pytest.mark.parametrize("lose", [Responses.forget, Responses.spoil])
@pytest.mark.parametrize("thoughts", [(), (Thought(["Hm."]),)], ids=["plain", "reasoning"])
@with_each_service
async def test_a_lost_conversation_is_begun_anew(
    service: Service, thoughts: tuple[Part, ...], lose: Callable[[Responses], None]
) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = [Reply([*thoughts, TEA]), Reply([*thoughts, "It is ordered."])]
        await talking.person.ask("Order tea")
        lose(responses(talking))
        assert answer_of(await talking.person.ask("And now?")) == "All right."
        # Only the service knows that it cannot go on, so it is asked once.
        assert len(talking.endpoint.refusals) == 1
        for text in ("And then?", "The end."):
            await talking.goes_on(text)
        talking.check_asked("Hello", "Order tea", "And now?", "And then?", "The end.")
        told = talking.endpoint.last_told
        assert of("result", told) == ["Ordered tea."] == [f"Ordered {talking.desk.orders[0]}."]
        assert "It is ordered." in of("assistant", told)
        # The service keeps the new conversation too.
        last = talking.endpoint.requests[-1]
        assert last.get("previous_response_id") or last.get("conversation")


@with_each_service
async def test_a_conversation_may_be_lost_in_the_middle_of_a_turn(service: Service) -> None:
    desk = Desk()
    async with chat(service, desk=desk) as talking:
        await talking.person.ask("Hello")
        desk.meanwhile = responses(talking).forget
        talking.endpoint.script = [Reply([TEA])]
        await talking.person.ask("Order tea")
        assert answer_of(await talking.person.ask("And now?")) == "All right."
        await talking.goes_on("And then?")
        talking.check_asked("Hello", "Order tea", "And now?", "And then?")
        assert of("result", talking.endpoint.last_told) == ["Ordered tea."]
        assert desk.orders == ["tea"]


@with_each_service
async def test_a_turn_sends_only_what_is_new(service: Service) -> None:
    async with chat(service) as talking:
        for text in ("One", "Two", "Three"):
            await talking.goes_on(text)
        (item,) = talking.endpoint.requests[-1]["input"]
        assert item["content"] == [{"type": "input_text", "text": "Three"}]
        talking.check_asked("One", "Two", "Three")
