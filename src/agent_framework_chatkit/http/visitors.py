"""Visitors without a login: each browser is an owner of its own, by a signed cookie."""

from __future__ import annotations

import logging
from secrets import token_hex

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

from .hosts import is_loopback

logger = logging.getLogger(__name__)

COOKIE = "chatkit_visitor"
ONE_YEAR = 365 * 24 * 60 * 60


class Visitors:
    """Knows browsers by a cookie that only this app can make.

    Args:
        secret: Signs the cookies. Whoever knows it can be anyone.
    """

    def __init__(self, secret: str | bytes) -> None:
        self._serializer = URLSafeSerializer(secret, salt=COOKIE)
        self._has_warned = False

    def identify(self, request: Request) -> str:
        """Return the owner that a request comes from; one without a cookie is a new one."""
        self._warn(request)
        try:
            owner = self._serializer.loads(request.cookies.get(COOKIE, ""))
        except BadSignature:
            return f"visitor_{token_hex(16)}"
        return str(owner)

    def remember(self, owner: str, request: Request, response: Response) -> None:
        """Have the browser send the owner with its next requests."""
        cookie = str(self._serializer.dumps(owner))
        if request.cookies.get(COOKIE) != cookie:
            response.set_cookie(
                COOKIE,
                cookie,
                max_age=ONE_YEAR,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )

    def _warn(self, request: Request) -> None:
        if self._has_warned or request.client is None or is_loopback(request.client.host):
            return
        self._has_warned = True
        logger.warning(
            "This app is served beyond this machine without a login: everyone who reaches it "
            "may use the agent. Pass authenticate= to create_app to say who may."
        )
