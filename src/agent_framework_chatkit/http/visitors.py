"""Visitors without a login: each browser is an owner of its own, by a signed cookie."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from contextlib import suppress
from secrets import token_hex
from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from .hosts import is_loopback
from .origins import is_same_origin

logger = logging.getLogger(__name__)

OLD_COOKIE = "chatkit_visitor"
"""The cookie's name in older versions, the same for every app on a host."""

LIFETIME = 365 * 24 * 60 * 60
RENEWED_AFTER = 30 * 24 * 60 * 60


class _Cookie(NamedTuple):
    name: str
    owner: str
    age: float


class Visitors:
    """Knows browsers by a cookie that only this app can make.

    Args:
        secret: Signs the cookies. Whoever knows it can be anyone.
    """

    def __init__(self, secret: str) -> None:
        digest = hmac.new(secret.encode(), OLD_COOKIE.encode(), hashlib.sha256).hexdigest()[:16]
        self._plain = f"{OLD_COOKIE}_{digest}"
        # A browser takes a cookie of such a name from this very host alone, and by HTTPS.
        self._host_only = f"__Host-{self._plain}"
        # What is signed for one name is not valid under another, which a neighbor could set.
        self._signers = {
            name: URLSafeTimedSerializer(secret, salt=name)
            for name in (self._host_only, self._plain)
        }
        self._old_signer = URLSafeSerializer(secret, salt=OLD_COOKIE)
        self._has_warned = False

    def identify(self, request: Request) -> str | None:
        """Return the owner that a request comes from; `None` for one without a valid cookie."""
        self._warn(request)
        found = self._find(request)
        return found.owner if found else None

    def remember(self, owner: str, request: Request, response: Response) -> None:
        """Have the browser send the owner with its next requests.

        The cookie is set for pages of the app alone, and again a month later.
        """
        if not is_same_origin(request):
            return
        found = self._find(request)
        is_secure = request.url.scheme == "https"
        name = self._host_only if is_secure else self._plain
        if found is not None and found.name == name and abs(found.age) < RENEWED_AFTER:
            return
        if found is not None and found.name != name:
            response.delete_cookie(found.name, httponly=True, samesite="lax", secure=is_secure)
        response.set_cookie(
            name,
            str(self._signers[name].dumps(owner)),
            max_age=LIFETIME,
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )

    def _find(self, request: Request) -> _Cookie | None:
        """Return a valid cookie of a request."""
        cookies = request.cookies
        for name, signer in self._signers.items():
            with suppress(BadSignature):
                value = cookies.get(name, "")
                owner, signed = signer.loads(value, return_timestamp=True)
                # Not by `max_age`, which refuses what a clock that is ahead has signed.
                age = time.time() - signed.timestamp()
                if age <= LIFETIME:
                    return _Cookie(name, str(owner), age)
        with suppress(BadSignature):
            owner = self._old_signer.loads(cookies.get(OLD_COOKIE, ""))
            return _Cookie(OLD_COOKIE, str(owner), 0)
        return None

    def _warn(self, request: Request) -> None:
        if self._has_warned or request.client is None or is_loopback(request.client.host):
            return
        self._has_warned = True
        logger.warning(
            "This app is served beyond this machine without a login: everyone who reaches it "
            "may use the agent. Pass authenticate= to create_app to say who may."
        )


def new_visitor() -> str:
    """Return an owner that nobody has been."""
    return f"visitor_{token_hex(16)}"
