"""Signed values that stand for a permission in a URL."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeTimedSerializer

from .errors import AttachmentLinkInvalidError

Purpose: TypeAlias = Literal["read", "upload"]


class LinkSigner:
    """Signs an attachment's id for one purpose, and tells whether a signature holds.

    Args:
        secret: What only the servers know.
        lifetime: How long a signature holds.
    """

    def __init__(self, secret: str | bytes, lifetime: timedelta) -> None:
        if not secret:
            raise ValueError("The secret that signs URLs must not be empty.")
        self._lifetime = lifetime
        self._serializers = {
            purpose: URLSafeTimedSerializer(
                secret,
                # Another salt is another key: a link to read does not permit an upload.
                salt=f"agent-framework-chatkit.attachments.{purpose}",
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )
            for purpose in ("read", "upload")
        }

    def link(self, base_url: str, attachment_id: str, purpose: Purpose) -> str:
        """Return a URL of the app's with a token that permits this."""
        path = f"attachments/{attachment_id}" + ("/upload" if purpose == "upload" else "")
        query = urlencode({"token": self._serializers[purpose].dumps(attachment_id)})
        return f"{base_url.rstrip('/')}/{path}?{query}"

    def check(self, token: str, attachment_id: str, purpose: Purpose) -> None:
        """Check a token.

        Raises:
            AttachmentLinkInvalidError: It has expired, was signed for something else, or not by us.
        """
        try:
            signed, at = self._serializers[purpose].loads(token, return_timestamp=True)
        except BadData as error:
            raise AttachmentLinkInvalidError from error
        # Not by `max_age`, which refuses what a clock that is ahead has signed.
        has_expired = time.time() - at.timestamp() > self._lifetime.total_seconds()
        if signed != attachment_id or has_expired:
            raise AttachmentLinkInvalidError
