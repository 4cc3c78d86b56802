"""Limits on the number and the nesting of a request's values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_framework_chatkit.server.requests import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    RequestTooComplexError,
    check_complexity,
    digest_of,
    parse_request,
)

from ..chat_client import message
from ..sized_chat import chat, status


def listing(metadata: str) -> bytes:
    return b'{"type":"threads.list","params":{},"metadata":{"a":%b}}' % metadata.encode()


@pytest.mark.parametrize(
    "body",
    [
        listing("[" + ",".join(["[]"] * 300_000) + "]"),
        listing("[" + ",".join(["[]"] * 30_000) + "]"),
        listing("[" + ",".join(["0"] * 30_000) + "]"),
        listing("{" + ",".join(f'"{i}":0' for i in range(15_000)) + "}"),
        listing("[" + ",".join(['""'] * 30_000) + "]"),
        # This holds for invalid JSON too.
        listing('",' * 90_000),
        listing("[" * 101 + "]" * 101),
        listing("[" * 200_000),
        listing('{"a":' * 101 + "0" + "}" * 101),
        listing('["\\\\",' * 101 + "0" + "]" * 101),
    ],
    ids=lambda body: f"{body[40:60]!r} {len(body)}",
)
async def test_request_with_many_or_deep_values_is_rejected(body: bytes, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        assert await status(browser, body) == 413
        await browser.ask("And now?")


@pytest.mark.parametrize(
    "words",
    [
        "," * 100_000,
        "[" * 100_000,
        '["a", {"b": 1}]' * 10_000,
        '"' * 100_000,
        "\\" * 100_000,
        '\\"[' * 100_000,
        "a,b\n" * 50_000,
    ],
    ids=lambda words: words[:8],
)
async def test_text_can_contain_anything(words: str, tmp_path: Path) -> None:
    async with chat(tmp_path) as browser:
        await browser.ask(words)
        assert (await browser.items())[0]["content"][0]["text"] == words


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def marks_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(2 + marks_of(each) for each in value.values())
    return 1 + sum(1 + marks_of(each) for each in value) if isinstance(value, list) else 0


@given(value=JSON, limit=st.integers(1, 40), deepest=st.integers(1, 5))
def test_values_inside_text_do_not_count(value: Any, limit: int, deepest: int) -> None:
    body = json.dumps(value)
    with pytest.MonkeyPatch.context() as patched:
        module = "agent_framework_chatkit.server.requests"
        patched.setattr(f"{module}.MAX_ELEMENTS", limit)
        patched.setattr(f"{module}.MAX_DEPTH", deepest)
        try:
            check_complexity(body)
        except RequestTooComplexError:
            assert marks_of(value) > limit or depth_of(value) > deepest
        else:
            assert depth_of(value) <= deepest
            # No comma follows the last value of a list or object.
            assert marks_of(value) <= 2 * limit + 1


def test_limit_itself_is_allowed() -> None:
    check_complexity("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    check_complexity(b"[" + b"0," * (MAX_ELEMENTS - 1) + b"0]")
    with pytest.raises(RequestTooComplexError, match="many"):
        check_complexity(bytearray(b"[" + b"0," * MAX_ELEMENTS + b"0]"))
    with pytest.raises(RequestTooComplexError, match="deep"):
        check_complexity("[" * (MAX_DEPTH + 1))


def digest(kind: str, metadata: Any = None, **params: Any) -> str:
    body = {"type": kind, "params": {"thread_id": "t", **params}, "metadata": metadata or {}}
    return digest_of(parse_request(json.dumps(body)))


def sent(text: str, **properties: Any) -> str:
    return digest("threads.add_user_message", input=message(text, **properties))


def test_digest_is_the_same_for_the_same_message() -> None:
    files = ["f1", "f2"]
    assert digest("threads.create", {"page_id": "p"}, input=message(" Hi you\n")) == sent("Hi you")
    assert sent("Hi", inference_options={"model": "a"}) == sent("Hi")
    assert sent("Hi", attachments=files) == sent("Hi", attachments=files[::-1])
    assert sent("Hi", quoted_text="") == sent("Hi", quoted_text=None)


def test_digest_differs_for_other_requests() -> None:
    yes, no = ({"type": "answer", "payload": {"yes": each}} for each in (True, False))
    answers = [
        {"status": "answered", "answers": {"q": {"values": [value]}}} for value in ("1", "2")
    ]
    digests = [
        sent("Hi"),
        sent("Hi you"),
        sent("Hi", attachments=["f1"]),
        sent("Hi", quoted_text="Hello"),
        digest("threads.retry_after_item", item_id="m1"),
        digest("threads.retry_after_item", item_id="m2"),
        digest("threads.retry_after_item", {"input": message("Hi")}, item_id="m1"),
        *(digest("threads.custom_action", item_id="w", action=each) for each in (yes, no)),
        digest("threads.custom_action", item_id="v", action=yes),
        *(digest("threads.add_structured_input", item_id="q", input=each) for each in answers),
        digest("threads.add_client_tool_output", result="Oslo"),
    ]
    assert len(set(digests)) == len(digests)
