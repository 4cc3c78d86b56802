"""The options of the full-page chat: the server's features and the app's own options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatkit.server import ChatKitServer

from ..server.agents import own_text
from ..server.server import AgentChatKitServer
from ..text import readable_name


def page_options(server: AgentChatKitServer[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the full-page chat for `<openai-chatkit>`.

    They enable uploads, models, tools and dictation if the server has them. The page's title is
    the agent's name, and its start screen shows the agent's name and description.

    Args:
        server: The chat server.
        given: The app's own options. Objects are merged; any other value replaces the default.
    """
    composer: dict[str, Any] = {}
    options: dict[str, Any] = {"composer": composer}
    start = {
        option: value
        for option, attribute in (("greeting", "name"), ("description", "description"))
        if (value := own_text(server.agent, attribute))
    }
    if start:
        options["startScreen"] = start
    if title := _title(given) or start.get("greeting"):
        options["frameTitle"] = title
    if server.attachment_store is not None:
        composer["attachments"] = {
            "enabled": True,
            "maxSize": server.attachment_store.max_size,
            "accept": {pattern: [] for pattern in sorted(server.attachment_store.accept)},
        }
        options["api"] = {"uploadStrategy": {"type": "direct", "uploadUrl": "attachments"}}
    if server.models:
        composer["models"] = [{"id": model, "label": model} for model in server.models]
    if server.agents.by_name:
        composer["models"] = server.agents.menu()
    if server.tools:
        composer["tools"] = [
            {"id": name, "label": readable_name(name), "icon": "settings-slider"}
            for name in server.tools
        ]
    if type(server).transcribe is not ChatKitServer.transcribe:
        composer["dictation"] = {"enabled": True}
    return _merged(options, given)


def _title(given: Mapping[str, Any]) -> str | None:
    """Return the header's title from the app's options, which is also the page's title."""
    value: Any = given
    for name in ("header", "title", "text"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None


def _merged(options: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(options)
    for name, value in given.items():
        known = merged.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            value = _merged(known, value)
        merged[name] = value
    return merged
