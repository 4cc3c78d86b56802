"""A tool call whose outcome is not known yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import copy
from typing import Literal

from agent_framework import Content

from .activity_writer import ShownTask
from .pace import Pace
from .tool_tasks import is_running

ToolKind = Literal[
    "function", "mcp_tool", "search_tool", "code_interpreter", "shell_tool", "computer_tool"
]

CALLS: dict[str, ToolKind] = {
    "function_call": "function",
    "mcp_server_tool_call": "mcp_tool",
    "search_tool_call": "search_tool",
    "code_interpreter_tool_call": "code_interpreter",
    "shell_tool_call": "shell_tool",
    "computer_tool_call": "computer_tool",
}
"""The types of content that call a tool."""

RESULTS: dict[str, ToolKind] = {
    "function_result": "function",
    "mcp_server_tool_result": "mcp_tool",
    "search_tool_result": "search_tool",
    "code_interpreter_tool_result": "code_interpreter",
    "shell_tool_result": "shell_tool",
    "shell_command_output": "shell_tool",
    "computer_tool_result": "computer_tool",
}
"""The types of content that contain a result."""

_FRAGMENTED = ("function", "code_interpreter")
"""The kinds of tools whose calls arrive in fragments."""


class ToolCall:
    """A tool call and its result, as received so far."""

    def __init__(self, kind: ToolKind) -> None:
        self.kind = kind
        self.result: Content | None = None
        self.shown: ShownTask | None = None
        """The task that shows the call, once there is one."""
        self._content: Content | None = None
        """The first fragment of the call; `None` for a result without a call."""
        self._texts: list[str] = []
        """The fragments of the arguments or the code."""
        self._length = 0
        self._pace = Pace()

    @property
    def name(self) -> str:
        """The tool's name, if it is a function."""
        return (self._content.name or "") if self._content is not None else ""

    @property
    def is_finished(self) -> bool:
        """Whether the tool returned."""
        return not is_running(self.result)

    @property
    def needs_result(self) -> bool:
        """Whether the run must produce the result, because no service runs the tool."""
        call = self._content
        return (
            self.kind == "function"
            and call is not None
            and not (call.informational_only or call.hosted)
        )

    def has_call(self, kind: ToolKind, content: Content) -> bool:
        """Return whether a call is this call again, or a fragment of it."""
        if kind != self.kind or (content.name and self.name and content.name != self.name):
            return False
        if content.call_id and self.call_id:
            return content.call_id == self.call_id
        return kind in _FRAGMENTED

    def has_result(self, kind: ToolKind, content: Content) -> bool:
        """Return whether a result belongs to this call; without an ID, it is the last call's."""
        if kind != self.kind:
            return False
        return not content.call_id or not self.call_id or content.call_id == self.call_id

    def add_call(self, content: Content) -> bool:
        """Add a call or a fragment of it, and return whether to show the call again."""
        is_new = self._content is None
        if is_new or self.kind not in _FRAGMENTED:
            self._content = content
        text = _text(content)
        # A call that needs approval arrives again after its fragments.
        is_whole = content.merge_mode == "replace" or bool(content.user_input_request)
        if text is not None:
            if is_whole:
                self._texts, self._length = [], 0
            self._texts.append(text)
            self._length += len(text)
        return self._pace.is_due(self._length) or is_new or is_whole

    def add_result(self, content: Content) -> None:
        """Add a result; outputs that arrive one by one are collected."""
        earlier = self.result
        if (
            earlier is not None
            and content.merge_mode != "replace"
            and isinstance(earlier.outputs, Sequence)
            and isinstance(content.outputs, Sequence)
        ):
            outputs = [*earlier.outputs, *content.outputs]
            content = copy(content)
            content.outputs = outputs
        self.result = content

    def whole(self) -> Content | None:
        """Return the call with the arguments or code received so far."""
        if self._content is None or not self._texts:
            return self._content
        self._texts = ["".join(self._texts)]
        whole = copy(self._content)
        if self.kind == "code_interpreter":
            whole.inputs = [Content.from_text(self._texts[0])]
        else:
            whole.arguments = self._texts[0]
        return whole

    @property
    def call_id(self) -> str | None:
        """The call's ID, if the service sent one."""
        known = self._content or self.result
        return known.call_id if known is not None else None


def _text(content: Content) -> str | None:
    """Return the arguments or code in a call or fragment; `None` if it has none."""
    if content.type == "code_interpreter_tool_call":
        texts = [part.text for part in content.inputs or () if part.type == "text" and part.text]
        return "".join(texts) if texts else None
    if content.type == "function_call" and content.arguments:
        arguments = content.arguments
        return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)
    return None
