"""The web pages and files that an agent cites or finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from agent_framework import Annotation as Citation
from agent_framework import Content
from chatkit.types import Annotation, FileSource, URLSource

from ..text import mend_surrogates, shorten, visible


def is_web_url(url: str) -> bool:
    """Return whether this is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def web_address(link: str) -> str | None:
    """Return the host and port of an https link, in ASCII so that no letter looks like another.

    Returns:
        The address, or `None` if the link is of another kind, or if a browser might read another
        host in it.
    """
    try:
        parts = urlsplit(link)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    is_plain = link.isprintable() and not set(parts.netloc) & set("@\\")
    if parts.scheme != "https" or not host or not is_plain:
        return None
    return host if port is None else f"{host}:{port}"


def cited(citation: Citation) -> Annotation | None:
    """Return a citation as an annotation, or `None` if it has no source."""
    url = mend_surrogates(citation.get("url") or "")
    title = mend_surrogates(citation.get("title") or "")
    description = mend_surrogates(citation.get("snippet") or "") or None
    index = _span_end(citation)
    if is_web_url(url):
        page = URLSource(url=url, title=title or urlsplit(url).netloc, description=description)
        return Annotation(source=page, index=index)
    filename = visible(url or title or citation.get("file_id") or "", in_name=True)
    if not filename:
        return None
    file = FileSource(
        filename=filename,
        title=visible(title, in_name=True) or filename,
        description=description,
    )
    return Annotation(source=file, index=index)


def queries_in(found: Any) -> list[str]:
    """Return the queries of a search."""
    queries: dict[str, None] = {}
    for mapping in _mappings(found):
        for key in ("query", "queries"):
            value = mapping.get(key)
            for query in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(query, str) and query.strip():
                    queries[shorten(mend_surrogates(query), 500)] = None
    return list(queries)


def web_pages_in(found: Any) -> list[URLSource]:
    """Return the web pages that a search found, without duplicates."""
    pages: dict[str, URLSource] = {}
    for mapping in _mappings(found):
        url = mapping.get("url") or mapping.get("uri")
        if isinstance(url, str) and is_web_url(url := mend_surrogates(url)):
            title = mapping.get("title")
            title = mend_surrogates(title) if isinstance(title, str) else ""
            pages[url] = URLSource(url=url, title=title or urlsplit(url).netloc)
    return list(pages.values())


def _span_end(citation: Citation) -> int | None:
    ends = [
        region["end_index"]
        for region in citation.get("annotated_regions") or ()
        if isinstance(region.get("end_index"), int)
    ]
    if ends:
        return max(ends)
    index = (citation.get("additional_properties") or {}).get("index")
    return index if isinstance(index, int) else None


def _mappings(value: Any, depth: int = 6) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping within a value, because each provider nests results differently."""
    if isinstance(value, Content):
        yield {"url": value.uri, "title": value.name}
        yield from _mappings(value.additional_properties, depth - 1)
    elif isinstance(value, Mapping):
        yield value
        if depth:
            for child in value.values():
                yield from _mappings(child, depth - 1)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and depth:
        for child in value:
            yield from _mappings(child, depth - 1)
