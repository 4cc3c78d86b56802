"""A thread's history in a form that every service accepts."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from chatkit.types import HiddenContextItem

from .chat import OWNER, TEA, Desk, chat, of
from .endpoint import Call, Reply, Thought
from .services import (
    ANTHROPIC,
    CHAT,
    CONVERSATIONS,
    OLLAMA,
    RESPONSES,
    SERVICES,
    STATELESS,
    STRICT_CHAT,
    Service,
)

with_each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)


@pytest.mark.parametrize("text", ["Tea \ud83d!", " \n", "", "Tea. \n"], ids=ascii)
@with_each_service
async def test_turn_after_any_answer_text(service: Service, text: str) -> None:
    async with chat(service) as talking:
        talking.endpoint.script = [Reply([text])]
        await talking.person.ask("Hello")
        await talking.goes_on()
        talking.check_asked("Hello", "And now?")


@pytest.mark.parametrize("text", ["\ud83d", " \n"], ids=ascii)
@with_each_service
async def test_turn_after_any_call_arguments(service: Service, text: str) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        call = Call([json.dumps({"item": text})])
        talking.endpoint.script = [Reply([text, call]), Reply([text])]
        await talking.person.ask("Order tea")
        await talking.goes_on()
        talking.check_asked("Hello", "Order tea", "And now?")
        assert len(of("result", talking.endpoint.last_input)) == len(talking.desk.orders) <= 1


@with_each_service
async def test_quoted_text(service: Service) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        await talking.goes_on("Why?", quoted_text="All right.")
        asked = "\n".join(of("user", talking.endpoint.last_input))
        assert "The user is referring to this in particular:\nAll right." in asked
        await talking.goes_on()


@with_each_service
async def test_hidden_context_between_turns(service: Service) -> None:
    async with chat(service) as talking:
        await talking.person.ask("Hello")
        item = HiddenContextItem(
            id="hidden_1",
            thread_id=talking.person.thread_id,
            created_at=datetime.now(timezone.utc),
            content="The shop has closed.",
        )
        await talking.store.add_thread_item(item.thread_id, item, OWNER)
        for text in ("And now?", "And then?"):
            await talking.goes_on(text)
            given = "\n".join(text for _, text in talking.endpoint.last_input)
            assert given.count("The shop has closed.") == 1


SWITCHES = [
    (RESPONSES, ANTHROPIC),
    (RESPONSES, STRICT_CHAT),
    (CONVERSATIONS, OLLAMA),
    (ANTHROPIC, STATELESS),
    (ANTHROPIC, CHAT),
    (OLLAMA, RESPONSES),
    (STRICT_CHAT, CONVERSATIONS),
]


@pytest.mark.parametrize(("before", "after"), SWITCHES, ids=lambda service: service.name)
async def test_app_can_change_its_service(before: Service, after: Service, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with chat(before, url) as talking:
        await talking.person.ask("Hello")
        talking.endpoint.script = [Reply([Thought(["Hm."]), "Let me see.", TEA]), Reply(["Done."])]
        await talking.person.ask("Order tea")
        thread_id = talking.person.thread_id
    async with chat(after, url, desk=Desk()) as talking:
        talking.person.thread_id = thread_id
        await talking.goes_on()
        talking.check_asked("Hello", "Order tea", "And now?")
        assert of("result", talking.endpoint.last_input) == ["Ordered tea."]
        assert talking.desk.orders == []
