"""Conversations that OpenAI stores, and then loses or cannot continue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from .chat import TEA, Chat, Desk, answer_of, chat, of
from .endpoint import ERROR, HANG, Part, Reply, Thought
from .openai_endpoints import Responses
from .points import POINTS, Point, check_input, stop
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
async def test_lost_conversation_is_restarted(
    service: Service, thoughts: tuple[Part, ...], lose: Callable[[Responses], None]
) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = [Reply([*thoughts, TEA]), Reply([*thoughts, "It is ordered."])]
        await talking.person.ask("Order tea")
        lose(responses(talking))
        assert answer_of(await talking.person.ask("And now?")) == "All right."
        # Only the service knows that it cannot continue, so it gets one request.
        assert len(talking.endpoint.refusals) == 1
        for text in ("And then?", "The end."):
            await talking.goes_on(text)
        talking.check_asked("Hello", "Order tea", "And now?", "And then?", "The end.")
        given = talking.endpoint.last_input
        assert of("result", given) == ["Ordered tea."] == [f"Ordered {talking.desk.orders[0]}."]
        assert "It is ordered." in of("assistant", given)
        # The service stores the new conversation too.
        last = talking.endpoint.requests[-1]
        assert last.get("previous_response_id") or last.get("conversation")


@with_each_service
async def test_conversation_lost_during_turn(service: Service) -> None:
    desk = Desk()
    async with chat(service, desk=desk) as talking:
        await talking.person.ask("Hello")
        desk.meanwhile = responses(talking).forget
        talking.endpoint.script = [Reply([TEA])]
        await talking.person.ask("Order tea")
        assert answer_of(await talking.person.ask("And now?")) == "All right."
        await talking.goes_on("And then?")
        talking.check_asked("Hello", "Order tea", "And now?", "And then?")
        assert of("result", talking.endpoint.last_input) == ["Ordered tea."]
        assert desk.orders == ["tea"]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
@pytest.mark.parametrize("how", ["goes on", "fails", "close", "stop"])
@with_each_service
async def test_conversation_lost_at_each_point_of_turn(
    service: Service, how: str, point: Point
) -> None:
    async with chat(service) as talking:
        endpoint = responses(talking)
        await talking.person.ask("Hello")
        if how == "fails":
            endpoint.script = point.replies(ERROR)
            await talking.person.ask("Order tea")
            endpoint.forget()
        elif how == "goes on":
            endpoint.script = point.replies(HANG)
            asking = asyncio.create_task(talking.person.ask("Order tea"))
            await endpoint.hanging.wait()
            endpoint.forget()
            endpoint.released.set()
            await asking
            assert await talking.person.turn_state() == "completed"
        else:
            endpoint.script = point.replies(HANG)

            async def reached() -> None:
                await endpoint.hanging.wait()
                await talking.watch.until(point.seen)
                endpoint.forget()

            await stop(talking, how, reached)
            await endpoint.left.wait()
        if how == "goes on":
            assert answer_of(await talking.person.ask("And now?")) == "All right."
            talking.check_asked("Hello", "Order tea", "And now?")
            assert talking.desk.orders in ([], ["tea"])
            ordered = ["Ordered tea."] * len(talking.desk.orders)
            assert of("result", endpoint.last_input) == ordered
        else:
            await talking.goes_on()
            check_input(talking, point)
        await talking.goes_on("And then?")


@with_each_service
async def test_turn_sends_only_new_messages(service: Service) -> None:
    async with chat(service) as talking:
        for text in ("One", "Two", "Three"):
            await talking.goes_on(text)
        (item,) = talking.endpoint.requests[-1]["input"]
        assert item["content"] == [{"type": "input_text", "text": "Three"}]
        talking.check_asked("One", "Two", "Three")
