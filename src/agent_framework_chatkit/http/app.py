"""The ASGI app: the ChatKit endpoint and what belongs to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from chatkit.errors import CustomStreamError
from chatkit.server import StreamingResult
from chatkit.store import NotFoundError
from chatkit.types import Attachment
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ..bridge.overrides import MaybeAwaitable, resolve
from ..server.dispatch import BUSY
from ..server.quotas import QuotaExceededError
from ..server.requests import RequestTooComplexError
from ..server.server import AgentChatKitServer
from ..server.streams import EventsResult
from ..stores.attachments.errors import (
    AttachmentError,
    AttachmentLinkInvalidError,
    UnknownVisitorError,
)
from ..stores.errors import ThreadBusyError
from ..stores.sql.availability import does_not_answer
from ..widgets.actions import RefusedActionError
from .body import MAX_REQUEST, form_body, in_time, read_body
from .event_stream import EventStream
from .hosts import HostCheck, Hosts
from .origins import Origins
from .page import page_options
from .request_context import RequestContext, preferred_locale
from .visitors import Visitors, new_visitor
from .web_ui import ui_routes

if TYPE_CHECKING:
    from ..stores import AttachmentStore

logger = logging.getLogger(__name__)

Authenticate = Callable[[Request], MaybeAwaitable["str | None"]]
"""Returns who sends a request, or `None` to refuse it."""

Handler = Callable[[Request], Awaitable[Response]]

_REFUSED = (401, 403, 413, 429)
_REFUSALS = RateLimitItemPerMinute(60)
"""How many refusals a worker records in a minute, so that strangers cannot fill the database."""

CLEAN_UP_EVERY = 60 * 60.0
"""Seconds between two times that files which nobody needs are deleted."""


def create_app(
    server: AgentChatKitServer[Any],
    *,
    authenticate: Authenticate | None = None,
    allow_origins: Sequence[str] = (),
    allowed_hosts: Sequence[str] | None = None,
    max_request_size: int = MAX_REQUEST,
    page: Mapping[str, Any] | None = None,
) -> Starlette:
    """Return an ASGI app that serves an agent's chat.

    It stands alone or mounts into another Starlette or FastAPI app: `app.mount("/chat", chat)`.
    A mounted app's lifespan is not run by its parent; call `await server.close()` there, and
    `await server.clean_up()` now and then.

    | path | what it is |
    | --- | --- |
    | `POST /chatkit` | the ChatKit endpoint: JSON, or server-sent events |
    | `POST /attachments` | a direct upload: a form with one `file` |
    | `PUT /attachments/{id}/upload` | the second phase of an upload in two phases |
    | `GET /attachments/{id}` | an uploaded file, for its owner or by a signed URL |
    | `GET /healthz` | 200 if the database answers, else 503 |
    | `GET /` | a full-page chat |
    | `GET /chatkit.js`, `GET /ui/…` | the script that defines `<openai-chatkit>`, and its files |

    Args:
        server: Who answers.
        authenticate: Returns the owner, whose threads and attachments the request may see, or
            `None` to refuse it with 401; sync or async. Without it, each browser is an owner of
            its own, by a signed cookie.
        allow_origins: Other origins whose pages may use the app, such as
            `https://intranet.example.com` or `capacitor://localhost`. Cookies are not sent across
            sites, so give `authenticate` too. Requests of all other pages are refused with 403,
            unless `authenticate` is given and they carry an `Authorization` header.
        allowed_hosts: The names under which the app is served, such as `chat.example.com` or
            `*.example.com`; requests under others are refused with 403, except for `/healthz`.
            By default all are allowed, with a warning. `["*"]` allows all without one.
        max_request_size: Bytes of a chat request, beyond which it is refused with 413. Recordings
            and the output of client tools may have 16 MiB.
        page: Options of the full-page chat, as `<openai-chatkit>` takes them, in JSON: a greeting,
            prompts to begin with, a theme. What the server offers (uploads, models, tools,
            dictation) is among them unless it is replaced here.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        cleaning = asyncio.create_task(_clean_up_now_and_then(server))
        yield
        cleaning.cancel()
        await asyncio.wait([cleaning])
        await server.close()

    return Starlette(
        routes=[
            *chat_routes(
                server,
                authenticate=authenticate,
                allow_origins=allow_origins,
                allowed_hosts=allowed_hosts,
                max_request_size=max_request_size,
            ),
            *ui_routes(page_options(server, page or {})),
        ],
        # The routes of the chat have it in any case.
        middleware=[Middleware(HostCheck, hosts=Hosts(allowed_hosts))]
        if allowed_hosts is not None
        else [],
        lifespan=lifespan,
        exception_handlers={HTTPException: _refuse, Exception: _fail},
    )


def chat_routes(
    server: AgentChatKitServer[Any],
    *,
    authenticate: Authenticate | None = None,
    allow_origins: Sequence[str] = (),
    allowed_hosts: Sequence[str] | None = None,
    max_request_size: int = MAX_REQUEST,
) -> list[BaseRoute]:
    """Return the routes of `create_app`, for an app that has its own.

    Args:
        server: As for `create_app`.
        authenticate: As for `create_app`.
        allow_origins: As for `create_app`.
        allowed_hosts: As for `create_app`, for these routes.
        max_request_size: As for `create_app`.
    """
    origins = Origins(allow_origins, has_login=authenticate is not None)
    endpoint = _Endpoint(server, authenticate, origins, max_request_size)
    middleware = [Middleware(HostCheck, hosts=Hosts(allowed_hosts)), *origins.middleware]
    routes: list[tuple[str, Handler, str]] = [
        ("/chatkit", endpoint.chat, "POST"),
        ("/attachments", endpoint.upload, "POST"),
        ("/attachments/{id}/upload", endpoint.receive, "PUT"),
        ("/attachments/{id}", endpoint.download, "GET"),
    ]
    return [
        *(
            Route(path, endpoint.audited(handler), methods=[method], middleware=middleware)
            for path, handler, method in routes
        ),
        # Browsers ask for leave before a page of another origin may send a request.
        *(
            Route(path, _no_content, methods=["OPTIONS"], middleware=middleware)
            for path, _, _ in routes
            if allow_origins
        ),
        Route("/healthz", endpoint.health, methods=["GET"]),
    ]


async def _clean_up_now_and_then(server: AgentChatKitServer[Any]) -> None:
    while True:
        await asyncio.sleep(CLEAN_UP_EVERY)
        try:
            await server.clean_up()
        except Exception:
            logger.exception("Files that nobody needs could not be deleted; tried again later.")


class _Endpoint:
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
        self._refusals = MovingWindowRateLimiter(MemoryStorage())

    def audited(self, handle: Handler) -> Handler:
        """Return a handler whose refusals are recorded: so many a minute, and all in the log."""

        async def audited(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                if error.status_code in _REFUSED and self._refusals.hit(_REFUSALS):
                    await self._server.store.audit.record(
                        "request.refused", None, path=request.url.path, status=error.status_code
                    )
                raise

        return audited

    async def health(self, request: Request) -> Response:
        try:
            await self._server.store.check()
        except Exception as error:
            if not does_not_answer(error):
                logger.exception("The database failed.")
            return JSONResponse({"status": "the database does not answer"}, 503)
        return JSONResponse({"status": "ok"})

    async def chat(self, request: Request) -> Response:
        self._origins.check(request)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if media_type != "application/json":
            raise HTTPException(415, "Send application/json.")
        with _failures_as_http():
            context = await self._context(request)
            result = await self._server.process(
                await read_body(request, self._max_request_size), context
            )
            if isinstance(result, StreamingResult):
                events = result.batches if isinstance(result, EventsResult) else _each(result)
                # The first event decides whether there is anything to stream at all.
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
        self._origins.check(request)
        attachments = self._attachments()
        with _failures_as_http():
            context = await self._context(request)
            if context.is_new_visitor:
                raise UnknownVisitorError
            # What is not the file, the boundaries and headers of the form, is small.
            stream = form_body(request, attachments.max_size + 64 * 1024)
            try:
                form = await MultiPartParser(
                    request.headers, stream, max_files=1, max_fields=10
                ).parse()
            except (MultiPartException, KeyError) as error:
                if isinstance(error.__cause__, HTTPException):
                    raise error.__cause__ from None
                raise HTTPException(400, "Send a form with one file.") from error
            try:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise HTTPException(400, "Send a form whose field `file` is a file.")
                attachment = await attachments.upload(
                    file.filename or "file",
                    file.content_type or "application/octet-stream",
                    _chunks(file),
                    context,
                    file.size,
                )
            finally:
                await form.close()
        await self._server.store.audit.record(
            "attachment.uploaded", context.user_id, attachment=attachment.id
        )
        return self._remember(context, _attachment_response(attachment))

    async def receive(self, request: Request) -> Response:
        attachments = self._attachments()
        with _failures_as_http():
            attachment = await attachments.receive(
                request.path_params["id"],
                in_time(request.stream()),
                token=request.query_params.get("token", ""),
            )
        await self._server.store.audit.record("attachment.uploaded", None, attachment=attachment.id)
        return _attachment_response(attachment)

    async def download(self, request: Request) -> Response:
        attachments = self._attachments()
        attachment_id = request.path_params["id"]
        owner: str | None = None
        with _failures_as_http():
            try:
                token = request.query_params.get("token", "")
                file = await attachments.open(attachment_id, token=token)
            except AttachmentLinkInvalidError:
                # Its owner may see it all the same, however old the link is.
                context = await self._context(request)
                owner = context.user_id
                file = await attachments.open(attachment_id, context=context)
        await self._server.store.audit.record(
            "attachment.downloaded", owner, attachment=attachment_id
        )
        return StreamingResponse(file.stream(), headers=file.headers)

    def _attachments(self) -> AttachmentStore[Any]:
        store = self._server.attachment_store
        if store is None:
            raise HTTPException(404, "This chat takes no files.")
        return store

    async def _context(self, request: Request) -> RequestContext:
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
        if context.is_new_visitor:
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


@contextmanager
def _failures_as_http() -> Iterator[None]:
    """Turn what processing a request raises into what the client is told."""
    try:
        yield
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)[:5]
        )
        raise HTTPException(400, problems[:1000]) from error
    except QuotaExceededError as error:
        raise HTTPException(429, str(error), {"Retry-After": "60"}) from error
    except RequestTooComplexError as error:
        raise HTTPException(413, str(error)) from error
    except AttachmentError as error:
        if error.status >= 500:
            logger.exception("The storage of attachments failed.")
        raise HTTPException(error.status, error.message) from error
    except NotFoundError as error:
        raise HTTPException(404, "There is no such thread, item or attachment.") from error
    except RefusedActionError as error:
        raise HTTPException(400, str(error)) from error
    except ThreadBusyError as error:
        raise HTTPException(409, BUSY) from error
    except CustomStreamError as error:
        raise HTTPException(500, error.message) from error
    except NotImplementedError as error:
        logger.exception("The server was asked for something that it does not implement.")
        raise HTTPException(501, "This server does not offer that.") from error
    except SQLAlchemyError as error:
        if not does_not_answer(error):
            logger.exception("The database failed.")
        raise HTTPException(503, "The database does not answer. Try again later.") from error
    except ValueError as error:
        logger.exception("A request does not fit the thread that it is about.")
        raise HTTPException(400, "The request does not fit the state of the thread.") from error


async def _no_content(request: Request) -> Response:
    return Response(status_code=204)


async def _refuse(request: Request, error: Any) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _fail(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "Something went wrong."}, 500)
