"""Where things are in the storage. Keys are made of ids, never of names, so none leads astray."""

from __future__ import annotations

import hashlib
import re

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_id(attachment_id: str) -> bool:
    """Return whether this can be an attachment's id, and a part of a key."""
    return _ID.fullmatch(attachment_id) is not None


def file_key(attachment_id: str) -> str:
    """Return where a whole file is."""
    return f"files/{attachment_id}"


def incoming_key(attachment_id: str) -> str:
    """Return where a file is while it arrives."""
    return f"incoming/{attachment_id}"


def owner_key(attachment_id: str) -> str:
    """Return where the owner is noted."""
    return f"owners/{attachment_id}"


def unsent_folder(owner: str) -> str:
    """Return where the owner's attachments are noted that have not been sent."""
    return f"unsent/{hashlib.sha256(owner.encode()).hexdigest()}"


def unsent_key(owner: str, attachment_id: str) -> str:
    """Return where it is noted that an attachment has not been sent."""
    return f"{unsent_folder(owner)}/{attachment_id}"
