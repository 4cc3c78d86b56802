"""Turns that are stopped or fail at each point, and the turns after them."""

from __future__ import annotations

import pytest

from .chat import TEA, Desk, answer_of, chat, of
from .endpoint import CUT, END, ERROR, HANG, Call, Happening, Reply
from .points import PLACES, Point, check_input, named, stop
from .services import (
    ANTHROPIC,
    CONVERSATIONS,
    RESPONSES,
    SERVICES,
    STRICT_CHAT,
    Service,
)

STOPS = [
    *[(service, point, "close") for service, point in PLACES],
    *[
        (service, point, "stop")
        for service, point in PLACES
        if service in (STRICT_CHAT, CONVERSATIONS, ANTHROPIC)
    ],
]
"""The service, the point and the way of each stop: closing the connection, or a request."""

with_each_service = pytest.mark.parametrize("service", SERVICES, ids=named)


@pytest.mark.parametrize(("service", "point", "how"), STOPS, ids=named)
async def test_turn_after_stopped_turn(service: Service, point: Point, how: str) -> None:
    async with chat(service) as talking:
        endpoint = talking.endpoint
        await talking.person.ask("Hello")
        endpoint.script = point.replies(HANG)

        async def reached() -> None:
            await endpoint.hanging.wait()
            await talking.watch.until(point.seen)

        await stop(talking, how, reached)
        # The model stops, so nobody pays for an answer that nobody reads.
        await endpoint.left.wait()
        await talking.goes_on()
        check_input(talking, point)


STOPS_OF_TOOLS = [
    *[(service, False, "close") for service in SERVICES],
    *[(service, False, "stop") for service in (STRICT_CHAT, CONVERSATIONS, ANTHROPIC)],
    *[(service, True, "close") for service in (STRICT_CHAT, CONVERSATIONS, ANTHROPIC)],
]


@pytest.mark.parametrize(("service", "is_blocking", "how"), STOPS_OF_TOOLS, ids=named)
async def test_turn_after_stop_during_tool(service: Service, is_blocking: bool, how: str) -> None:
    desk = Desk()
    desk.hangs_at, desk.blocks = "tea", is_blocking
    async with chat(service, desk=desk) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = [Reply(["Let me see.", TEA])]
        await stop(talking, how, desk.ordering.wait)
        await talking.goes_on()
        # It ends long after the turn, and nothing uses its result.
        desk.may_finish.set()
        await talking.goes_on("Still there?")
        assert desk.orders == ["tea"]
        given = talking.endpoint.last_input
    (result,) = of("result", given)
    assert "unknown" in result
    assert of("call", given) == ["place_order"]


@with_each_service
async def test_result_before_stop_is_remembered(service: Service) -> None:
    desk = Desk()
    desk.hangs_at = "tea"
    async with chat(service, desk=desk) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = [Reply([Call(['{"item": "milk"}']), TEA])]
        await stop(talking, "close", desk.ordering.wait)
        await talking.goes_on()
        assert sorted(desk.orders) == ["milk", "tea"]
        results = of("result", talking.endpoint.last_input)
    assert len(results) == 2
    assert "Ordered milk." in results
    assert any("unknown" in result for result in results)


@with_each_service
async def test_stop_of_first_turn(service: Service) -> None:
    async with chat(service) as talking:
        talking.endpoint.script = [Reply(["Let me see.", TEA]), Reply(["It is ", HANG, "done."])]
        await stop(talking, "close", talking.endpoint.hanging.wait)
        await talking.goes_on()
        given = talking.endpoint.last_input
        assert talking.desk.orders == ["tea"]
    assert ("user", "Order tea") in given
    assert ("result", "Ordered tea.") in given


FAILURES = [
    # Each service and each point in both ways, but not every combination.
    *[(*place, (ERROR, CUT)[index % 2]) for index, place in enumerate(PLACES)],
    *[
        (service, point, None)
        for service, point in PLACES
        if point.name in ("before the first token", "after the result")
    ],
]


def failing(point: Point, what: Happening | None) -> list[Reply]:
    """Return the answers of a service that fails at a point, or with a status."""
    replies = point.replies(what or ERROR)
    return replies if what else [*replies[:-1], Reply(status=500)]


@pytest.mark.parametrize(
    ("service", "point", "what"), FAILURES, ids=lambda value: named(value) or "STATUS"
)
async def test_turn_after_failed_turn(
    service: Service, point: Point, what: Happening | None
) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = failing(point, what)
        events = await talking.person.ask("Order tea")
        assert [event["type"] for event in events].count("error") == 1
        await talking.goes_on()
        check_input(talking, point)


@pytest.mark.parametrize(
    ("service", "point"),
    [place for place in PLACES if place[1].name in ("in the text", "in the arguments")],
    ids=named,
)
async def test_turn_after_stream_that_ended_early(service: Service, point: Point) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = point.replies(END)
        await talking.person.ask("Order tea")
        await talking.goes_on()
        talking.check_asked("Hello", "Order tea", "And now?")
        assert talking.desk.orders == []


@with_each_service
async def test_consecutive_failed_turns(service: Service) -> None:
    async with chat(service) as talking:
        talking.endpoint.script = [Reply(status=500), Reply(["Let me ", CUT]), Reply(status=529)]
        for text in ("One", "Two", "Three"):
            await talking.person.ask(text)
        await talking.goes_on()
        talking.check_asked("One", "Two", "Three", "And now?")


@pytest.mark.parametrize("is_complete", [True, False])
@with_each_service
async def test_retried_turn(service: Service, is_complete: bool) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        last = Reply(["It is done."]) if is_complete else Reply(status=500)
        talking.endpoint.script = [Reply(["Let me see.", TEA]), last]
        await talking.person.ask("Order tea")
        assert answer_of(await talking.person.retry()) == "All right."
        assert talking.endpoint.refusals == []
        talking.check_asked("Hello", "Order tea")
        given = talking.endpoint.last_input
        if is_complete:
            # As if there had been no answer.
            assert of("assistant", given) == ["All right."]
            assert of("result", given) == []
        await talking.goes_on()
        talking.check_asked("Hello", "Order tea", "And now?")


@pytest.mark.parametrize("service", [STRICT_CHAT, RESPONSES], ids=named)
@pytest.mark.parametrize("what", [ERROR, CUT])
async def test_model_learns_how_turn_ended(service: Service, what: Happening) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        assert await talking.person.turn_state() == "completed"
        talking.endpoint.script = [Reply(["Let me ", HANG, "see."]), Reply(["Let me ", what])]
        await stop(talking, "close", talking.endpoint.hanging.wait)
        await talking.endpoint.left.wait()
        await talking.person.ask("Order tea")
        assert await talking.person.turn_state() == "failed"
        ends = [item for item in await talking.person.items() if item["type"] == "end_of_turn"]
    assert [end["state"] for end in ends] == ["stopped", "failed"]
    assert ends[-1]["allow_retry"]
