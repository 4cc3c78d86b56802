"""A tool that shows any widget, and what can be done in it."""

import asyncio
import json
from typing import Any

from agent_framework import FunctionInvocationContext, tool
from chatkit.errors import CustomStreamError
from chatkit.widgets import DynamicWidgetRoot

from agent_framework_chatkit import ThreadContext, action


@tool
async def show(ctx: FunctionInvocationContext, widget: str) -> str:
    """Show a widget."""
    root = DynamicWidgetRoot.model_validate_json(widget)
    await ThreadContext.of(ctx).stream_widget(root, copy_text="A widget")
    return "It is shown"


def text_card(text: str) -> DynamicWidgetRoot:
    children = [{"type": "Text", "value": text}]
    return DynamicWidgetRoot.model_validate({"type": "Card", "children": children})


@action("note")
async def note(payload: Any, context: ThreadContext[Any]) -> None:
    """Show what was sent after a while, and leave the widget as it is."""
    await asyncio.sleep((payload or {}).get("seconds", 0))
    await context.stream_widget(text_card(f"Noted: {json.dumps(payload)}"))


@action("replace", from_page=True)
async def replace(payload: Any, context: ThreadContext[Any]) -> None:
    """Show what was sent in place of the widget, after a while."""
    await asyncio.sleep((payload or {}).get("seconds", 0))
    await context.replace_widget(text_card(f"Replaced: {json.dumps(payload)}"))


@action("become", from_page=True)
async def become(payload: Any, context: ThreadContext[Any]) -> None:
    """Replace the widget with the one in the payload."""
    await context.replace_widget(DynamicWidgetRoot.model_validate(payload["widget"]))


@action("ask")
async def ask(payload: dict[str, str], context: ThreadContext[Any]) -> str:
    """Have the agent answer."""
    return payload["question"]


refused: set[str] = set()


@action("refuse")
async def refuse(payload: Any, context: ThreadContext[Any]) -> None:
    """Refuse once in each thread, in words of its own."""
    if context.thread.id not in refused:
        refused.add(context.thread.id)
        raise CustomStreamError("Sold out. Try again later.")
    await context.replace_widget(text_card(f"Taken: {json.dumps(payload)}"))


@action("break")
async def fail(payload: Any, context: ThreadContext[Any]) -> None:
    """Fail for a reason that is nobody's business."""
    raise RuntimeError("a secret")


ACTIONS = [note, replace, become, ask, refuse, fail]
