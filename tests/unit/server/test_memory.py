"""An agent's memory of turns that did not complete, with each kind of history."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Content,
    HistoryProvider,
    InMemoryHistoryProvider,
    Message,
    UsageDetails,
    tool,
)
from chatkit.types import HiddenContextItem

from agent_framework_chatkit import AgentChatKitServer, AgentResponseConverter
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, check_calls, said, text
from ..live_client import ME, Gate, LiveClient, bury, chat


class Desk:
    """A tool that takes orders, one of which is slow."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.gate = Gate()

        @tool(approval_mode="never_require")
        async def order(what: str) -> str:
            """Order something."""
            self.orders.append(what)
            if what == "coffee":
                await self.gate()
            return f"{what} is ordered"

        self.order = order


class Elsewhere(HistoryProvider):
    """Stores messages outside the session, like an app's database."""

    def __init__(self) -> None:
        super().__init__("elsewhere")
        self.messages: list[Message] = []

    async def get_messages(self, session_id: str | None, **given: Any) -> list[Message]:
        return list(self.messages)

    async def save_messages(
        self, session_id: str | None, messages: Sequence[Message], **given: Any
    ) -> None:
        self.messages.extend(messages)


AGENTS: dict[str, dict[str, Any]] = {
    "ours": {},
    "ours, call by call": {"require_per_service_call_history_persistence": True},
    "its own": {"context_providers": InMemoryHistoryProvider},
    "elsewhere": {"context_providers": Elsewhere},
    "elsewhere, call by call": {
        "context_providers": Elsewhere,
        "require_per_service_call_history_persistence": True,
    },
    "its own, call by call": {
        "context_providers": InMemoryHistoryProvider,
        "require_per_service_call_history_persistence": True,
    },
}


def settings_of(kind: str) -> dict[str, Any]:
    """Return an agent's settings, with a separate history."""
    settings = dict(AGENTS[kind])
    if "context_providers" in settings:
        settings["context_providers"] = [settings["context_providers"]()]
    return settings


@pytest.mark.parametrize("kind", AGENTS)
async def test_next_turn_knows_of_stop_during_tool(kind: str) -> None:
    desk = Desk()
    answering = agent(
        [call("order", "c1", what="tea")],
        [call("order", "c2", what="coffee"), call("order", "c3", what="cake")],
        [text("It is ordered.")],
        [text("Yes.")],
        tools=[desk.order],
        **settings_of(kind),
    )
    async with chat(answering) as client:
        asking = await client.ask("Order")
        await desk.gate.is_reached.wait()
        assert await client.stop() == "stopped"
        await asking.rest()
        for question in ("And now?", "Really?"):
            await (await client.ask(question)).rest()
            assert (await client.turn())["state"] == "completed"
    scripted: Any = answering.client
    for messages in scripted.asked[2:]:
        check_calls(messages)
        results = [
            str(content.result)
            for message in messages
            for content in message.contents
            if content.type == "function_result"
        ]
        assert len(results) == 3
        asked = [message.text for message in messages if message.role == "user"]
        assert "\n".join(asked).count("Order") == 1
        assert results[0] == "tea is ordered"
        assert "its effect is unknown" in results[1]
        assert results[2] == "cake is ordered"
    assert said(answering)[0] == ("user", "Order")
    assert desk.orders == ["tea", "coffee", "cake"]


@pytest.mark.parametrize("kind", AGENTS)
async def test_next_turn_knows_of_failure_after_tool(kind: str) -> None:
    desk = Desk()
    answering = agent(
        [call("order", "c1", what="tea")],
        [text("It "), RuntimeError("gone")],
        [text("Yes.")],
        tools=[desk.order],
        **settings_of(kind),
    )
    async with chat(answering) as client:
        await (await client.ask("Order")).rest()
        await (await client.ask("And now?")).rest()
    scripted: Any = answering.client
    check_calls(scripted.asked[-1])
    assert [role for role, _ in said(answering)] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert said(answering)[3][1].strip() == "It"


async def test_unserializable_state_is_omitted(caplog: pytest.LogCaptureFixture) -> None:
    class Provider(InMemoryHistoryProvider):
        async def before_run(self, *, session: Any, **given: Any) -> None:
            session.state["socket"] = object()
            await super().before_run(session=session, **given)

    answering = agent(
        [text("One")],
        [text("Two")],
        [text("Three")],
        context_providers=[Provider("other", load_messages=False), InMemoryHistoryProvider()],
    )
    plain = agent([text("One")], [text("Two")], [text("Three")])
    for each in (answering, plain):
        async with chat(each) as client:
            for question in ("1", "2", "3"):
                await (await client.ask(question)).rest()
        assert [text for role, text in said(each) if role == "user"] == ["1", "2", "3"]


async def test_usage_of_run_with_tools_is_reported_once() -> None:
    reported: list[UsageDetails] = []

    class Converter(AgentResponseConverter):
        def on_usage(self, usage: UsageDetails) -> None:
            reported.append(usage)

    def used(count: int) -> Content:
        return Content.from_usage(UsageDetails(input_token_count=count, total_token_count=count))

    desk = Desk()
    answering = agent(
        [call("order", "c1", what="tea"), used(100)],
        [call("order", "c2", what="cake"), used(200)],
        [text("Done."), used(300)],
        tools=[desk.order],
    )
    async with chat(answering, response_converter=Converter()) as client:
        await (await client.ask("Order")).rest()
    (usage,) = reported
    assert usage.get("total_token_count") == 600


@pytest.mark.parametrize("kind", ["raises", "raises at once", "hangs", "is no text"])
async def test_failed_title_does_not_affect_answer(kind: str) -> None:
    class Server(AgentChatKitServer[Any]):
        def title(self, thread: Any, message: Any, context: Any) -> Any:
            if kind == "raises at once":
                raise RuntimeError("no title")
            return self._title()

        async def _title(self) -> Any:
            if kind == "raises":
                raise RuntimeError("no title")
            if kind == "hangs":
                await asyncio.Event().wait()
            return 7

    async with chat(agent([text("Hi")]), server_class=Server) as client:
        await (await client.ask("Hello")).rest()
        assert await client.transcript() == [
            ("user_message", "Hello"),
            ("assistant_message", "Hi"),
        ]
        thread = await client.send("threads.get_by_id", thread_id=client.thread_id)
        assert thread.get("title") is None


async def test_shutdown_stores_shown_content() -> None:
    gate = Gate()
    store = SQLStore[Any]("sqlite://")
    server = AgentChatKitServer(agent([text("Half an "), gate]), store)
    client = LiveClient(server)
    asking = await client.ask("Hello")
    await asking.text("Half an ")
    following = await client.follow()
    await following.until("thread.state")
    await server.worker.close(grace=0)
    assert (await asking.rest())[-1]["turn"]["state"] == "interrupted"
    page = await store.load_thread_items(client.thread_id, None, 9, "asc", ME)
    assert [item.type for item in page.data] == [
        "user_message",
        "assistant_message",
        "end_of_turn",
    ]
    await following.rest()
    assert following.retry is not None
    await server.close()


async def test_new_thread_knows_nothing_of_deleted_thread(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    answering = agent(*([text("Yes.")] for _ in range(4)))
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        first = LiveClient(AgentChatKitServer(answering, one))
        await (await first.ask("The code is 1234")).rest()
        await (await first.ask("Keep it")).rest()
        await first.send("threads.delete", thread_id=first.thread_id)
        second = LiveClient(AgentChatKitServer(answering, two))
        await (await second.ask("Hello")).rest()
        # On the worker that already read the other thread.
        first.thread_id = second.thread_id
        await (await first.ask("What do you know?")).rest()
        assert said(answering) == [
            ("user", "Hello"),
            ("assistant", "Yes."),
            ("user", "What do you know?"),
        ]
        await first.server.close(grace=0)
        await second.server.close(grace=0)


async def test_start_turn_raises_if_agent_was_not_informed() -> None:
    answering = agent([text("Hi")], [text("Yes.")])
    is_there = True

    def find(thread: Any, context: Any) -> Any:
        if not is_there:
            raise RuntimeError("no agent")
        return answering

    async with chat(find) as client:
        await (await client.ask("Hello")).rest()
        is_there = False
        with pytest.raises(RuntimeError, match="Start it again"):
            await client.server.start_turn(client.thread_id, "The shop is closed", ME)
        assert (await client.turn())["state"] == "failed"
        is_there = True
        await client.server.start_turn(client.thread_id, "The shop is closed", ME)
        while (await client.turn())["state"] == "running":
            await asyncio.sleep(0.01)
        roles, texts = zip(*said(answering), strict=True)
        assert roles == ("user", "assistant", "user")
        assert texts[-1].count("The shop is closed") == 1
        assert "failed" in texts[-1]


async def test_message_from_code_survives_immediate_crash(tmp_path: Path) -> None:
    gate = Gate()
    answering = agent([text("Hi")], [text("Yes.")])
    waiting = agent([gate, text("Never said.")])

    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        other = LiveClient(AgentChatKitServer(answering, two))
        await (await other.ask("Hello")).rest()
        dying = AgentChatKitServer(waiting, one)
        await dying.start_turn(other.thread_id, "The shop is closed", ME)
        await bury(one, two)
        await (await other.ask("Is it open?")).rest()
        assert "The shop is closed" in said(answering)[-1][1]
        gate.may_go_on.set()
        await dying.close(grace=0)
        await other.server.close(grace=0)


async def test_items_from_code_during_approval_are_sent_with_next_message() -> None:
    @tool(approval_mode="always_require")
    def pay() -> str:
        """Pay."""
        return "Paid."

    answering = agent([call("pay")], [text("Done.")], [text("Yes.")], tools=[pay])
    async with chat(answering) as client:
        await (await client.ask("Pay it")).rest()
        card = (await client.items())[-1]
        added = HiddenContextItem(
            id="h1",
            thread_id=client.thread_id,
            created_at=datetime.now(),
            content="The price has risen",
        )
        await client.server.add_items(client.thread_id, [added], ME)
        action = card["widget"]["confirm"]["action"]
        item = {"thread_id": client.thread_id, "item_id": card["id"]}
        await (await client.send("threads.custom_action", action=action, **item)).rest()
        assert "The price has risen" not in str(said(answering))
        await (await client.ask("Is it the same price?")).rest()
        assert str(said(answering)).count("The price has risen") == 1
        assert str(said(answering)).count("Pay it") == 1
