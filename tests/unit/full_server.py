"""A server that implements all optional methods."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from chatkit.actions import Action
from chatkit.types import (
    AudioInput,
    NoticeEvent,
    SyncCustomActionResponse,
    TranscriptionResult,
    WidgetItem,
)

from agent_framework_chatkit import AgentChatKitServer


class FullServer(AgentChatKitServer[Any]):
    async def transcribe(self, audio_input: AudioInput, context: Any) -> TranscriptionResult:
        return TranscriptionResult(text=f"{len(audio_input.data)} bytes")

    async def action(
        self, thread: Any, action: Action[str, Any], sender: WidgetItem | None, context: Any
    ) -> AsyncIterator[Any]:
        yield NoticeEvent(level="info", message=f"{action.type} {sender.id if sender else '-'}")

    async def sync_action(
        self, thread: Any, action: Action[str, Any], sender: WidgetItem | None, context: Any
    ) -> SyncCustomActionResponse:
        return SyncCustomActionResponse(updated_item=sender)
