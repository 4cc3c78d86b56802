"""The points of a turn with a tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .chat import TEA, Chat, of
from .endpoint import Call, Happening, Reply, Thought
from .services import CHAT, OLLAMA, SERVICES, STRICT_CHAT, Service


@dataclass(frozen=True)
class Point:
    """A point of a turn with a tool."""

    name: str
    replies: Callable[[Happening], list[Reply]]
    seen: str
    """The part of the answer that the client must have received by then."""
    has_run: bool = False
    """Whether the tool returned."""

    def fits(self, service: Service) -> bool:
        """Return whether a service's stream has this point."""
        if self.name == "in the thought":
            return service not in (CHAT, STRICT_CHAT)
        return self.name != "in the arguments" or service is not OLLAMA


POINTS = [
    Point("before the first token", lambda at: [Reply([at, "Let me see."])], ""),
    Point("in the thought", lambda at: [Reply([Thought(["They want ", at, "tea."]), TEA])], "want"),
    Point("in the text", lambda at: [Reply(["Let me ", at, "see.", TEA])], "Let me "),
    Point(
        "in the arguments",
        lambda at: [Reply(["Let me see.", Call(['{"item": ', at, '"tea"}'])])],
        '{"item": ',
    ),
    Point("after the call", lambda at: [Reply(["Let me see.", TEA, at])], '"tea"}'),
    Point(
        "after the result",
        lambda at: [Reply([Thought(["Hm."]), TEA]), Reply([at, "It is ordered."])],
        '"tea"}',
        has_run=True,
    ),
    Point(
        "in the last text",
        lambda at: [Reply(["Let me see.", TEA]), Reply(["It is ", at, "ordered."])],
        "It is ",
        has_run=True,
    ),
]
PLACES = [(service, point) for point in POINTS for service in SERVICES if point.fits(service)]


def named(value: Any) -> str | None:
    return getattr(value, "name", None)


def check_input(talking: Chat, point: Point) -> None:
    """Check that the model's input contains everything that happened, once."""
    talking.check_asked("Hello", "Order tea", "And now?")
    given = talking.endpoint.last_input
    assert talking.desk.orders == (["tea"] if point.has_run else [])
    results = of("result", given)
    assert len(of("call", given)) == len(results) <= 1
    if point.has_run:
        assert results == ["Ordered tea."]
    elif results:
        assert "not started" in results[0]
    said = "".join(of("assistant", given))
    for text in ("Let me ", "It is "):
        if text in talking.watch.received:
            assert text.strip() in said


async def stop(talking: Chat, how: str, reached: Callable[[], Any]) -> None:
    """Order tea, and stop the turn at a point."""
    metadata = {"detached": True, "request_id": "1", "page_id": "1"} if how == "stop" else {}
    async with talking.person.saying("Order tea", metadata=metadata) as events:
        await reached()
        if how == "stop":
            assert await talking.person.get("threads.stop") == {"status": "stopped"}
            assert "error" not in [event["type"] async for event in events]
