"""The ASGI app: the ChatKit endpoint and what belongs to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..server.server import AgentChatKitServer
from .body import MAX_REQUEST
from .endpoint import Authenticate, Endpoint, Handler
from .failures import fail, refuse
from .hosts import HostCheck, Hosts
from .origins import Origins
from .page import page_options
from .web_ui import ui_routes

logger = logging.getLogger(__name__)


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
        lifespan=lambda app: _lifespan(server),
        exception_handlers={HTTPException: refuse, Exception: fail},
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
    endpoint = Endpoint(server, authenticate, origins, max_request_size)
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


@asynccontextmanager
async def _lifespan(server: AgentChatKitServer[Any]) -> AsyncIterator[None]:
    cleaning = asyncio.create_task(_clean_up_now_and_then(server))
    yield
    cleaning.cancel()
    await asyncio.wait([cleaning])
    await server.close()


async def _clean_up_now_and_then(server: AgentChatKitServer[Any]) -> None:
    while True:
        await asyncio.sleep(CLEAN_UP_EVERY)
        try:
            await server.clean_up()
        except Exception:
            logger.exception("Files that nobody needs could not be deleted; tried again later.")


async def _no_content(request: Request) -> Response:
    return Response(status_code=204)
