"""Converts the bytes of attachments to content for the model."""

from __future__ import annotations

import asyncio
import codecs
from email.message import EmailMessage
from html import escape

from agent_framework import Content
from chatkit.types import Attachment

from ..text import MARKUP_STARTS, MAX_MARKUP, without_markup

_TEXT_SUFFIXES = ("json", "csv", "xml", "yaml")
_STEP = 256 * 1024
"""The number of bytes of a text that are read before other tasks run."""


async def attachment_content(data: bytes, attachment: Attachment) -> Content:
    """Return the bytes of an attachment as data, or as text that names the file."""
    if not _is_text(attachment.mime_type):
        return Content.from_data(data, attachment.mime_type, name=attachment.name)
    name, mime_type = (
        without_markup(escape(each)) for each in (attachment.name, attachment.mime_type)
    )
    text = await _read(data, attachment.mime_type)
    return Content.from_text(
        f'<ATTACHMENT name="{name}" type="{mime_type}">\n{text}\n</ATTACHMENT>'
    )


def _is_text(mime_type: str) -> bool:
    """Return whether a file of this MIME type is text that a model can read."""
    main, _, sub = mime_type.partition(";")[0].strip().lower().partition("/")
    return main == "text" or sub.removeprefix("x-").rpartition("+")[2] in _TEXT_SUFFIXES


async def _read(data: bytes, mime_type: str) -> str:
    """Return a text file without our markup, and let other tasks run in between."""
    decoder = codecs.getincrementaldecoder(_charset(data, mime_type))(errors="replace")
    parts: list[str] = []
    rest = ""
    for start in range(0, len(data), _STEP):
        is_last = start + _STEP >= len(data)
        text = rest + decoder.decode(data[start : start + _STEP], final=is_last)
        cut = len(text)
        begun = max(map(text.rfind, MARKUP_STARTS))
        if not is_last and cut - MAX_MARKUP < begun:
            # The rest of our markup may follow.
            cut = max(begun, 0)
        parts.append(without_markup(text[:cut]))
        rest = text[cut:]
        await asyncio.sleep(0)
    return "".join(parts)


def _charset(data: bytes, mime_type: str) -> str:
    """Return the charset of a text file: that of its MIME type or of its BOM, or else UTF-8."""
    header = EmailMessage()
    header["content-type"] = mime_type
    has_utf16_bom = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    charset = header.get_content_charset("utf-16" if has_utf16_bom else "utf-8-sig")
    try:
        b" ".decode(charset, errors="replace")
    except LookupError:
        return "utf-8-sig"
    return charset
