"""Turns that are interrupted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from agent_framework import tool
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ErrorEvent,
    ThreadStreamEvent,
)

from agent_framework_chatkit import AgentChatKitServer, client_tool
from agent_framework_chatkit.server import run
from agent_framework_chatkit.server.run_end import end_run
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, call, said, text
from ..live_client import ME, Gate, LiveClient, Stream, bury, chat, settled


@tool(approval_mode="always_require")
def pay() -> str:
    """Pay."""
    return "Paid."


@client_tool
def locate() -> str:
    """Return where the person is."""
    raise AssertionError("The page runs it.")


async def decide(client: LiveClient, card: dict[str, Any]) -> Stream:
    action = card["widget"]["confirm"]["action"]
    item = {"thread_id": client.thread_id, "item_id": card["id"]}
    stream: Stream = await client.send("threads.custom_action", action=action, **item)
    return stream


def kinds(items: list[dict[str, Any]]) -> list[str]:
    return [item["type"] for item in items]


async def test_stop_before_pause_is_stored_removes_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    answering = agent([call("pay")], [text("Yes.")], tools=[pay])
    async with chat(answering) as client:

        async def record(*_: Any, **__: Any) -> None:
            await gate()

        monkeypatch.setattr(client.server.store.audit, "record", record)
        await client.ask("Pay it")
        await gate.is_reached.wait()
        assert await client.stop() == "stopped"
        assert kinds(await client.items()) == ["user_message", "end_of_turn"]
        monkeypatch.undo()
        await (await client.ask("Hello?")).rest()
        assert (await client.turn())["state"] == "completed"


@pytest.mark.parametrize("asked", ["pay", "locate"])
async def test_requests_of_dead_worker_are_withdrawn(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    url = f"sqlite:///{tmp_path}/chat.db"
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        answering = agent([call(asked)], [text("Yes.")], tools=[pay, locate])
        dying = AgentChatKitServer(answering, one)

        async def end(server: Any, *given: Any) -> None:
            await (gate() if server is dying else end_run(server, *given))

        monkeypatch.setattr(run, "end_run", end)
        client = LiveClient(dying)
        asking = await client.ask("Go on")
        for _ in ("the message", "the request"):
            await asking.until("thread.item.done")
        await gate.is_reached.wait()
        client.server = AgentChatKitServer(answering, two)
        assert len(await client.items()) == 2
        await bury(one, two)
        await (await client.ask("Hello?")).rest()
        assert kinds(await client.items()) == [
            "user_message",
            "end_of_turn",
            "user_message",
            "assistant_message",
        ]
        monkeypatch.undo()
        gate.may_go_on.set()
        await dying.close(grace=0)
        await client.server.close(grace=0)


async def stop_before_input(
    client: LiveClient, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop a message's turn before the agent receives the message."""
    gate = Gate()

    async def wait(*_: Any) -> Any:
        await gate()

    with monkeypatch.context() as patched:
        patched.setattr(client.server.agents, "of", wait)
        asking = await client.ask(message)
        await asking.next()
        await gate.is_reached.wait()
        assert await client.stop() == "stopped"
        await asking.close()


async def test_turn_from_code_includes_unread_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering = agent([text("Hi.")], [text("Yes.")])
    async with chat(answering) as client:
        await (await client.ask("Hello")).rest()
        await stop_before_input(client, "Where are you?", monkeypatch)
        await client.server.start_turn(client.thread_id, "Be nice", ME)
        assert await settled(client) == "completed"
        received = said(answering)[-1][1]
        assert received.index("Where are you?") < received.index("Be nice")


async def test_unread_message_is_sent_with_next_message_after_approval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering = agent([call("pay")], [text("Paid.")], [text("Yes.")], tools=[pay])
    async with chat(answering) as client:
        await (await client.ask("Pay it")).rest()
        (card,) = [each for each in await client.items() if each["type"] == "widget"]
        await stop_before_input(client, "And hurry", monkeypatch)
        await (await decide(client, card)).rest()
        assert (await client.turn())["state"] == "completed"
        assert "And hurry" not in str(said(answering))
        await (await client.ask("Is it paid?")).rest()
        assert str(said(answering)).count("And hurry") == 1


@pytest.mark.parametrize("is_from_code", [False, True])
async def test_retry_of_unread_message_keeps_approved_call(
    is_from_code: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering = agent([text("Hi.")], [call("pay")], [text("Paid.")], [text("Yes.")], tools=[pay])
    async with chat(answering) as client:
        await (await client.ask("Hello")).rest()
        if is_from_code:
            await client.server.start_turn(client.thread_id, "Pay it", ME)
        else:
            await (await client.ask("Pay it")).rest()
        assert await settled(client) == "waiting"
        (card,) = [each for each in await client.items() if each["type"] == "widget"]
        await stop_before_input(client, "And hurry", monkeypatch)
        (unread,) = [each for each in await client.items() if "And hurry" in str(each)]
        await (await decide(client, card)).rest()
        retried = await client.send(
            "threads.retry_after_item", thread_id=client.thread_id, item_id=unread["id"]
        )
        await retried.rest()
        received = str(said(answering)[-5:])
        assert received.index("Pay it") < received.index("Paid.") < received.index("And hurry")
        assert "not started" not in str(said(answering))


async def test_items_added_after_message_are_sent_with_next_message() -> None:
    gate = Gate()
    answering = agent([text("Yes.")], [text("So it is.")])

    async def find(*_: Any) -> Any:
        await gate()
        return answering

    async with chat(find) as client:
        asking = await client.ask("Is it open?")
        await gate.is_reached.wait()
        added = AssistantMessageItem(
            id="m1",
            thread_id=client.thread_id,
            created_at=datetime.now(),
            content=[AssistantMessageContent(text="It opens at nine.")],
        )
        await client.server.add_items(client.thread_id, [added], ME)
        gate.may_go_on.set()
        await asking.rest()
        assert said(answering) == [("user", "Is it open?")]
        await (await client.ask("At nine?")).rest()
        assert str(said(answering)).count("It opens at nine.") == 1


async def test_error_event_of_app_is_recorded_as_end_of_turn() -> None:
    class Shop(AgentChatKitServer[Any]):
        async def respond(self, *_: Any) -> AsyncIterator[ThreadStreamEvent]:
            yield ErrorEvent(message="The shop is closed.", allow_retry=False)

    async with chat(agent(), server_class=Shop) as client:
        events = await (await client.ask("Is it open?")).rest()
        assert [each["message"] for each in events if each["type"] == "error"] == [
            "The shop is closed."
        ]
        turn = await client.turn()
        assert turn["state"] == "failed"
        end = (await client.items())[-1]
        assert end["message"] == "The shop is closed."
        assert end["allow_retry"] is False
