"""Signed URLs that grant access to an attachment."""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import timedelta
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeTimedSerializer

from .errors import AttachmentLinkInvalidError

logger = logging.getLogger(__name__)

Purpose: TypeAlias = Literal["read", "upload"]

_SHORT = 16
"""A secret with fewer bytes may be guessed."""


class LinkSigner:
    """Signs an attachment's ID for one purpose, and checks signatures.

    Args:
        secret: A secret that only the servers know.
        lifetime: How long a signature is valid.
    """

    def __init__(self, secret: str | bytes, lifetime: timedelta) -> None:
        if not secret:
            raise ValueError("The secret that signs URLs must not be empty.")
        if len(secret) < _SHORT:
            logger.warning(
                "The secret that signs links to files is short, so anyone may guess it and sign "
                "links. Use at least 32 random bytes."
            )
        self._lifetime = lifetime
        self._serializers = {
            purpose: URLSafeTimedSerializer(
                secret,
                # Different salts make different keys: a link for reading cannot be used to upload.
                salt=f"agent-framework-chatkit.attachments.{purpose}",
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )
            for purpose in ("read", "upload")
        }

    def link(self, base_url: str, attachment_id: str, purpose: Purpose) -> str:
        """Return an app URL with a token for this purpose."""
        path = f"attachments/{attachment_id}" + ("/upload" if purpose == "upload" else "")
        query = urlencode({"token": self._serializers[purpose].dumps(attachment_id)})
        return f"{base_url.rstrip('/')}/{path}?{query}"

    def check(self, token: str, attachment_id: str, purpose: Purpose) -> None:
        """Check a token.

        Raises:
            AttachmentLinkInvalidError: If the token has expired, or is not ours, or is for another
                attachment or purpose.
        """
        try:
            signed, at = self._serializers[purpose].loads(token, return_timestamp=True)
        except BadData as error:
            raise AttachmentLinkInvalidError from error
        # `max_age` would refuse values signed by a machine whose clock is ahead.
        has_expired = time.time() - at.timestamp() > self._lifetime.total_seconds()
        if signed != attachment_id or has_expired:
            raise AttachmentLinkInvalidError
