"""What leads a client from one state of a widget to the next."""

from __future__ import annotations

from typing import Any

from chatkit.server import diff_widget
from chatkit.types import ThreadItemUpdate, WidgetItem, WidgetRootUpdated
from chatkit.widgets import DynamicWidgetRoot, WidgetRoot

from .item_updates import apply_update

MAX_DEPTH = 64
"""How many components may be within one another: clients draw no more.

Pydantic reads JSON up to 200 levels, and with each level of a widget takes ever longer.
"""


def check_depth(widget: WidgetRoot) -> None:
    """Check that a widget can be read again where it is kept, and drawn.

    Raises:
        ValueError: If its components are too deep within one another.
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
    """Return the updates that make one widget of another.

    Text that grows, in a `Text` or `Markdown` with an id of its own, is sent as what is new of it;
    for any other change the widget is sent anew.

    Raises:
        ValueError: If the second is too deep.
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
        # ChatKit asks a component for a property that only the other one has.
        held.widget = old
    if _shown(held.widget) == _shown(new):
        return updates
    return [WidgetRootUpdated(widget=after)]


def _plain(widget: WidgetRoot) -> DynamicWidgetRoot:
    """Return a widget as templates make it: those that a store has loaded are of other classes."""
    return DynamicWidgetRoot.model_validate(widget.model_dump(mode="json", exclude_unset=True))


def _shown(widget: WidgetRoot) -> Any:
    return _without_ended_streams(widget.model_dump())


def _without_ended_streams(value: Any) -> Any:
    """Leave out that text streams no more, which is so as well where nothing is said."""
    if isinstance(value, list):
        return [_without_ended_streams(each) for each in value]
    if isinstance(value, dict):
        return {
            name: _without_ended_streams(each)
            for name, each in value.items()
            if name != "streaming" or each
        }
    return value
