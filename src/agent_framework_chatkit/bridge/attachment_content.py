"""Converts the bytes of attachments to content for the model."""

from __future__ import annotations

import asyncio
import codecs
from binascii import b2a_base64
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from email.message import EmailMessage
from html import escape
from typing import TypeAlias

from agent_framework import Content
from chatkit.types import Attachment

from ..text import MARKUP_STARTS, MAX_MARKUP, without_markup
from .overrides import MaybeAwaitable, resolve

AttachmentDataFetcher: TypeAlias = "Callable[[str], MaybeAwaitable[bytes]]"
"""Returns an attachment's bytes, given its ID."""

turn_files: ContextVar[Callable[[Attachment], Awaitable[Content]] | None] = ContextVar(
    "turn_files", default=None
)
"""Reads the files of the current turn, for converters without an `attachment_data_fetcher`."""

_TEXT_SUFFIXES = ("json", "csv", "xml", "yaml")
_STEP = 3 * 64 * 1024
"""The number of bytes that are converted before other tasks run; a multiple of base64's three."""

_UNSUITABLE = ("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna")
"""Charsets that browsers do not support either: decoders may be very slow, or give surrogates."""


async def file_content(
    attachment: Attachment, fetch: AttachmentDataFetcher | None
) -> Content | None:
    """Return a file as content for the model, or `None` if nothing gives its bytes."""
    if fetch is not None:
        return await attachment_content(await resolve(fetch(attachment.id)), attachment)
    read = turn_files.get()
    return None if read is None else await read(attachment)


async def attachment_content(
    data: bytes | AsyncIterable[bytes], attachment: Attachment, *, may_be_text: bool = True
) -> Content:
    """Return the bytes of an attachment as text that names the file, or as data.

    Args:
        data: The bytes, or chunks of them.
        attachment: The attachment.
        may_be_text: Whether a text file becomes text. Everything else becomes data.
    """
    mime_type = attachment.mime_type
    if may_be_text and _is_text(mime_type):
        return Content.from_text(await _text(_pieces(data), attachment.name, mime_type))
    uri = await _data_uri(_pieces(data), mime_type)
    return Content("data", uri=uri, media_type=mime_type, name=attachment.name)


async def _pieces(data: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield all bytes in pieces of `_STEP` and a shorter one, and let other tasks run."""
    rest = b""
    async for chunk in data if isinstance(data, AsyncIterable) else _once(data):
        begun = rest + chunk
        end = len(begun) - len(begun) % _STEP
        for start in range(0, end, _STEP):
            yield begun[start : start + _STEP]
            await asyncio.sleep(0)
        rest = begun[end:]
    yield rest


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


# A local string that grows with `+=` is not copied, while joined parts need twice as much memory.


async def _data_uri(pieces: AsyncIterable[bytes], mime_type: str) -> str:
    """Return a file as a data URI."""
    uri = f"data:{mime_type};base64,"
    async for piece in pieces:
        uri += b2a_base64(piece, newline=False).decode("ascii")
    return uri


def _is_text(mime_type: str) -> bool:
    """Return whether a file of this MIME type is text that a model can read."""
    main, _, sub = mime_type.partition(";")[0].strip().lower().partition("/")
    return main == "text" or sub.removeprefix("x-").rpartition("+")[2] in _TEXT_SUFFIXES


async def _text(pieces: AsyncIterable[bytes], name: str, mime_type: str) -> str:
    """Return a text file without our markup."""
    name, shown_type = (without_markup(escape(each)) for each in (name, mime_type))
    text = f'<ATTACHMENT name="{name}" type="{shown_type}">\n'
    decoder: codecs.IncrementalDecoder | None = None
    rest = ""
    async for piece in pieces:
        decoder = decoder or _decoder(piece, mime_type)
        read = rest + decoder.decode(piece)
        begun = max(map(read.rfind, MARKUP_STARTS))
        # The rest of our markup may follow.
        cut = max(begun, 0) if len(read) - MAX_MARKUP < begun else len(read)
        text += without_markup(read[:cut])
        rest = read[cut:]
    if decoder is not None:
        rest += decoder.decode(b"", final=True)
    text += without_markup(rest)
    text += "\n</ATTACHMENT>"
    return text


def _decoder(start: bytes, mime_type: str) -> codecs.IncrementalDecoder:
    """Return a decoder for a text file that starts with these bytes."""
    return codecs.getincrementaldecoder(_charset(start, mime_type))(errors="replace")


def _charset(start: bytes, mime_type: str) -> str:
    """Return the charset of a text file: that of its MIME type or of its BOM, or else UTF-8."""
    header = EmailMessage()
    header["content-type"] = mime_type
    has_utf16_bom = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    charset = header.get_content_charset("utf-16" if has_utf16_bom else "utf-8-sig")
    try:
        b" ".decode(charset, errors="replace")
        name = codecs.lookup(charset).name
    except (LookupError, UnicodeError):
        return "utf-8-sig"
    has_bom = has_utf16_bom or start.startswith(codecs.BOM_UTF32_BE)
    if name in ("utf-16", "utf-32") and not has_bom:
        return f"{name}-le"
    return "utf-8-sig" if name.replace("_", "-") in _UNSUITABLE else charset
