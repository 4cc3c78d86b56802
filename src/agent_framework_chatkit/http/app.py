"""The ASGI app: its routes, middleware and lifespan."""

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
from ..stores.errors import NewerDatabaseError
from ..stores.sql.availability import is_unavailable
from ..telemetry import flush
from .body import MAX_REQUEST
from .endpoint import Authenticate, Endpoint, Handler
from .failures import fail, refuse
from .header_limits import HeaderLimits
from .hosts import HostCheck, Hosts
from .origins import Origins
from .page import page_options
from .web_ui import ui_routes

logger = logging.getLogger(__name__)


CLEAN_UP_EVERY = 60 * 60.0
"""Seconds between two cleanups of unneeded files."""


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

    The app runs on its own, or mounted in another Starlette or FastAPI app:
    `app.mount("/chat", chat)`. The parent does not run a mounted app's lifespan: call
    `await server.clean_up()` regularly and `await server.close()` at the end.

    | path | purpose |
    | --- | --- |
    | `POST /chatkit` | the ChatKit endpoint: JSON, or server-sent events |
    | `POST /attachments` | a direct upload: a form with one `file` |
    | `PUT /attachments/{id}/upload` | the second phase of a two-phase upload |
    | `GET /attachments/{id}` | an uploaded file, for its owner or with a signed URL |
    | `GET /healthz` | 200 if the database responds, otherwise 503 |
    | `GET /` | a full-page chat |
    | `GET /chatkit.js`, `GET /ui/…` | the script that defines `<openai-chatkit>`, and its files |

    Args:
        server: The chat server.
        authenticate: Returns the owner, whose threads and attachments the request may access, or
            `None` to refuse the request with 401; sync or async. Without it, each browser is a
            separate owner, identified by a signed cookie.
        allow_origins: Other origins whose pages may use the app, such as
            `https://intranet.example.com` or `capacitor://localhost`. Browsers do not send the
            cookie across sites, so pass `authenticate` too. Requests from all other pages are
            refused with 403, unless `authenticate` is set and they have an `Authorization` header.
        allowed_hosts: The app's host names, such as `chat.example.com` or `*.example.com`.
            Requests with another name are refused with 403, except for `/healthz`. By default,
            all names are allowed, with a warning; `["*"]` allows all without a warning.
        max_request_size: The maximum size of a chat request in bytes. Larger requests are refused
            with 413, but recordings and client tool results may have 16 MiB.
        page: JSON options for the full-page chat's `<openai-chatkit>`, such as a greeting or a
            theme. They extend or replace the server's own: uploads, models, tools and dictation.
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
        # The chat's routes always have this check.
        middleware=[Middleware(HostCheck, hosts=Hosts(allowed_hosts), server=server)]
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
    """Return the chat's routes of `create_app`, to add to an existing app.

    Args:
        server: As for `create_app`.
        authenticate: As for `create_app`.
        allow_origins: As for `create_app`.
        allowed_hosts: As for `create_app`, for these routes.
        max_request_size: As for `create_app`.
    """
    origins = Origins(allow_origins, has_login=authenticate is not None)
    endpoint = Endpoint(server, authenticate, origins, max_request_size)
    hosts = Hosts(allowed_hosts)
    middleware = [
        Middleware(HeaderLimits),
        Middleware(HostCheck, hosts=hosts, server=server),
        *origins.middleware,
    ]
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
        # Browsers send a preflight request before a page of another origin may send its own.
        *(
            Route(path, _no_content, methods=["OPTIONS"], middleware=middleware)
            for path, _, _ in routes
            if allow_origins
        ),
        Route("/healthz", endpoint.health, methods=["GET"]),
    ]


@asynccontextmanager
async def _lifespan(server: AgentChatKitServer[Any]) -> AsyncIterator[None]:
    await _check_database(server)
    cleaning = asyncio.create_task(_clean_up_regularly(server))
    yield
    cleaning.cancel()
    await asyncio.wait([cleaning])
    await server.close()
    await asyncio.to_thread(flush)


async def _check_database(server: AgentChatKitServer[Any]) -> None:
    """Refuse to start with a database of a newer version. One that is down may come back."""
    try:
        await server.store.check()
    except NewerDatabaseError:
        await server.close()
        raise
    except Exception as error:
        if not is_unavailable(error):
            logger.exception("The database failed.")


async def _clean_up_regularly(server: AgentChatKitServer[Any]) -> None:
    while True:
        await asyncio.sleep(CLEAN_UP_EVERY)
        try:
            await server.clean_up()
        except Exception:
            logger.exception("Could not delete unneeded files; trying again later.")


async def _no_content(request: Request) -> Response:
    return Response(status_code=204)
