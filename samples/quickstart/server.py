"""An agent behind the ChatKit protocol, served with FastAPI.

Run it with `python -m samples.quickstart.server`.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Annotated

import uvicorn
from agent_framework import Agent, FunctionInvocationContext, tool
from chatkit.server import ChatKitServer, StreamingResult
from chatkit.store import NotFoundError
from chatkit.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from agent_framework_chatkit import (
    ThreadContext,
    ThreadItemConverter,
    stream_agent_response,
    thread_to_agent_input,
    ui_routes,
)
from samples.models import ChatModel, load_model
from samples.serving import listen, url_of

from .store import MemoryStore


@tool
async def get_time(
    utc_offset: Annotated[float, "The place's offset from UTC, in hours"],
    ctx: FunctionInvocationContext,
) -> str:
    """Return the date and time at a place."""
    # A running tool can stream to the thread.
    await ThreadContext.of(ctx).stream_progress("Looking at the clock")
    now = datetime.now(timezone(timedelta(hours=utc_offset)))
    return now.strftime("%A, %Y-%m-%d %H:%M")


class QuickstartServer(ChatKitServer[None]):
    """Answers each user message with the agent."""

    def __init__(self, model: ChatModel) -> None:
        super().__init__(MemoryStore())
        self.agent = Agent(
            client=model.client,
            instructions="You are a helpful assistant. Answer in one or two sentences.",
            tools=[get_time] if model.can_call_tools else [],
        )
        self.converter = ThreadItemConverter()

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: None
    ) -> AsyncIterator[ThreadStreamEvent]:
        # Convert the thread to messages. It already contains the new message.
        messages = await thread_to_agent_input(
            self.store, thread.id, context, converter=self.converter
        )
        # Run the agent. The context gives its tools access to the thread.
        agent_context = ThreadContext(thread=thread, store=self.store, request_context=context)
        run = self.agent.run(
            messages,
            stream=True,
            function_invocation_kwargs=agent_context.function_invocation_kwargs,
        )
        # Convert the agent's stream to ChatKit events.
        async for event in stream_agent_response(run, thread.id, context=agent_context):
            yield event


def create_app(model: ChatModel) -> FastAPI:
    """Return an app with the ChatKit protocol at `/chatkit` and the web UI."""
    app = FastAPI(title="Quickstart")
    server = QuickstartServer(model)

    @app.post("/chatkit")
    async def chatkit(request: Request) -> Response:
        result = await server.process(await request.body(), context=None)
        if isinstance(result, StreamingResult):
            return StreamingResponse(result, media_type="text/event-stream")
        return Response(result.json, media_type="application/json")

    @app.exception_handler(NotFoundError)
    async def not_found(request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, status_code=404)

    app.router.routes.extend(ui_routes())
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve an agent with the ChatKit protocol.")
    parser.add_argument("--port", type=int, default=8000)
    listener = listen(parser.parse_args().port)
    model = load_model()
    print(f"{model.name} answers at {url_of(listener)}chatkit", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(create_app(model))).run(sockets=[listener])


if __name__ == "__main__":
    main()
