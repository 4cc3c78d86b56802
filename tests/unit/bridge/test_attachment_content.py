from __future__ import annotations

import codecs
import logging
from typing import Any

import pytest

from agent_framework_chatkit import ThreadItemConverter

from .example_items import convert, file, image, user


@pytest.mark.parametrize(
    ("mime_type", "data", "text"),
    [
        ("text/csv", b"a,b\n1,2", "a,b\n1,2"),
        ("application/json", b'{"a": 1}', '{"a": 1}'),
        ("application/vnd.api+json", b"{}", "{}"),
        ("application/x-yaml", b"a: 1", "a: 1"),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        ("text/plain; charset=latin-1", "café".encode("latin-1"), "café"),
        ("text/plain; charset=unheard-of", "café".encode(), "café"),
        ("text/plain", "\ufeffcafé".encode(), "café"),
        ("text/plain", "café".encode("utf-16"), "café"),
        ("text/plain", b"caf\xff", "caf\N{REPLACEMENT CHARACTER}"),
        ("text/plain; charset=utf-16", "café".encode("utf-16-le"), "café"),
        ("text/plain; charset=utf-16", "café".encode("utf-16"), "café"),
        ("text/plain; charset=utf-32", "café".encode("utf-32-le"), "café"),
        ("text/plain; charset=utf-32", codecs.BOM_UTF32_BE + "café".encode("utf-32-be"), "café"),
        # These decoders are slow, or give lone surrogates.
        ("text/plain; charset=punycode", b"abc-xyz", "abc-xyz"),
        ("text/plain; charset=idna", b"xn--caf-dma", "xn--caf-dma"),
        ("text/plain; charset=unicode_escape", rb"\ud800", r"\ud800"),
        ("text/plain; charset=raw_unicode_escape", rb"\ud800", r"\ud800"),
        ("text/plain; charset=utf-7", b"+2AA-", "+2AA-"),
    ],
)
async def test_text_file_is_sent_as_text(mime_type: str, data: bytes, text: str) -> None:
    async def fetch(attachment_id: str) -> bytes:
        assert attachment_id == "atc_1"
        return data

    item = user("Read", attachments=[file('a "b".txt', mime_type)])
    (message,) = await convert(item, converter=ThreadItemConverter(fetch))
    assert [content.type for content in message.contents] == ["text", "text"]
    name = f'name="a &quot;b&quot;.txt" type="{mime_type}"'
    assert message.contents[1].text == f"<ATTACHMENT {name}>\n{text}\n</ATTACHMENT>"


async def test_other_files_are_sent_as_data() -> None:
    converter = ThreadItemConverter(attachment_data_fetcher=lambda _: b"%PDF")
    item = user(attachments=[file("a.pdf", "application/pdf"), image()])
    (message,) = await convert(item, converter=converter)
    assert [(content.type, content.media_type) for content in message.contents] == [
        ("data", "application/pdf"),
        ("data", "image/png"),
    ]
    assert message.contents[0].uri == "data:application/pdf;base64,JVBERg=="


async def test_image_without_bytes_is_sent_by_preview_url(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fetch(attachment_id: str) -> bytes:
        raise OSError("the disk is gone")

    nothing: Any = ThreadItemConverter(attachment_data_fetcher=lambda _: None)  # type: ignore[arg-type, return-value]
    item = user("Look", attachments=[file(), image()])
    for converter in (ThreadItemConverter(), ThreadItemConverter(fetch), nothing):
        caplog.clear()
        (message,) = await convert(item, converter=converter)
        assert [content.type for content in message.contents] == ["text", "uri"]
        assert message.contents[1].uri == "https://files.test/cat.png"
        assert any(
            record.levelno == logging.WARNING and "atc_1" in record.getMessage()
            for record in caplog.records
        )
