"""Code written for Microsoft's package runs with this one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agent_framework.chatkit import (
    ThreadItemConverter,
    simple_to_agent_input,
    stream_agent_response,
)
from chatkit.server import ChatKitServer
from chatkit.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem

import agent_framework_chatkit
from agent_framework_chatkit.stores import SQLStore

from ...fakes.scripted_agent import agent, said, text
from ..chat_client import EVENT, encode, message

ANSWERING = agent([text("Hello, "), text("Al.")], [text("Sunny.")])


async def fetch(attachment_id: str) -> bytes:
    raise LookupError(attachment_id)


class Server(ChatKitServer[dict[str, Any]]):
    def __init__(self, store: SQLStore[dict[str, Any]]) -> None:
        super().__init__(store)
        self.converter = ThreadItemConverter(attachment_data_fetcher=fetch)

    async def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: dict[str, Any],
    ) -> AsyncIterator[ThreadStreamEvent]:
        if input_user_message is None:
            return
        page = await self.store.load_thread_items(
            thread.id, after=None, limit=1000, order="asc", context=context
        )
        messages = await self.converter.to_agent_input(page.data)
        assert len(messages) == len(await simple_to_agent_input(page.data))
        run = ANSWERING.run(messages, stream=True)
        async for event in stream_agent_response(run, thread_id=thread.id):
            yield event


async def test_server_for_microsofts_package_runs_unchanged() -> None:
    async with SQLStore[dict[str, Any]]("sqlite://") as store:
        server = Server(store)
        context = {"user_id": "al"}

        async def ask(request: bytes) -> list[Any]:
            result: Any = await server.process(request, context)
            lines = [line async for line in result]
            return [EVENT.validate_json(line.removeprefix(b"data: ")) for line in lines]

        first = await ask(encode("threads.create", input=message("I am Al")))
        thread_id = first[0].thread.id
        await ask(
            encode("threads.add_user_message", thread_id=thread_id, input=message("Weather?"))
        )
        page = await store.load_thread_items(thread_id, None, 9, "asc", context)
        shown: list[Any] = page.data
        assert ["".join(part.text for part in item.content) for item in shown] == [
            "I am Al",
            "Hello, Al.",
            "Weather?",
            "Sunny.",
        ]
    assert said(ANSWERING) == [
        ("user", "I am Al"),
        ("assistant", "Hello, Al."),
        ("user", "Weather?"),
    ]


def test_old_names_still_work() -> None:
    assert agent_framework_chatkit.AgentContext is agent_framework_chatkit.ThreadContext
    assert agent_framework_chatkit.Form is agent_framework_chatkit.WidgetForm
