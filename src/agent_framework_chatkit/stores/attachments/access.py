"""Who may have an attachment: its owner, and whoever has a signed link."""

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
    """Lets nobody else have an attachment.

    Args:
        metadata: The store that keeps the attachments themselves, and knows their owners.
        notes: Know the owners too, where there is a link instead of a context.
        signer: Has signed the links.
    """

    def __init__(self, metadata: Store[Any], notes: Notes, signer: LinkSigner) -> None:
        self._metadata = metadata
        self._notes = notes
        self._signer = signer

    async def permit(
        self, attachment_id: str, context: Any, token: str | None, purpose: Purpose
    ) -> Any:
        """Return the context of the owner in whose name something is done.

        Raises:
            AttachmentLinkInvalidError: The token has expired or is not ours.
            AttachmentNotFoundError: There is no such attachment.
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
            AttachmentNotFoundError: There is no such attachment, or it is another owner's.
        """
        owner_of(context)
        check_id(attachment_id)
        try:
            return await self._metadata.load_attachment(attachment_id, context)
        except NotFoundError:
            raise AttachmentNotFoundError from None


def check_id(attachment_id: str) -> None:
    """Refuse what cannot be an id before it touches the storage.

    Raises:
        AttachmentNotFoundError: It cannot.
    """
    if not is_id(attachment_id):
        raise AttachmentNotFoundError
