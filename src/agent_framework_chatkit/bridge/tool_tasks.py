"""Tasks that show tool calls and their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent_framework import Content
from chatkit.types import CustomTask, SearchTask

from ..text import code_block, mend_surrogates, readable_name, shorten
from .cards import FAILED_ICON
from .sources import queries_in, web_pages_in

MAX_DETAIL = 2_000
"""The maximum number of characters shown of code, arguments or results."""

_RUNNING = {"in_progress", "queued", "searching", "interpreting", "generating"}
_FAILED = {"failed", "incomplete", "cancelled"}


def is_running(result: Content | None) -> bool:
    """Return whether this result is from a tool that is still running."""
    return result is None or result.status in _RUNNING


def has_failed(result: Content | None) -> bool:
    """Return whether a result reports that its tool failed."""
    return result is not None and (result.exception is not None or result.status in _FAILED)


def tool_task(
    name: str | None, call: Content | None, result: Content | None, *, with_details: bool
) -> CustomTask:
    """Return the task of a function or an MCP server's tool.

    Args:
        name: The tool's name, if known.
        call: The call, if known.
        result: The result, once it arrives.
        with_details: Whether to show the arguments and the result.
    """
    details = None
    if with_details:
        details = _blocks(
            (_json((call.parse_arguments() or None) if call else None), "json"),
            (_result_text(result), ""),
        )
    if has_failed(result):
        details = f"Failed\n\n{details}" if details else "Failed"
    return CustomTask(
        title=readable_name(name or "") or "Tool",
        icon=_icon(result, None),
        content=details,
        status_indicator=_status(result),
    )


def search_task(call: Content | None, result: Content | None) -> SearchTask:
    """Return the task of a search, with its queries and the web pages it found."""
    found = [
        *((call.parse_arguments(),) if call else ()),
        *((result.result, result.items) if result else ()),
    ]
    tool = call or result
    return SearchTask(
        title=readable_name((tool.tool_name if tool else None) or "search"),
        queries=queries_in(found),
        sources=web_pages_in(found),
        status_indicator=_status(result),
    )


def code_task(call: Content | None, result: Content | None) -> CustomTask:
    """Return the task of a code interpreter, with the code and its output."""
    return CustomTask(
        title="Run code",
        icon=_icon(result, "square-code"),
        content=_blocks(
            (_texts(call.inputs) if call else "", "python"),
            (_texts(result.outputs) if result else "", ""),
        ),
        status_indicator=_status(result),
    )


def shell_task(call: Content | None, result: Content | None) -> CustomTask:
    """Return the task of a shell, with the commands and their output."""
    if result is None:
        outputs: Sequence[Any] = ()
    elif result.type == "shell_command_output":
        outputs = (result,)
    else:
        outputs = result.outputs or ()
    return CustomTask(
        title="Run commands",
        icon=_icon(result, "square-code"),
        content=_blocks(
            ("\n".join(call.commands or ()) if call else "", "sh"),
            *((_command_output(output), "") for output in outputs),
        ),
        status_indicator=_status(result),
    )


def computer_task(call: Content | None, result: Content | None) -> CustomTask:
    """Return the task of a tool that uses a computer, with its action."""
    actions = [str(action.get("type", "")) for action in (call.actions or ())] if call else []
    return CustomTask(
        title="Use the computer",
        icon=_icon(result, "desktop"),
        content=", ".join(readable_name(action) for action in actions if action) or None,
        status_indicator=_status(result),
    )


def _status(result: Content | None) -> Any:
    if is_running(result):
        return "loading"
    return "none" if has_failed(result) else "complete"


def _icon(result: Content | None, icon: str | None) -> Any:
    return FAILED_ICON if has_failed(result) else icon


def _blocks(*blocks: tuple[str, str]) -> str | None:
    """Return code blocks from pairs of code and language, without empty ones."""
    shown = [
        code_block(shorten(mend_surrogates(code), MAX_DETAIL), language)
        for code, language in blocks
        if code.strip()
    ]
    return "\n\n".join(shown) or None


def _texts(contents: Any) -> str:
    """Return the joined texts of contents."""
    if not isinstance(contents, Sequence) or isinstance(contents, str):
        return ""
    return "".join(
        content.text or ""
        for content in contents
        if isinstance(content, Content) and content.type == "text"
    )


def _command_output(output: Any) -> str:
    if not isinstance(output, Content):
        return ""
    lines = [output.stdout or "", output.stderr or ""]
    if output.timed_out:
        lines.append("(timed out)")
    elif output.exit_code:
        lines.append(f"(exit code {output.exit_code})")
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _json(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _result_text(result: Content | None) -> str:
    if result is None:
        return ""
    if result.type == "mcp_server_tool_result":
        output = result.output
        return _texts(output) or (output if isinstance(output, str) else "")
    return result.result if isinstance(result.result, str) else _json(result.result)
