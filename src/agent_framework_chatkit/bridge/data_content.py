"""Content that contains or refers to a file: its name, and whether it is an image."""

from __future__ import annotations

import mimetypes
from urllib.parse import unquote, urlsplit

from agent_framework import Content


def is_image(content: Content) -> bool:
    """Return whether `data` or `uri` content is an image, by its type or extension."""
    media_type = content.media_type or mimetypes.guess_type(content.uri or "")[0] or ""
    return media_type.partition("/")[0].strip().lower() == "image"


def file_name(content: Content) -> str:
    """Return a file's name, or another way to identify a file without one."""
    properties = content.additional_properties or {}
    for name in (content.name, properties.get("filename"), properties.get("name")):
        if isinstance(name, str) and name:
            return name
    if content.type == "uri" and content.uri:
        path = unquote(urlsplit(content.uri).path)
        return path.rsplit("/", 1)[-1] or content.uri
    if content.type == "data" and content.media_type:
        return f"file{mimetypes.guess_extension(content.media_type) or ''}"
    return content.file_id or content.vector_store_id or "file"
