from __future__ import annotations

from typing import Any

from agent_framework import Content

from agent_framework_chatkit import AgentResponseConverter

from ..thread_client import update
from .shown import items


async def test_usage_is_reported_once_per_turn() -> None:
    reported = []

    class Converter(AgentResponseConverter):
        def on_usage(self, usage: Any) -> None:
            reported.append(dict(usage))

    def used(count: int, **properties: Any) -> Content:
        return Content.from_usage({"input_token_count": count}, **properties)

    await items(
        update(used(1), response_id="r1"),
        update(used(5, merge_mode="replace"), response_id="r1"),
        update(used(2), response_id="r2"),
        update(used(3), response_id="r2"),
        converter=Converter(),
    )
    assert reported == [{"input_token_count": 10}]
