"""Examples of thread items, and their messages for the agent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent_framework import Message
from chatkit.types import (
    FileAttachment,
    ImageAttachment,
    InferenceOptions,
    ThreadItem,
    UserMessageContent,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
)
from pydantic import AnyUrl

from agent_framework_chatkit import ThreadItemConverter

BASE: dict[str, Any] = {"thread_id": "thr_1", "created_at": datetime(2026, 1, 1)}


def user(*content: UserMessageContent | str, **properties: Any) -> UserMessageItem:
    return UserMessageItem(
        id=properties.pop("id", "msg_1"),
        content=[
            UserMessageTextContent(text=part) if isinstance(part, str) else part for part in content
        ],
        inference_options=InferenceOptions(),
        **properties,
        **BASE,
    )


def tag(text: str, **data: Any) -> UserMessageTagContent:
    return UserMessageTagContent(id="t1", text=text, data=data)


def file(name: str = "notes.csv", mime_type: str = "text/csv") -> FileAttachment:
    return FileAttachment(id="atc_1", name=name, mime_type=mime_type)


def image() -> ImageAttachment:
    return ImageAttachment(
        id="atc_2",
        name="cat.png",
        mime_type="image/png",
        preview_url=AnyUrl("https://files.test/cat.png"),
    )


async def convert(
    *items: ThreadItem, converter: ThreadItemConverter | None = None
) -> list[Message]:
    return await (converter or ThreadItemConverter()).to_agent_input(list(items))


def shown(messages: list[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in messages]
