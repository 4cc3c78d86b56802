"""Answers that are incomplete, or that the model refuses to give."""

from __future__ import annotations

import pytest

from .chat import chat, of
from .endpoint import Call, Finish, Reply
from .services import (
    ANTHROPIC,
    CHAT,
    CONVERSATIONS,
    OLLAMA,
    RESPONSES,
    SERVICES,
    STATELESS,
    Service,
)

OPENAI = [RESPONSES, STATELESS, CONVERSATIONS]
ENDINGS: list[tuple[Service, Finish, str]] = [
    *[(service, "length", "length") for service in SERVICES],
    *[
        (service, "content_filter", "content_filter")
        for service in SERVICES
        if service not in (OLLAMA, ANTHROPIC)
    ],
    *[(service, "refusal", "refused") for service in (CHAT, *OPENAI, ANTHROPIC)],
    *[(service, "failed", "failed") for service in OPENAI],
]
"""The services, the ends of their answers, and the resulting states of the turn."""

at_each_ending = pytest.mark.parametrize(
    ("service", "finish", "state"), ENDINGS, ids=lambda value: getattr(value, "name", None)
)


@at_each_ending
async def test_turn_after_truncated_answer(service: Service, finish: Finish, state: str) -> None:
    async with chat(service) as talking:
        talking.endpoint.script = [Reply(["Half an ", "answer"], finish)]
        events = await talking.person.ask("Hello")
        assert [event["type"] for event in events].count("error") == (finish == "failed")
        await talking.goes_on()
        talking.check_asked("Hello", "And now?")
        assert "Half an answer" in "".join(of("assistant", talking.endpoint.last_input))


@at_each_ending
async def test_user_sees_how_answer_ended(service: Service, finish: Finish, state: str) -> None:
    async with chat(service) as talking:
        talking.endpoint.script = [Reply(["Half an ", "answer"], finish)]
        await talking.person.ask("Hello")
        # Anthropic's client reports a refusal as filtered content.
        states = (state, "content_filter") if service is ANTHROPIC else (state,)
        assert await talking.person.turn_state() in states
        end = (await talking.person.items())[-1]
        assert end["type"] == "end_of_turn"
        assert end["state"] in states
        assert end["message"]


@pytest.mark.parametrize(
    "service", [each for each in SERVICES if each is not OLLAMA], ids=lambda service: service.name
)
async def test_truncated_call_is_not_executed(service: Service) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = [Reply(["Let me see.", Call(['{"item": "te'])], "length")]
        await talking.person.ask("Order tea")
        await talking.goes_on()
        talking.check_asked("Hello", "Order tea", "And now?")
        assert talking.desk.orders == []
