from __future__ import annotations

import pytest

from agent_framework_chatkit.stores.attachments.media_types import served_type


@pytest.mark.parametrize(
    "mime_type",
    [
        "text/javascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/jscript",
        "text/livescript",
        "text/css",
        "application/wasm",
        "text/cache-manifest",
        "text/vbscript",
    ],
)
def test_active_content_is_served_as_unknown_type(mime_type: str) -> None:
    assert served_type(mime_type) == "application/octet-stream"


@pytest.mark.parametrize(
    "mime_type",
    [
        "text/plain",
        "text/markdown",
        "application/pdf",
        "text/html",
        "application/json",
        "image/png",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
)
def test_other_types_are_unchanged(mime_type: str) -> None:
    assert served_type(mime_type) == mime_type
