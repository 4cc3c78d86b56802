"""Handles the routes: the ChatKit endpoint, uploads and downloads."""

from __future__ import annotations

import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
)
from typing import TYPE_CHECKING, Any

from chatkit.server import StreamingResult
from chatkit.types import Attachment
from pydantic import TypeAdapter
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..bridge.overrides import MaybeAwaitable, resolve
from ..server.server import AgentChatKitServer
from ..server.streams import EventsResult
from ..stores.attachments.errors import (
    AttachmentLinkInvalidError,
    AttachmentNotFoundError,
    UnknownVisitorError,
)
from ..stores.sql.availability import is_unavailable
from .body import check_form_type, form_body, in_time, read_body
from .event_stream import EventStream
from .failures import failures_as_http
from .origins import Origins
from .refusals import record_refusal
from .request_context import RequestContext, preferred_locale
from .visitors import Visitors, new_visitor

if TYPE_CHECKING:
    from ..stores import AttachmentStore


logger = logging.getLogger(__name__)

Authenticate = Callable[[Request], MaybeAwaitable["str | None"]]
"""Returns the owner who sends a request, or `None` to refuse it."""

Handler = Callable[[Request], Awaitable[Response]]


class Endpoint:
    """Handles the requests of a chat.

    Args:
        server: The server that answers them.
        authenticate: Returns the owner, as in `create_app`.
        origins: The origins that may send requests.
        max_request_size: The maximum size of a chat request in bytes.
    """

    def __init__(
        self,
        server: AgentChatKitServer[Any],
        authenticate: Authenticate | None,
        origins: Origins,
        max_request_size: int,
    ) -> None:
        self._server = server
        self._authenticate = authenticate
        self._origins = origins
        self._max_request_size = max_request_size
        self._visitors: Visitors | None = None

    def audited(self, handle: Handler) -> Handler:
        """Return a handler that records refusals in the audit trail, up to a rate limit."""

        async def audited(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                await record_refusal(self._server, request.scope, error.status_code)
                raise

        return audited

    async def health(self, request: Request) -> Response:
        """Report whether the database responds."""
        try:
            await self._server.store.check()
        except Exception as error:
            if not is_unavailable(error):
                logger.exception("The database failed.")
            return JSONResponse({"status": "the database does not respond"}, 503)
        return JSONResponse({"status": "ok"})

    async def chat(self, request: Request) -> Response:
        """Handle a chat request."""
        self._origins.check(request)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise HTTPException(415, "Send application/json.")
        with failures_as_http():
            context = await self._context(request)
            result = await self._server.process(
                await read_body(request, self._max_request_size), context
            )
            if isinstance(result, StreamingResult):
                events = result.batches if isinstance(result, EventsResult) else _each(result)
                # Errors before the first event get an HTTP status.
                first: list[bytes] = await anext(events, [])
                response: Response = EventStream(first, events)
            else:
                response = Response(
                    result.json,
                    media_type="application/json",
                    headers={"Cache-Control": "no-store"},
                )
        return self._remember(context, response)

    async def upload(self, request: Request) -> Response:
        """Receive a file in a form."""
        self._origins.check(request)
        attachments = self._attachments()
        with failures_as_http():
            context = await self._context(request)
            if context.is_new_visitor:
                raise UnknownVisitorError
            check_form_type(request)
            # The rest of the form, its boundaries and headers, is small.
            stream = form_body(request, attachments.max_size + 64 * 1024)
            try:
                form = await MultiPartParser(
                    request.headers,
                    stream,
                    max_files=1,
                    max_fields=10,
                    max_part_size=64 * 1024,
                ).parse()
            except (MultiPartException, KeyError) as error:
                if isinstance(error.__cause__, HTTPException):
                    raise error.__cause__ from None
                raise HTTPException(400, "Send a form with one file.") from error
            try:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise HTTPException(400, "Send a form whose field `file` is a file.")
                self._server.quotas.take_upload(file.size or 0, context)
                attachment = await attachments.upload(
                    file.filename or "file",
                    file.content_type or "application/octet-stream",
                    _chunks(file),
                    context,
                    file.size,
                )
            finally:
                await form.close()
        return self._remember(context, _attachment_response(attachment))

    async def receive(self, request: Request) -> Response:
        """Receive the bytes of an announced file."""
        attachments = self._attachments()
        with failures_as_http():
            attachment = await attachments.receive(
                request.path_params["id"],
                in_time(request.stream()),
                token=request.query_params.get("token", ""),
            )
        return _attachment_response(attachment)

    async def download(self, request: Request) -> Response:
        """Send a file."""
        attachments = self._attachments()
        attachment_id = request.path_params["id"]
        owner: str | None = None
        with failures_as_http():
            try:
                token = request.query_params.get("token", "")
                file = await attachments.open(attachment_id, token=token)
            except AttachmentLinkInvalidError:
                # The owner may still read it, however old the link is.
                # Pages of other sites may request it in the user's browser, without the cookie.
                # They must not use up the limit of the user's address.
                context = await self._context(request, is_counted=False)
                if context.is_new_visitor:
                    raise AttachmentNotFoundError from None
                owner = context.user_id
                file = await attachments.open(attachment_id, context=context)
        await self._server.store.audit.record(
            "attachment.downloaded", owner, attachment=attachment_id
        )
        return StreamingResponse(file.stream(), headers=file.headers)

    def _attachments(self) -> AttachmentStore[Any]:
        store = self._server.attachment_store
        if store is None:
            raise HTTPException(404, "This chat does not accept files.")
        return store

    async def _context(self, request: Request, *, is_counted: bool = True) -> RequestContext:
        locale = preferred_locale(request.headers.get("accept-language"))
        if self._authenticate is not None:
            owner = await resolve(self._authenticate(request))
            if not owner:
                raise HTTPException(401, "Log in first.")
            return RequestContext(owner, locale, request)
        if self._visitors is None:
            self._visitors = Visitors(await self._server.store.secret())
        known = self._visitors.identify(request)
        context = RequestContext(
            known or new_visitor(),
            locale,
            request,
            is_visitor=True,
            is_new_visitor=known is None,
        )
        if context.is_new_visitor and is_counted:
            self._server.quotas.take_new_visitor(context.address)
        return context

    def _remember(self, context: RequestContext, response: Response) -> Response:
        if self._visitors is not None:
            self._visitors.remember(context.user_id, context.request, response)
        return response


async def _each(result: StreamingResult) -> AsyncGenerator[list[bytes], None]:
    async for event in result.json_events:
        yield [event]


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(64 * 1024):
        yield chunk


def _attachment_response(attachment: Attachment) -> Response:
    body = TypeAdapter(Attachment).dump_json(
        attachment, exclude_none=True, by_alias=True, context={"exclude_metadata": True}
    )
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
