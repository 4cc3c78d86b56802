"""Checks access to attachments: for their owners and by signed links."""

from __future__ import annotations

from typing import Any

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment

from ..owners import OwnerContext, owner_of
from .errors import AttachmentNotFoundError
from .keys import is_id
from .notes import Notes
from .signed_links import LinkSigner, Purpose


class Access:
    """Checks access to attachments.

    Args:
        metadata: The store of the attachments' metadata, which knows their owners.
        notes: Notes of the owners, for links, which come without a context.
        signer: The signer of the links.
    """

    def __init__(self, metadata: Store[Any], notes: Notes, signer: LinkSigner) -> None:
        self._metadata = metadata
        self._notes = notes
        self._signer = signer

    async def permit(
        self, attachment_id: str, context: Any, token: str | None, purpose: Purpose
    ) -> Any:
        """Return the owner's context, given a context or a token.

        Raises:
            AttachmentLinkInvalidError: If the token has expired or is not ours.
            AttachmentNotFoundError: If there is no such attachment.
        """
        check_id(attachment_id)
        if token is None:
            owner_of(context)
            return context
        self._signer.check(token, attachment_id, purpose)
        owner = await self._notes.owner(attachment_id)
        if owner is None:
            raise AttachmentNotFoundError
        return OwnerContext(owner)

    async def load(self, attachment_id: str, context: Any) -> Attachment:
        """Return an owner's attachment.

        Raises:
            AttachmentNotFoundError: If the owner has no such attachment.
        """
        owner_of(context)
        check_id(attachment_id)
        try:
            return await self._metadata.load_attachment(attachment_id, context)
        except NotFoundError:
            raise AttachmentNotFoundError from None


def check_id(attachment_id: str) -> None:
    """Check the format of an attachment ID before using it in a storage key.

    Raises:
        AttachmentNotFoundError: If the format is not valid.
    """
    if not is_id(attachment_id):
        raise AttachmentNotFoundError
