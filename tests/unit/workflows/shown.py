"""The visible parts of a workflow's items."""

from __future__ import annotations

from typing import Any


def shown(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the visible parts of items: the summaries of steps, and the texts of messages."""
    found = []
    for item in items:
        if item["type"] == "workflow":
            found.append(("steps", item["workflow"]["summary"].get("title", "")))
        else:
            content = item.get("content", ())
            found.append((item["type"], "".join(part["text"] for part in content)))
    return found
