"""Citations as annotations."""

from __future__ import annotations

from typing import Any

import pytest
from agent_framework import Content
from chatkit.types import (
    Annotation,
    FileSource,
    URLSource,
)

from .shown import cite, items, message, nothing_shown


async def annotations_of(*citations: Any, said: str = "Paris is sunny.") -> list[Annotation]:
    (item,) = await items(Content.from_text(said, annotations=list(citations)))
    return message(item).content[0].annotations


async def test_web_citation() -> None:
    citation = cite(
        url="https://weather.test/paris",
        title="Paris",
        snippet="Sunny",
        annotated_regions=[{"type": "text_span", "start_index": 0, "end_index": 5}],
    )
    (annotation,) = await annotations_of(citation)
    assert annotation.index == 5
    assert annotation.source == URLSource(
        url="https://weather.test/paris", title="Paris", description="Sunny"
    )


async def test_web_citation_without_title_is_named_by_host() -> None:
    (annotation,) = await annotations_of(cite(url="https://weather.test/paris"))
    assert annotation.source.title == "weather.test"


@pytest.mark.parametrize(
    ("citation", "filename", "title"),
    [
        ({"file_id": "file_1", "url": "report.pdf"}, "report.pdf", "report.pdf"),
        ({"file_id": "file_1", "title": "The report"}, "The report", "The report"),
        ({"file_id": "file_1"}, "file_1", "file_1"),
        ({"url": "javascript:alert(1)", "title": "x"}, "javascript:alert(1)", "x"),
    ],
)
async def test_file_citation(citation: Any, filename: str, title: str) -> None:
    (annotation,) = await annotations_of({"type": "citation", **citation})
    assert annotation.source == FileSource(filename=filename, title=title)


@pytest.mark.parametrize(
    ("citation", "index"),
    [
        ({}, 15),
        ({"additional_properties": {"index": 3}}, 3),
        ({"annotated_regions": [{"type": "text_span", "start_index": 0, "end_index": 999}]}, 15),
        ({"annotated_regions": [{"type": "text_span", "start_index": 0, "end_index": -4}]}, 15),
        ({"annotated_regions": [{"end_index": 2}, {"end_index": 7}]}, 7),
    ],
    ids=["no span", "file index", "past the end", "before the start", "the last of many"],
)
async def test_position_of_citation(citation: Any, index: int) -> None:
    (annotation,) = await annotations_of(cite(url="https://weather.test", **citation))
    assert annotation.index == index


async def test_citation_without_source_is_skipped() -> None:
    assert await annotations_of(cite()) == []


async def test_citation_after_its_text_is_shown_once() -> None:
    citation = cite(url="https://weather.test")
    late = Content.from_text("", annotations=[citation])
    (item,) = await items(Content.from_text("Sunny."), late, late)
    assert len(message(item).content[0].annotations) == 1


async def test_citation_without_a_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    citation = cite(url="https://weather.test")
    assert nothing_shown(await items(Content.from_text("", annotations=[citation])))
    assert "weather.test" in caplog.text
