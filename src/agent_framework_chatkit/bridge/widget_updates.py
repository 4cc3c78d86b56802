"""The updates between two states of a widget."""

from __future__ import annotations

from typing import Any

from chatkit.server import diff_widget
from chatkit.types import ThreadItemUpdate, WidgetItem, WidgetRootUpdated
from chatkit.widgets import DynamicWidgetRoot, WidgetRoot

from .item_updates import apply_update

MAX_DEPTH = 64
"""The maximum nesting of components, which is also the maximum that clients draw.

Pydantic parses at most 200 levels of JSON, and takes longer with each level of a widget.
"""


def check_depth(widget: WidgetRoot) -> None:
    """Check that a widget can be loaded again and drawn.

    Raises:
        ValueError: If its components are nested too deeply.
    """
    level: list[Any] = [widget]
    for _ in range(MAX_DEPTH):
        children = [getattr(component, "children", None) or [] for component in level]
        level = [
            child for each in children for child in (each if isinstance(each, list) else [each])
        ]
        if not level:
            return
    raise ValueError(f"A widget is at most {MAX_DEPTH} components deep.")


def widget_updates(before: WidgetRoot, after: WidgetRoot) -> list[ThreadItemUpdate]:
    """Return the updates that turn one widget into another.

    Growing text in a `Text` or `Markdown` with a unique ID is sent as deltas. For any other
    change, the whole widget is sent.

    Raises:
        ValueError: If the second widget is too deep.
    """
    check_depth(after)
    old, new = _plain(before), _plain(after)
    held = WidgetItem.model_construct(widget=old.model_copy(deep=True))
    updates: list[ThreadItemUpdate] = []
    try:
        for update in diff_widget(old, new):
            updates.append(update)
            apply_update(held, update)
    except AttributeError:
        # ChatKit reads a property that only the other component has.
        held.widget = old
    if _shown(held.widget) == _shown(new):
        return updates
    return [WidgetRootUpdated(widget=after)]


def _plain(widget: WidgetRoot) -> DynamicWidgetRoot:
    """Return a widget in the class that templates create; stores load other classes."""
    return DynamicWidgetRoot.model_validate(widget.model_dump(mode="json", exclude_unset=True))


def _shown(widget: WidgetRoot) -> Any:
    return _without_ended_streams(widget.model_dump())


def _without_ended_streams(value: Any) -> Any:
    """Remove `streaming: false`, which is the default."""
    if isinstance(value, list):
        return [_without_ended_streams(each) for each in value]
    if isinstance(value, dict):
        return {
            name: _without_ended_streams(each)
            for name, each in value.items()
            if name != "streaming" or each
        }
    return value
