"""Makes untrusted file names harmless."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from ...text import mend_surrogates, without_hidden

MAX_BYTES = 255
"""The maximum size of a file name in common file systems."""
_MAX_EXTENSION_BYTES = 32
_RESERVED_CHARACTERS = re.compile(r'[<>:"|?*]')
_RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_EDGES = re.compile(r"^[\s.]+|[\s.]+$")
_NOT_IN_QUOTES = re.compile(r'[^ -~]|["\\%]')
_FALLBACK = "file"


def harmless_name(name: str) -> str:
    """Return a file name that is safe in file systems, pages and headers.

    Only the last part of a path is kept. Leading dots and characters that hide or reorder text are
    removed, characters and names that Windows reserves are replaced, and a long name is cut before
    its extension. If nothing remains, the name becomes `file`. A harmless name is not changed.
    """
    # Limit the work for a huge name.
    name = mend_surrogates(name[-4 * MAX_BYTES :])
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", without_hidden(name)))[-1]
    name = _mark_reserved(_strip(_RESERVED_CHARACTERS.sub("_", name)))
    # Cutting can make the name a reserved one.
    return _mark_reserved(_strip(without_hidden(_cut(name)))) or _FALLBACK


def _strip(name: str) -> str:
    # Windows drops trailing dots and spaces; a leading dot hides the file.
    return _EDGES.sub("", name)


def _mark_reserved(name: str) -> str:
    return f"_{name}" if _RESERVED_NAME.match(name) else name


def _cut(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _MAX_EXTENSION_BYTES:
        stem, dot, extension = name, "", ""
    room = MAX_BYTES - len(f"{dot}{extension}".encode())
    return _strip(stem.encode()[:room].decode(errors="ignore")) + dot + extension


def content_disposition(kind: str, name: str) -> str:
    """Return a `Content-Disposition` header (RFC 6266); `kind` is `inline` or `attachment`."""
    plain = _NOT_IN_QUOTES.sub("_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
