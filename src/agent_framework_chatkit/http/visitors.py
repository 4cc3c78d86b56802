"""Visitors without a login: a signed cookie makes each browser a separate owner."""

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
"""The cookie's name in older versions, which all apps on a host shared."""

LIFETIME = 365 * 24 * 60 * 60
RENEWED_AFTER = 30 * 24 * 60 * 60


class _Cookie(NamedTuple):
    name: str
    owner: str
    age: float


class Visitors:
    """Identifies browsers by a signed cookie.

    Args:
        secret: Signs the cookies. Anyone who knows it can act as any visitor.
    """

    def __init__(self, secret: str) -> None:
        digest = hmac.new(secret.encode(), OLD_COOKIE.encode(), hashlib.sha256).hexdigest()[:16]
        self._plain = f"{OLD_COOKIE}_{digest}"
        # Browsers accept a cookie with this prefix only from the host itself and over HTTPS.
        self._host_only = f"__Host-{self._plain}"
        # A value signed for one name is not valid under another, which a sibling host could set.
        self._signers = {
            name: URLSafeTimedSerializer(secret, salt=name)
            for name in (self._host_only, self._plain)
        }
        self._old_signer = URLSafeSerializer(secret, salt=OLD_COOKIE)
        self._has_warned = False

    def identify(self, request: Request) -> str | None:
        """Return a request's owner, or `None` if it has no valid cookie."""
        self._warn(request)
        found = self._find(request)
        return found.owner if found else None

    def remember(self, owner: str, request: Request, response: Response) -> None:
        """Set the owner's cookie.

        The cookie is set only for the app's own pages, and renewed after a month.
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
        """Return a request's cookie, if it is valid."""
        cookies = request.cookies
        for name, signer in self._signers.items():
            if name not in cookies:
                continue
            with suppress(BadSignature):
                owner, signed = signer.loads(cookies[name], return_timestamp=True)
                # `max_age` would refuse values signed by a machine whose clock is ahead.
                age = time.time() - signed.timestamp()
                if age <= LIFETIME:
                    return _Cookie(name, str(owner), age)
        if OLD_COOKIE in cookies:
            with suppress(BadSignature):
                owner = self._old_signer.loads(cookies[OLD_COOKIE])
                return _Cookie(OLD_COOKIE, str(owner), 0)
        return None

    def _warn(self, request: Request) -> None:
        if self._has_warned or request.client is None or is_loopback(request.client.host):
            return
        self._has_warned = True
        logger.warning(
            "Other machines can reach this app, and it has no login: anyone who reaches it may use "
            "the agent. To restrict access, pass authenticate= to create_app."
        )


def new_visitor() -> str:
    """Return a new owner."""
    return f"visitor_{token_hex(16)}"
