"""A ChatKit store that keeps attachments in memory, separately for each owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment
from pydantic import TypeAdapter

ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)


def owner(context: Any) -> str:
    return str(context["user_id"] if isinstance(context, Mapping) else context.user_id)


class MetadataStore(Store[Any]):
    """Stores attachments as JSON, like a database. It has no threads."""

    def __init__(self) -> None:
        self.saved: dict[str, tuple[str, bytes]] = {}

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        self.saved[attachment.id] = (owner(context), ATTACHMENT.dump_json(attachment))

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        whose, data = self.saved.get(attachment_id, (None, b""))
        if whose != owner(context):
            raise NotFoundError(f"Attachment {attachment_id} not found")
        return ATTACHMENT.validate_json(data)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        await self.load_attachment(attachment_id, context)
        del self.saved[attachment_id]

    load_thread = save_thread = load_threads = delete_thread = None  # type: ignore[assignment]
    load_thread_items = add_thread_item = delete_thread_item = None  # type: ignore[assignment]
    load_item = save_item = None  # type: ignore[assignment]
