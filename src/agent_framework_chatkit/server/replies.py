"""Answers the requests that do not stream."""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic

from chatkit.types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    AudioInput,
    ClientToolCallItem,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    Page,
    ThreadItem,
    ThreadMetadata,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
    WidgetItem,
)
from pydantic_core import to_json
from typing_extensions import TypeVar

from ..stores.attachments.errors import UnknownVisitorError
from ..stores.owners import owner_of, value_of
from ..stores.sql.audit import digest_of
from ..stores.sql.store import SQLStore
from ..stores.sql.turn_rows import TurnRow
from ..telemetry import request_span
from .answers import OUR_ACTIONS
from .event_log import serialize
from .requests import (
    MAX_IDS,
    MAX_PAGE,
    MAX_TITLE,
    RequestInvalidError,
    RequestTooComplexError,
    ThreadsClaimToolReq,
    ThreadsSearchReq,
    ThreadsStopReq,
    knows_turn_ends,
    page_of,
)
from .threads import thread_response, visible_items
from .titles import set_title
from .turn_state import turn_json

if TYPE_CHECKING:
    from .server import AgentChatKitServer

logger = logging.getLogger(__name__)

TContext = TypeVar("TContext", default=Any)

PAGE_SIZE = 20
"""The default number of threads or items on a page."""


class Replies(Generic[TContext]):
    """Answers requests that do not start a turn.

    Args:
        server: The server that receives them.
    """

    def __init__(self, server: AgentChatKitServer[TContext]) -> None:
        self._server = server
        self._store: SQLStore[TContext] = server.store
        self._answers: dict[type, Callable[[Any, TContext], Awaitable[bytes]]] = {
            ThreadsGetByIdReq: self._get_thread,
            ThreadsListReq: self._list_threads,
            ItemsListReq: self._list_items,
            ItemsFeedbackReq: self._feedback,
            AttachmentsCreateReq: self._create_attachment,
            AttachmentsDeleteReq: self._delete_attachment,
            InputTranscribeReq: self._transcribe,
            ThreadsUpdateReq: self._update_thread,
            ThreadsDeleteReq: self._delete_thread,
            ThreadsSyncCustomActionReq: self._sync_action,
            ThreadsStopReq: self._stop,
            ThreadsClaimToolReq: self._claim_tool,
            ThreadsSearchReq: self._search,
        }

    async def answer(self, request: Any, context: TContext) -> bytes:
        """Return the JSON that answers a request."""
        thread_id = getattr(request.params, "thread_id", None)
        with request_span(request.type, thread_id) as span, span.current():
            return await self._answers[type(request)](request, context)

    async def _get_thread(self, request: ThreadsGetByIdReq, context: TContext) -> bytes:
        thread_id = request.params.thread_id
        thread = await self._store.load_thread(thread_id, context)
        page = await self._store.load_thread_items(thread_id, None, PAGE_SIZE, "asc", context)
        turn = await self._store.log.of_thread(thread_id, owner_of(context))
        response = serialize(thread_response(thread, self._visible_page(page, request, context)))
        return _extended(
            response, turn=turn_json(turn), can_follow=True if self._server.detached else None
        )

    async def _list_threads(self, request: ThreadsListReq, context: TContext) -> bytes:
        params = request.params
        page = await self._store.load_threads(
            _page_size(params.limit), params.after, params.order, context
        )
        data = await self._listed(page.data, context)
        head = _extended(serialize(Page(has_more=page.has_more, after=page.after)), can_search=True)
        return head.replace(b'"data":[]', b'"data":[%b]' % b",".join(data), 1)

    async def _listed(self, threads: Sequence[ThreadMetadata], context: TContext) -> list[bytes]:
        """Return the JSON of threads for a list, each with its last turn."""
        ids = [thread.id for thread in threads]
        turns: dict[str, TurnRow] = (
            await self._store.log.of_threads(ids, owner_of(context)) if ids else {}
        )
        return [
            _extended(serialize(thread_response(thread)), turn=turn_json(turns.get(thread.id)))
            for thread in threads
        ]

    async def _search(self, request: ThreadsSearchReq, context: TContext) -> bytes:
        params = request.params
        page = await self._store.search_threads(params.query, params.limit, params.after, context)
        listed = await self._listed([found.thread for found in page.data], context)
        data = [
            b'{"thread":%b,%b'
            % (
                thread,
                to_json(
                    {
                        "item_id": found.item_id,
                        "snippet": [
                            {"text": text, "is_match": is_match} for text, is_match in found.snippet
                        ],
                    }
                )[1:],
            )
            for thread, found in zip(listed, page.data, strict=True)
        ]
        head = serialize(Page(has_more=page.has_more, after=page.after))
        return head.replace(b'"data":[]', b'"data":[%b]' % b",".join(data), 1)

    async def _list_items(self, request: ItemsListReq, context: TContext) -> bytes:
        params = request.params
        page = await self._store.load_thread_items(
            params.thread_id, params.after, _page_size(params.limit), params.order, context
        )
        if not page.data:
            # Raise if the owner has no such thread.
            await self._store.load_thread(params.thread_id, context)
        return serialize(self._visible_page(page, request, context))

    def _visible_page(
        self, page: Page[ThreadItem], request: Any, context: TContext
    ) -> Page[ThreadItem]:
        items = visible_items(page.data, with_ends=knows_turn_ends(request))
        return Page(
            data=self._server.with_new_links(items, context),
            has_more=page.has_more,
            after=page.after,
        )

    async def _feedback(self, request: ItemsFeedbackReq, context: TContext) -> bytes:
        params = request.params
        if len(params.item_ids) > MAX_IDS:
            raise RequestTooComplexError(f"Name at most {MAX_IDS} items.")
        await self._server.add_feedback(params.thread_id, params.item_ids, params.kind, context)
        return b"{}"

    async def _create_attachment(self, request: AttachmentsCreateReq, context: TContext) -> bytes:
        if value_of(context, "is_new_visitor"):
            raise UnknownVisitorError
        attachments = self._server.attachments()
        # A file that is too large is refused, so its size does not count.
        size = min(request.params.size, attachments.max_size)
        self._server.quotas.take_upload(size, context)
        attachment = await attachments.create_attachment(request.params, context)
        await self._store.save_attachment(attachment, context)
        return serialize(attachment)

    async def _delete_attachment(self, request: AttachmentsDeleteReq, context: TContext) -> bytes:
        attachment_id = request.params.attachment_id
        attachments = self._server.attachments()
        await attachments.delete_attachment(attachment_id, context)
        await self._store.delete_attachment(attachment_id, context)
        # Its bytes may have arrived in between.
        await attachments.delete_bytes(attachment_id)
        await self._store.audit.record(
            "attachment.deleted", owner_of(context), attachment=attachment_id
        )
        return b"{}"

    async def _transcribe(self, request: InputTranscribeReq, context: TContext) -> bytes:
        self._server.quotas.take_turn(context)
        try:
            data = base64.b64decode(request.params.audio_base64)
        except ValueError as error:
            raise RequestInvalidError("Send the recording in Base64.") from error
        audio = AudioInput(data=data, mime_type=request.params.mime_type)
        return serialize(await self._server.transcribe(audio, context))

    async def _update_thread(self, request: ThreadsUpdateReq, context: TContext) -> bytes:
        title = request.params.title
        if len(title) > MAX_TITLE:
            raise RequestTooComplexError(f"A title may have at most {MAX_TITLE} characters.")
        thread = await self._store.load_thread(request.params.thread_id, context)
        await set_title(self._server, thread, title, context)
        thread.title = title
        return serialize(thread_response(thread))

    async def _delete_thread(self, request: ThreadsDeleteReq, context: TContext) -> bytes:
        thread_id, owner = request.params.thread_id, owner_of(context)
        key = await self._store.log.key_of(thread_id, owner)
        await self._store.delete_thread(thread_id, context)
        await self._store.audit.record("thread.deleted", owner, thread_id)
        self._server.worker.thread_deleted(key, thread_id, owner)
        if self._server.attachment_store is not None:
            try:
                await self._server.attachment_store.delete_doomed(self._store)
            except Exception:
                logger.exception("Could not delete a thread's files; the next cleanup will.")
        return b"{}"

    async def _sync_action(self, request: ThreadsSyncCustomActionReq, context: TContext) -> bytes:
        params = request.params
        if params.action.type in OUR_ACTIONS:
            raise RequestInvalidError("Answer the agent's requests with threads.custom_action.")
        self._server.quotas.take_turn(context)
        async with self._store.turn(params.thread_id, context):
            thread = await self._store.load_thread(params.thread_id, context)
            item: ThreadItem | None = None
            if params.item_id:
                item = await self._store.load_item(params.thread_id, params.item_id, context)
            if item is not None and not isinstance(item, WidgetItem):
                raise RequestInvalidError("Name a widget: only widgets have actions.")
            await record_action(self._store, params, context)
            return serialize(await self._server.sync_action(thread, params.action, item, context))

    async def _stop(self, request: ThreadsStopReq, context: TContext) -> bytes:
        params = request.params
        status = await self._server.worker.stop(params.thread_id, owner_of(context), params.turn_id)
        return to_json({"status": status})

    async def _claim_tool(self, request: ThreadsClaimToolReq, context: TContext) -> bytes:
        params, page = request.params, page_of(request)
        if page is None:
            raise RequestInvalidError("Name the page that claims a tool: metadata.page_id.")
        thread = await self._store.load_thread(params.thread_id, context)
        item = await self._store.load_item(params.thread_id, params.item_id, context)
        is_open = isinstance(item, ClientToolCallItem) and item.status == "pending"
        # A locked thread would refuse the output.
        if not is_open or thread.status.type != "active":
            return to_json({"status": "closed"})
        is_claimed = await self._store.turns.claim(
            params.thread_id, owner_of(context), params.item_id, page
        )
        return to_json({"status": "claimed" if is_claimed else "taken"})


async def record_action(store: SQLStore[TContext], params: Any, context: TContext) -> None:
    """Record an action in the audit trail."""
    await store.audit.record(
        "action",
        owner_of(context),
        params.thread_id,
        item=params.item_id,
        type=params.action.type[:200],
        payload=digest_of(params.action.payload),
    )


def _extended(response: bytes, **fields: Any) -> bytes:
    """Add fields to a JSON object. Fields that are `None` are left out, except `turn`."""
    fields = {name: value for name, value in fields.items() if name == "turn" or value is not None}
    return b"%b,%b" % (response[:-1], to_json(fields)[1:])


def _page_size(limit: int | None) -> int:
    """Return the size of a page, given the limit in a request."""
    return min(max(limit, 1), MAX_PAGE) if limit else PAGE_SIZE
