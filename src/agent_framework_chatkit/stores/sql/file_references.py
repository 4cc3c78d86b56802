"""References to attached files in stored messages, which would otherwise contain copies of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any

from agent_framework import Content
from chatkit.types import Attachment, FileAttachment

_TYPE = "attachment"


@dataclass(frozen=True)
class FileReference:
    """The attached file that a content was made of.

    Attributes:
        id: The attachment's ID.
        name: The file's name.
        mime_type: The file's MIME type.
        value: The text or the data URI of the content. A content with another one was changed.
        is_read: Whether the value is the file; otherwise, it only names it.
    """

    id: str
    name: str
    mime_type: str
    value: str
    is_read: bool = True

    @property
    def attachment(self) -> Attachment:
        """The attachment."""
        return FileAttachment(id=self.id, name=self.name, mime_type=self.mime_type)


def refer(content: Content, attachment: Attachment) -> None:
    """Note that a content was made of a file, so that a reference is stored in its place."""
    content.raw_representation = FileReference(
        attachment.id, attachment.name, attachment.mime_type, _value(content)
    )


def reference_of(content: Content) -> FileReference | None:
    """Return the file that a content was made of, unless the content was changed."""
    reference = content.raw_representation
    if isinstance(reference, FileReference) and _value(content) is reference.value:
        return reference
    return None


def reference_to_dict(reference: FileReference) -> dict[str, Any]:
    """Return a reference as JSON."""
    return {
        "type": _TYPE,
        "id": reference.id,
        "name": reference.name,
        "mime_type": reference.mime_type,
    }


def unread_file(data: Any) -> Content | None:
    """Return a text that names a file, from the JSON of a reference; `None` for other JSON."""
    if not isinstance(data, dict) or data.get("type") != _TYPE:
        return None
    reference = FileReference(data["id"], data["name"], data["mime_type"], "", is_read=False)
    return file_note(reference, "")


def file_note(reference: FileReference, note: str) -> Content:
    """Return a text that names a file and has a note in its place."""
    name, mime_type = escape(reference.name), escape(reference.mime_type)
    text = f'<ATTACHMENT name="{name}" type="{mime_type}">{note}</ATTACHMENT>'
    reference = replace(reference, value=text, is_read=False)
    return Content.from_text(text, raw_representation=reference)


def _value(content: Content) -> str:
    return (content.uri if content.type == "data" else content.text) or ""
