"""The scripted model of `turns.py`, which streams tokens at a steady rate, each with its due time.

The user message is the script, so every contestant runs the same model without any settings.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    Message,
    ResponseStream,
)

STAMP = re.compile(rb"@(\d{7})")
"""A token: its due time in units of 10 µs, reduced to seven digits."""

_UNITS = 100_000
"""The number of units in a second."""

_WRAP = 10**7


def prompt(tokens: int, rate: float) -> str:
    """Return the message that makes the model stream a number of tokens at a rate per second."""
    return f"{tokens} tokens, {rate:g} a second"


def lateness(stamp: str | bytes, now: float) -> float:
    """Return the lateness of a token, in milliseconds after its due time.

    Args:
        stamp: The digits of the token.
        now: The time of arrival from `time.monotonic`, which is the same in all processes.
    """
    units = (int(now * _UNITS) - int(stamp) + _WRAP // 2) % _WRAP - _WRAP // 2
    return units * 1000 / _UNITS


class ScriptedModel(BaseChatClient[Any]):
    """Streams the tokens that the last message requests."""

    def _inner_get_response(self, *, messages: Sequence[Message], **kwargs: Any) -> Any:
        tokens, rate = re.findall(r"[\d.]+", messages[-1].text)[-2:]
        return ResponseStream(
            _speak(int(tokens), float(rate)),
            finalizer=lambda updates: ChatResponse.from_updates(updates),
        )


async def _speak(tokens: int, rate: float) -> AsyncIterator[ChatResponseUpdate]:
    message_id = f"msg_{uuid4().hex}"
    started_at = time.monotonic()
    for number in range(tokens):
        due = started_at + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        text = f"@{int(due * _UNITS) % _WRAP:07}"
        yield ChatResponseUpdate(
            contents=[Content.from_text(text)], role="assistant", message_id=message_id
        )


agent = Agent(client=ScriptedModel(), name="assistant")
"""The agent of every contestant, also for `af-chatkit serve turns_model:agent`."""
