"""Converts the bytes of attachments to content for the model."""

from __future__ import annotations

import asyncio
import codecs
from binascii import b2a_base64
from email.message import EmailMessage
from html import escape

from agent_framework import Content
from chatkit.types import Attachment

from ..text import MARKUP_STARTS, MAX_MARKUP, without_markup

_TEXT_SUFFIXES = ("json", "csv", "xml", "yaml")
_STEP = 3 * 64 * 1024
"""The number of bytes that are converted before other tasks run; a multiple of base64's three."""

_UNSUITABLE = ("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna")
"""Charsets that browsers do not support either: decoders may be very slow, or give surrogates."""


async def attachment_content(data: bytes, attachment: Attachment) -> Content:
    """Return the bytes of an attachment as data, or as text that names the file."""
    mime_type = attachment.mime_type
    if not _is_text(mime_type):
        uri = await _data_uri(data, mime_type)
        return Content("data", uri=uri, media_type=mime_type, name=attachment.name)
    return Content.from_text(await _text(data, attachment.name, mime_type))


# A local string that grows with `+=` is not copied, while joined parts need twice as much memory.


async def _data_uri(data: bytes, mime_type: str) -> str:
    """Return a file as a data URI, and let other tasks run in between."""
    uri = f"data:{mime_type};base64,"
    for start in range(0, len(data), _STEP):
        uri += b2a_base64(data[start : start + _STEP], newline=False).decode("ascii")
        await asyncio.sleep(0)
    return uri


def _is_text(mime_type: str) -> bool:
    """Return whether a file of this MIME type is text that a model can read."""
    main, _, sub = mime_type.partition(";")[0].strip().lower().partition("/")
    return main == "text" or sub.removeprefix("x-").rpartition("+")[2] in _TEXT_SUFFIXES


async def _text(data: bytes, name: str, mime_type: str) -> str:
    """Return a text file without our markup, and let other tasks run in between."""
    decoder = codecs.getincrementaldecoder(_charset(data, mime_type))(errors="replace")
    name, shown_type = (without_markup(escape(each)) for each in (name, mime_type))
    text = f'<ATTACHMENT name="{name}" type="{shown_type}">\n'
    rest = ""
    for start in range(0, len(data), _STEP):
        is_last = start + _STEP >= len(data)
        piece = rest + decoder.decode(data[start : start + _STEP], final=is_last)
        cut = len(piece)
        begun = max(map(piece.rfind, MARKUP_STARTS))
        if not is_last and cut - MAX_MARKUP < begun:
            # The rest of our markup may follow.
            cut = max(begun, 0)
        text += without_markup(piece[:cut])
        rest = piece[cut:]
        await asyncio.sleep(0)
    text += "\n</ATTACHMENT>"
    return text


def _charset(data: bytes, mime_type: str) -> str:
    """Return the charset of a text file: that of its MIME type or of its BOM, or else UTF-8."""
    header = EmailMessage()
    header["content-type"] = mime_type
    has_utf16_bom = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    charset = header.get_content_charset("utf-16" if has_utf16_bom else "utf-8-sig")
    try:
        b" ".decode(charset, errors="replace")
        name = codecs.lookup(charset).name
    except (LookupError, UnicodeError):
        return "utf-8-sig"
    if name in ("utf-16", "utf-32") and not (has_utf16_bom or data.startswith(codecs.BOM_UTF32_BE)):
        return f"{name}-le"
    return "utf-8-sig" if name.replace("_", "-") in _UNSUITABLE else charset
