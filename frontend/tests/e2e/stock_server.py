"""A server made with ChatKit alone: it knows nothing that this project adds to the protocol."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import uvicorn
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agent_framework_chatkit import ui_routes
from agent_framework_chatkit.stores import SQLStore

WORDS = 20
PACE = 0.04
"""Seconds between two words."""
REST = 2.0
"""Seconds after an answer's last message, for which its stream stays open."""


class Server(ChatKitServer[dict[str, str]]):
    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        content = input_user_message.content if input_user_message else []
        said = "".join(part.text for part in content)
        for step in range(2):
            item = AssistantMessageItem(
                id=self.store.generate_item_id("message", thread, context),
                thread_id=thread.id,
                created_at=datetime.now(),
                content=[],
            )
            yield ThreadItemAddedEvent(item=item)
            for number in range(WORDS):
                delta = AssistantMessageContentPartTextDelta(
                    content_index=0, delta=f"{said} {step}-{number}. "
                )
                yield ThreadItemUpdatedEvent(item_id=item.id, update=delta)
                await asyncio.sleep(PACE)
            text = "".join(f"{said} {step}-{number}. " for number in range(WORDS))
            whole = item.model_copy(update={"content": [AssistantMessageContent(text=text)]})
            yield ThreadItemDoneEvent(item=whole)
        await asyncio.sleep(REST)


server = Server(SQLStore(sys.argv[2]))


async def chatkit(request: Request) -> Response:
    result = await server.process(await request.body(), {"user_id": "ann"})
    if isinstance(result, StreamingResult):
        return StreamingResponse(result, media_type="text/event-stream")
    return Response(result.json, media_type="application/json")


async def healthz(request: Request) -> Response:
    return Response()


routes = [Route("/chatkit", chatkit, methods=["POST"]), Route("/healthz", healthz), *ui_routes()]
uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_level="warning")
