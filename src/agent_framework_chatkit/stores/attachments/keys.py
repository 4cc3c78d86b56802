"""Storage keys. They contain IDs, never names, so that no key can point elsewhere."""

from __future__ import annotations

import hashlib
import re

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_id(attachment_id: str) -> bool:
    """Return whether a string has the format of an attachment ID, safe for use in a key."""
    return _ID.fullmatch(attachment_id) is not None


def file_key(attachment_id: str) -> str:
    """Return the key of a complete file."""
    return f"files/{attachment_id}"


def incoming_key(attachment_id: str) -> str:
    """Return the key of a file during its upload."""
    return f"incoming/{attachment_id}"


def owner_key(attachment_id: str) -> str:
    """Return the key of the note with an attachment's owner."""
    return f"owners/{attachment_id}"


def unsent_folder(owner: str) -> str:
    """Return the folder of the notes on an owner's unsent attachments."""
    return f"unsent/{hashlib.sha256(owner.encode()).hexdigest()}"


def unsent_key(owner: str, attachment_id: str) -> str:
    """Return the key of the note that an attachment is unsent."""
    return f"{unsent_folder(owner)}/{attachment_id}"
