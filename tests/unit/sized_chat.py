"""An app that accepts files and recordings, and the status of its responses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatkit.types import AudioInput, TranscriptionResult

from agent_framework_chatkit import AgentChatKitServer, create_app
from agent_framework_chatkit.stores import AttachmentStore, SQLStore

from ..fakes.scripted_agent import agent, text
from .chat_client import Browser

MB = 1024 * 1024


class Hearing(AgentChatKitServer[Any]):
    async def transcribe(self, audio_input: AudioInput, context: Any) -> TranscriptionResult:
        return TranscriptionResult(text=f"{len(audio_input.data)} bytes")


@asynccontextmanager
async def chat(tmp_path: Path, answering: Any = None, **limits: Any) -> AsyncIterator[Browser]:
    async with SQLStore[Any]("sqlite://") as store:
        files = AttachmentStore[Any](tmp_path, metadata=store, secret="s", **limits)
        answering = answering or agent(*[[text("Hi")] for _ in range(9)])
        browser = Browser(create_app(Hearing(answering, store, files)))
        async with browser.http:
            await browser.get("threads.list")
            yield browser


async def status(browser: Browser, body: bytes) -> int:
    headers = {"content-type": "application/json"}
    response = await browser.http.post("/chatkit", content=body, headers=headers)
    if response.status_code >= 400:
        assert len(response.json()["error"]) < 2_000
    return response.status_code
