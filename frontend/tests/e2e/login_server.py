"""A chat for people with a token, that pages of another origin may use: PORT ORIGIN."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from starlette.requests import Request
from tests.fakes.counting_agent import helper

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore


def owner(request: Request) -> str | None:
    return "ann" if request.headers.get("authorization") == "Bearer t0ken" else None


port, origin = int(sys.argv[1]), sys.argv[2]
store = SQLStore[Any]("sqlite://")
files = AttachmentStore[Any]("memory://", metadata=store, secret="x" * 32)
server = AgentChatKitServer(helper, store, files)
app = create_app(server, authenticate=owner, allow_origins=[origin], allowed_hosts=["127.0.0.1"])
uvicorn.run(app, port=port, log_level="warning")
