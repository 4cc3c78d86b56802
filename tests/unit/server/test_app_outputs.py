"""Outputs of client tools that an app adds itself, and items that it hides."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

from agent_framework import Message, tool
from chatkit.types import (
    ClientToolCallItem,
    HiddenContextItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
)
from sqlalchemy import select

from agent_framework_chatkit import AgentChatKitServer, ThreadItemConverter
from agent_framework_chatkit.stores import SQLStore
from agent_framework_chatkit.stores.sql.tables import events as log

from ...fakes.scripted_agent import agent, call, check_calls, text
from ..answering import asked
from ..live_client import ME, Gate, LiveClient, bury, chat

OUTPUT = "Oslo" * 50
HIDDEN = "The user is a spy."


def called(thread_id: str, item_id: str = "ct_1", call_id: str = "c1") -> ClientToolCallItem:
    return ClientToolCallItem(
        id=item_id,
        thread_id=thread_id,
        created_at=datetime.now(),
        status="completed",
        call_id=call_id,
        name="locate",
        arguments={},
        output=OUTPUT,
    )


async def logged(store: SQLStore[Any]) -> str:
    """Return everything in the event log."""
    rows = await store.database.read(lambda each: each.execute(select(log)).all())
    return str([tuple(row) for row in rows])  # SQLAlchemy shortens the text of its rows.


class Shop(AgentChatKitServer[Any]):
    """Shows a client tool call with its output, and a hidden item, in two steps each."""

    async def respond(self, thread: ThreadMetadata, *_: Any) -> AsyncIterator[ThreadStreamEvent]:
        hidden = HiddenContextItem(
            id="hidden", thread_id=thread.id, created_at=datetime.now(), content=HIDDEN
        )
        for item in (called(thread.id), hidden):
            yield ThreadItemAddedEvent(item=item)
            yield ThreadItemDoneEvent(item=item)


async def test_items_of_own_respond_are_sent_without_outputs_and_hidden_items() -> None:
    async with chat(agent(), server_class=Shop) as client:
        asking = await client.ask("Where am I?")
        following = await client.follow()
        await asking.rest()
        assert "ct_1" in str(asking.seen)
        state = await following.until("thread.state")
        shown = str([asking.seen, state, await client.items()])
        for secret in (OUTPUT, HIDDEN):
            assert secret not in shown
            assert secret not in await logged(client.server.store)
        stored = await client.server.store.load_item(client.thread_id, "ct_1", ME)
        assert isinstance(stored, ClientToolCallItem)
        assert stored.output == OUTPUT
        await following.close()


async def test_stop_keeps_output_of_an_unfinished_call() -> None:
    gate = Gate()

    class Slow(AgentChatKitServer[Any]):
        async def respond(
            self, thread: ThreadMetadata, *_: Any
        ) -> AsyncIterator[ThreadStreamEvent]:
            yield ThreadItemAddedEvent(item=called(thread.id))
            await gate()

    async with chat(agent(), server_class=Slow) as client:
        asking = await client.ask("Where am I?")
        await asking.until("thread.item.added")
        await gate.is_reached.wait()
        state = await (await client.follow()).until("thread.state")
        assert [item["id"] for item in state["open_items"]] == ["ct_1"]
        assert await client.stop() == "stopped"
        assert OUTPUT not in str([await asking.rest(), state])
        stored = await client.server.store.load_item(client.thread_id, "ct_1", ME)
        assert isinstance(stored, ClientToolCallItem)
        assert stored.output == OUTPUT


async def test_added_outputs_with_the_same_call_id_are_told_apart(tmp_path: Path) -> None:
    items = [called("", "ct_1"), called("", "ct_2").model_copy(update={"output": "Rome"})]
    known = await known_after_death(tmp_path, items)
    assert known == [json.dumps(OUTPUT), '"Rome"']


async def test_added_outputs_of_a_dead_worker_are_remembered(tmp_path: Path) -> None:
    known = await known_after_death(tmp_path, [called("")])
    assert known == [json.dumps(OUTPUT)]


async def test_changed_outputs_of_a_dead_worker_are_remembered(tmp_path: Path) -> None:
    class Short(ThreadItemConverter):
        async def client_tool_call_to_input(self, item: ClientToolCallItem) -> Any:
            given = await super().client_tool_call_to_input(item)
            assert isinstance(given, list)
            given[1].contents[0].result = "somewhere"
            return given

    known = await known_after_death(tmp_path, [called("")], item_converter=Short())
    assert known == ["somewhere"]


async def known_after_death(
    folder: Path, items: list[ClientToolCallItem], **properties: Any
) -> list[str]:
    """Return the outputs that an agent knows after its worker died in the turn."""
    gate = Gate()

    @tool(approval_mode="never_require")
    async def wait() -> None:
        """Wait."""
        await gate()

    url = f"sqlite:///{folder}/chat.db"
    answering = agent([text("Hi.")], [call("wait", "w1")], [text("Yes.")], tools=[wait])
    async with SQLStore[Any](url) as one, SQLStore[Any](url) as two:
        dying = AgentChatKitServer(answering, one, **properties)
        client = LiveClient(dying)
        await (await client.ask("Hello")).rest()
        added = [item.model_copy(update={"thread_id": client.thread_id}) for item in items]
        await dying.add_items(client.thread_id, added, ME)
        asking = await client.ask("Where am I?")
        await asking.next()
        await gate.is_reached.wait()
        in_log = await logged(one)
        client.server = AgentChatKitServer(answering, two, **properties)
        await bury(one, two)
        await (await client.ask("And now?")).rest()
        gate.may_go_on.set()
        await dying.close(grace=0)
        await client.server.close(grace=0)
    if not properties and len(items) == 1:
        assert OUTPUT not in in_log
    messages: list[Message] = answering.client.asked[-1]  # type: ignore[attr-defined]
    check_calls(messages)
    results = [result for role, result in asked(answering) if role == "tool"]
    assert "effect is unknown" in results.pop()
    return results
