"""Builds user messages from requests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from chatkit.types import (
    Attachment,
    StreamingReq,
    ThreadMetadata,
    ThreadsRetryAfterItemReq,
    UserMessageInput,
    UserMessageItem,
)
from typing_extensions import TypeVar

from ..stores.attachments.errors import AttachmentInUseError
from ..stores.owners import owner_of
from ..stores.sql.store import SQLStore
from ..stores.sql.turn_rows import RepeatedRequestError
from .requests import request_id_of

if TYPE_CHECKING:
    from .server import AgentChatKitServer

TContext = TypeVar("TContext", default=Any)


class UserMessages(Generic[TContext]):
    """Builds user messages from requests.

    Args:
        server: The server that owns the threads.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server
        self._store: SQLStore[TContext] = server.store

    async def thread_for_ids(self, thread_id: str, context: TContext) -> ThreadMetadata:
        """Return a thread for generating IDs; it is loaded only if the app overrides that."""
        if type(self._store).generate_item_id is SQLStore.generate_item_id:
            return ThreadMetadata(id=thread_id, created_at=datetime.now())
        return await self._store.load_thread(thread_id, context)

    async def build(
        self,
        given: UserMessageInput,
        thread: ThreadMetadata,
        context: TContext,
        request: StreamingReq,
    ) -> UserMessageItem:
        """Return a request's message for a thread."""
        given = await self._with_attachments(given, (), request, context)
        try:
            return await self._message(given, thread, context)
        except AttachmentInUseError:
            # Another worker may have stored this request meanwhile.
            await self.raise_if_repeated(request, context)
            raise

    async def _message(
        self, given: UserMessageInput, thread: ThreadMetadata, context: TContext
    ) -> UserMessageItem:
        return UserMessageItem(
            id=self._store.generate_item_id("message", thread, context),
            content=given.content,
            thread_id=thread.id,
            attachments=[
                await self._attachment(attachment_id, thread, context)
                for attachment_id in given.attachments
            ],
            quoted_text=given.quoted_text,
            inference_options=given.inference_options,
            created_at=datetime.now(),
        )

    async def _attachment(
        self, attachment_id: str, thread: ThreadMetadata, context: TContext
    ) -> Attachment:
        """Return an attachment for a thread, unless another thread has it."""
        attachment = await self._store.load_attachment(attachment_id, context)
        if attachment.thread_id not in (None, thread.id):
            raise AttachmentInUseError
        return attachment.model_copy(update={"thread_id": thread.id})

    async def _with_attachments(
        self,
        given: UserMessageInput,
        known: Collection[str],
        request: StreamingReq,
        context: TContext,
    ) -> UserMessageInput:
        """Return a message with each attachment once, after checking the new ones."""
        if not given.attachments:
            return given
        await self.raise_if_repeated(request, context)
        store = self._server.attachments()
        ids = list(dict.fromkeys(given.attachments))
        await store.check_message(ids, context)
        for attachment_id in ids:
            if attachment_id not in known:
                await store.confirm(attachment_id, context)
        return given.model_copy(update={"attachments": ids})

    async def raise_if_repeated(self, request: StreamingReq, context: TContext) -> None:
        """Raise if the request was received before: its own effects would make it fail now.

        Raises:
            RepeatedRequestError: If the request was received before.
        """
        request_id = request_id_of(request)
        if request_id is not None:
            repeated = await self._store.log.find_request(owner_of(context), request_id)
            if repeated is not None:
                raise RepeatedRequestError(repeated)

    async def edited(
        self, old: UserMessageItem, request: ThreadsRetryAfterItemReq, context: TContext
    ) -> UserMessageItem:
        """Return a message as edited by a request."""
        new = await self._with_attachments(
            UserMessageInput.model_validate(request.metadata["input"]),
            {attachment.id for attachment in old.attachments},
            request,
            context,
        )
        thread = await self._store.load_thread(old.thread_id, context)
        built = await self._message(new, thread, context)
        edited = built.model_copy(update={"id": old.id, "created_at": old.created_at})
        self._server.with_new_links([edited], context)
        return edited
