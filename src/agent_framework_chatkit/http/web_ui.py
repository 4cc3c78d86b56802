"""Serves the built web UI: `<openai-chatkit>` and a full-page chat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

FILES = Path(__file__).parents[1] / "frontend"
"""The frontend's build output, which is in the wheel but not in git."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")

_NO_CACHE = {"Cache-Control": "no-cache"}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}

# The page loads everything from its own origin, except for images that the app allows.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src {images}; "
    "font-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def ui_routes(page: Mapping[str, Any] | None = None) -> list[BaseRoute]:
    """Return the routes of the web UI.

    | path | purpose |
    | --- | --- |
    | `GET /` | a full-page chat |
    | `GET /chatkit.js` | the current script that defines `<openai-chatkit>` |
    | `GET /ui/…` | the UI's files, whose names change with their contents |

    Args:
        page: JSON options for the full-page chat's `<openai-chatkit>`. With
            `{"widgets": {"images": "self"}}`, the page's policy blocks images from other hosts.
    """
    images = ((page or {}).get("widgets") or {}).get("images", "https")
    hosts = "'self' data: blob: https:" if images == "https" else "'self' data: blob:"
    policy = _POLICY.format(images=hosts)

    async def full_page(request: Request) -> Response:
        return _respond("index.html", {**_NO_CACHE, "Content-Security-Policy": policy})

    async def page_options(request: Request) -> Response:
        return JSONResponse(dict(page or {}), headers=_NO_CACHE)

    return [
        Route("/", full_page, methods=["GET"]),
        Route("/page.js", _page_script, methods=["GET"]),
        Route("/page.json", page_options, methods=["GET"]),
        Route("/chatkit.js", _element, methods=["GET"]),
        Route("/ui/{name}", _file, methods=["GET"]),
    ]


async def _page_script(request: Request) -> Response:
    return _respond("page.js", _NO_CACHE)


async def _element(request: Request) -> Response:
    scripts = sorted(FILES.glob("ui/chatkit-*.js"))
    return _respond(f"ui/{scripts[0].name}" if scripts else "ui/chatkit.js", _NO_CACHE)


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise HTTPException(404, "There is no such file.")
    return _respond(f"ui/{name}", _FOREVER)


def _respond(name: str, headers: dict[str, str]) -> Response:
    path = FILES / name
    if not FILES.is_dir():
        raise HTTPException(404, "The web UI is not built. Build it with: make frontend")
    if not path.is_file():
        raise HTTPException(404, "There is no such file.")
    return FileResponse(
        path,
        headers={
            **headers,
            "X-Content-Type-Options": "nosniff",
            # Pages of other origins may use the element, and its files are not secret.
            "Access-Control-Allow-Origin": "*",
        },
    )
