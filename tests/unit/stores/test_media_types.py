from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit.stores.attachments.media_types import (
    DEFAULT_ACCEPT,
    check_patterns,
    image_type,
    is_accepted,
    media_type,
)

from .files import IMAGES


@pytest.mark.parametrize(
    ("claimed", "name", "found"),
    [
        ("Text/Plain; charset=utf-8", "a.md", "text/plain"),
        ("image/jpg", "a", "image/jpeg"),
        ("", "README.MD", "text/markdown"),
        ("application/octet-stream", "a.py", "text/plain"),
        ("", "a.bin", "application/octet-stream"),
        ("", "", "application/octet-stream"),
        ("image", "a.png", None),
        ("image/png\r\nX: y", "a.png", None),
        ("image/*", "a.png", None),
        ("text/" + "x" * 10_000, "a", None),
        ("tëxt/plain", "a", None),
    ],
)
def test_claimed_media_type(claimed: str, name: str, found: str | None) -> None:
    assert media_type(claimed, name) == found


@pytest.mark.parametrize(
    ("mime_type", "accepted"),
    [
        ("image/png", True),
        ("image/svg+xml", False),
        ("text/html", True),
        ("textile/x", False),
        ("application/pdf", True),
        ("application/x-msdownload", False),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", True),
    ],
)
def test_accepted_types(mime_type: str, accepted: bool) -> None:
    assert is_accepted(mime_type, check_patterns(DEFAULT_ACCEPT)) is accepted
    assert is_accepted(mime_type, ["*/*"])


@pytest.mark.parametrize("pattern", ["", "image", "*", "*/png", "image/", "im age/png", "a/b;c"])
def test_pattern_is_checked(pattern: str) -> None:
    with pytest.raises(ValueError, match="MIME type"):
        check_patterns([pattern])


def test_string_is_not_list_of_patterns() -> None:
    with pytest.raises(ValueError, match="MIME type"):
        check_patterns("image/png")


@pytest.mark.parametrize(("mime_type", "data"), IMAGES.items())
def test_images_are_recognized_by_first_bytes(mime_type: str, data: bytes) -> None:
    assert image_type(data) == mime_type


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x10ftypmif1avif",  # At the position of the version.
        b"\0\0\0\0ftypavif",
    ],
)
def test_other_images_are_not_plain(data: bytes) -> None:
    assert image_type(data) is None


@given(st.binary(max_size=64))
def test_any_bytes_can_be_inspected(data: bytes) -> None:
    assert image_type(b"\0\0\0\x20ftyp" + data) in {None, "image/avif"}
    image_type(data)
