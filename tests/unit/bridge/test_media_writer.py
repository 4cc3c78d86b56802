"""Images and other files."""

from __future__ import annotations

import pytest
from agent_framework import Content
from chatkit.types import (
    FileSource,
    FileTask,
    GeneratedImageItem,
)

from agent_framework_chatkit import AgentResponseConverter

from ..thread_client import items_of
from .shown import PNG, events, items, tasks


@pytest.mark.parametrize(
    "content",
    [
        Content.from_uri("https://files.test/a.png", media_type="image/png"),
        Content.from_data(b"\x89PNG", "image/png"),
        Content("uri", uri="https://files.test/a.png"),
    ],
)
async def test_image(content: Content) -> None:
    (item,) = await items(content)
    assert isinstance(item, GeneratedImageItem)
    assert item.image is not None
    assert item.image.url == content.uri


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "file:///etc/passwd", "", "not a url"])
async def test_other_data_is_shown_as_file(uri: str, caplog: pytest.LogCaptureFixture) -> None:
    (task,) = await tasks(Content("uri", uri=uri, media_type="image/png"))
    assert isinstance(task, FileTask)
    assert "is not an image" in caplog.text


async def test_partial_images() -> None:
    def partial(index: int) -> Content:
        image = Content.from_uri(
            PNG, additional_properties={"is_partial_image": True, "partial_image_index": index}
        )
        return Content.from_image_generation_tool_result(image_id="i", outputs=image)

    final = Content.from_image_generation_tool_result(image_id="i", outputs=[Content.from_uri(PNG)])
    sent = await events(
        Content.from_image_generation_tool_call(image_id="i"),
        partial(0),
        partial(1),
        final,
        converter=AgentResponseConverter(partial_images=2),
    )
    assert [event.type for event in sent] == [
        "thread.item.added",
        "thread.item.updated",
        "thread.item.updated",
        "thread.item.done",
    ]
    assert [event.update.progress for event in sent[1:3]] == [0.0, 0.5]
    items_of(sent)


async def test_image_without_content_is_removed() -> None:
    sent = await events(Content.from_image_generation_tool_call(image_id="i"))
    assert [event.type for event in sent] == ["thread.item.added", "thread.item.removed"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (Content.from_data(b"x", "application/pdf", name="a.pdf"), "a.pdf"),
        (Content.from_data(b"x", "application/pdf"), "file.pdf"),
        (Content.from_uri("http://x.test/d/my%20a.pdf?x", media_type="a/pdf"), "my a.pdf"),
        (Content.from_hosted_file("file_1", name="b.txt"), "b.txt"),
        (Content.from_hosted_file("file_1"), "file_1"),
        (Content.from_hosted_vector_store("vs_1"), "vs_1"),
    ],
)
async def test_file(content: Content, name: str) -> None:
    (task,) = await tasks(content)
    assert isinstance(task, FileTask)
    assert task.title == name
    assert task.sources == [FileSource(filename=name, title=name)]


async def test_file_on_web_can_be_opened() -> None:
    url = "https://x.test/d/my%20a.pdf?x"
    (task,) = await tasks(Content.from_uri(url, media_type="application/pdf"))
    assert isinstance(task, FileTask)
    (source,) = task.sources
    assert (source.title, source.description) == ("my a.pdf", url)
