"""MIME types of files: claimed types, accepted types, and types found in the first bytes."""

from __future__ import annotations

import re
from collections.abc import Collection

DEFAULT_ACCEPT = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "text/*",
    "application/json",
    "application/yaml",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.*",
    "application/vnd.oasis.opendocument.*",
)
"""The types accepted by default: images, text, PDF and office documents."""

PLAIN_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""Image types that browsers display and that cannot contain scripts, unlike SVG."""

UNKNOWN = "application/octet-stream"
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}

SNIFFED_BYTES = 512
"""The number of first bytes that `image_type` needs."""

_WORD = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"
_TYPE = re.compile(rf"{_WORD}/{_WORD}")
_PATTERN = re.compile(rf"\*/\*|{_WORD}/(\*|{_WORD}\*?)")
_ACTIVE = re.compile(r"script|css|wasm|java|importmap|speculationrules|manifest|/xsl|x-component")
_SOURCE_CODE = "c cc cpp cs css go h hpp java js jsx kt lua php pl py r rb rs sh sql swift ts tsx"
_BY_EXTENSION = {
    **dict.fromkeys(_SOURCE_CODE.split(), "text/plain"),
    **dict.fromkeys(("cfg", "ini", "jsonl", "log", "rst", "toml", "txt"), "text/plain"),
    **dict.fromkeys(("markdown", "md"), "text/markdown"),
    **dict.fromkeys(("yaml", "yml"), "application/yaml"),
    "csv": "text/csv",
    "json": "application/json",
    "tsv": "text/tab-separated-values",
}
"""The types of text files for which some browsers send no type."""


def media_type(claimed: str, name: str) -> str | None:
    """Return a file's claimed type without parameters, or `None` if it is not a valid type.

    Browsers send no type for many text files, such as Markdown; then the extension decides.
    """
    claimed = claimed.partition(";")[0].strip().lower() or UNKNOWN
    if claimed == UNKNOWN:
        claimed = _BY_EXTENSION.get(name.rpartition(".")[2].lower(), UNKNOWN)
    claimed = _ALIASES.get(claimed, claimed)
    return claimed if _TYPE.fullmatch(claimed) else None


def served_type(mime_type: str) -> str:
    """Return the type to serve a file with; never one that pages load, such as a script's."""
    return UNKNOWN if _ACTIVE.search(mime_type) else mime_type


def check_patterns(accept: Collection[str]) -> tuple[str, ...]:
    """Return type patterns in lower case.

    Raises:
        ValueError: If one is neither a type such as `image/png` nor a pattern such as `text/*`.
    """
    patterns = tuple(pattern.lower() for pattern in accept)
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern!r} is neither a MIME type nor a pattern such as 'text/*'.")
    return patterns


def is_accepted(mime_type: str, patterns: Collection[str]) -> bool:
    """Return whether a type matches one of the patterns."""
    return any(
        pattern == "*/*"
        or mime_type == pattern
        or (pattern.endswith("*") and mime_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def image_type(head: bytes) -> str | None:
    """Return the plain image type that these first bytes belong to, or `None`."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        # The box lists four-letter brands: the main one, its version, and compatible ones.
        box = head[8 : int.from_bytes(head[:4], "big")]
        brands = {box[start : start + 4] for start in range(0, len(box), 4) if start != 4}
        if brands & {b"avif", b"avis"}:
            return "image/avif"
    return None
