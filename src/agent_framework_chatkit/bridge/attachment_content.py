"""Converts the bytes of attachments to content for the model."""

from __future__ import annotations

import codecs
from email.message import EmailMessage
from html import escape

from agent_framework import Content
from chatkit.types import Attachment

from ..text import without_markup

_TEXT_SUFFIXES = ("json", "csv", "xml", "yaml")


def attachment_content(data: bytes, attachment: Attachment) -> Content:
    """Return the bytes of an attachment as data, or as text that names the file."""
    if not _is_text(attachment.mime_type):
        return Content.from_data(data, attachment.mime_type, name=attachment.name)
    name, mime_type = (
        without_markup(escape(each)) for each in (attachment.name, attachment.mime_type)
    )
    text = without_markup(_decode(data, attachment.mime_type))
    return Content.from_text(
        f'<ATTACHMENT name="{name}" type="{mime_type}">\n{text}\n</ATTACHMENT>'
    )


def _is_text(mime_type: str) -> bool:
    """Return whether a file of this MIME type is text that a model can read."""
    main, _, sub = mime_type.partition(";")[0].strip().lower().partition("/")
    return main == "text" or sub.removeprefix("x-").rpartition("+")[2] in _TEXT_SUFFIXES


def _decode(data: bytes, mime_type: str) -> str:
    """Decode a text file by the charset of its MIME type, its BOM, or else as UTF-8."""
    header = EmailMessage()
    header["content-type"] = mime_type
    has_utf16_bom = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    charset = header.get_content_charset("utf-16" if has_utf16_bom else "utf-8-sig")
    try:
        return data.decode(charset, errors="replace")
    except LookupError:
        return data.decode("utf-8-sig", errors="replace")
