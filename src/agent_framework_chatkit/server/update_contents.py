"""The kinds of contents in an agent's updates."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from agent_framework import AgentResponseUpdate


def is_plain_text(update: AgentResponseUpdate) -> bool:
    """Return whether an update is a piece of text that another one may continue."""
    if len(update.contents) != 1 or update.merge_mode == "replace":
        return False
    content = update.contents[0]
    return (
        content.type == "text"
        and not content.annotations
        and content.merge_mode != "replace"
        and _has_sound_text(content)
    )


def with_sound_texts(update: AgentResponseUpdate) -> AgentResponseUpdate:
    """Return an update without texts that are not strings, which nobody could read."""
    contents = [each for each in update.contents if _has_sound_text(each)]
    if len(contents) == len(update.contents):
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
    return isinstance(content.text or "", str)
