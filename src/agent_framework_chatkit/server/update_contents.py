"""The kinds of contents in an agent's updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from agent_framework import AgentResponseUpdate, Content


def is_plain_text(update: AgentResponseUpdate) -> bool:
    """Return whether an update is a piece of text that another one may continue."""
    contents: Sequence[Any] | None = update.contents
    if contents is None or len(contents) != 1 or update.merge_mode == "replace":
        return False
    content = contents[0]
    return (
        getattr(content, "type", "") == "text"
        and not content.annotations
        and content.merge_mode != "replace"
        and _has_sound_text(content)
    )


def with_sound_contents(update: AgentResponseUpdate) -> AgentResponseUpdate:
    """Return an update without what is not a content or has a text that is not a string."""
    given: Sequence[Any] | None = update.contents
    contents = [each for each in given or () if _has_sound_text(each)]
    if given is not None and len(contents) == len(given):
        return update
    sound = copy(update)
    sound.contents = contents
    return sound


def is_refusal(properties: Mapping[str, Any]) -> bool:
    """Return whether the properties of a content mark it as a refusal to answer."""
    core = properties.get("core")
    kind = (core if isinstance(core, Mapping) else properties).get("model_output_kind")
    return bool(kind == "refusal")


def _has_sound_text(content: Any) -> bool:
    return isinstance(content, Content) and isinstance(content.text or "", str)
