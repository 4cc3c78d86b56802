"""Every state of a component, derived from its class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias, get_args, get_origin

from chatkit import widgets
from chatkit.widgets import WidgetComponentBase

from .pictures import PICTURE

Json: TypeAlias = "dict[str, Any]"

COMPONENTS: dict[str, type[WidgetComponentBase]] = {
    model.model_fields["type"].default: model
    for model in vars(widgets).values()
    if isinstance(model, type)
    and issubclass(model, WidgetComponentBase)
    and isinstance(model.model_fields["type"].default, str)
}

THEMED = {"light": "#0f766e", "dark": "#5eead4"}
"""A readable color for each theme, since no single color is readable in both."""
PURPLE = {"light": "purple-500", "dark": "purple-200"}
COLORS = ["red-500", "#b45309", THEMED]
BACKGROUNDS = ["surface-tertiary", {"light": "blue-50", "dark": "blue-900"}]
SPACES = [6, "24px", {"x": 8, "y": 1}, {"top": 4, "left": 10}]

VALUES: dict[str, list[Any]] = {
    "align": ["start", "center", "end", "stretch"],
    "ariaLabel": ["Size"],
    "aspectRatio": [1, "16 / 9"],
    "barCategoryGap": [24],
    "barGap": [12],
    "background": [*BACKGROUNDS, "blue-200", "#fde68a"],
    "Card.background": BACKGROUNDS,
    "border": [
        1,
        {"size": 2, "color": "strong", "style": "dashed"},
        {"top": 2, "bottom": {"size": 4, "color": "blue-500"}},
    ],
    "color": ["secondary", "success", "warning", "danger", PURPLE, THEMED],
    "Divider.color": ["default", "subtle", "strong", *COLORS],
    "Icon.color": ["secondary", "success", "warning", "danger", *COLORS],
    "defaultValue": ["Oslo"],
    "DatePicker.defaultValue": ["2026-11-25T00:00:00Z"],
    "RadioGroup.defaultValue": ["m"],
    "Select.defaultValue": ["m"],
    "confirm": [{"label": "Confirm", "action": {"type": "gallery.tell", "payload": "yes"}}],
    "cancel": [{"label": "Cancel", "action": {"type": "gallery.tell", "payload": "no"}}],
    "Text.editable": [False, {"name": "note", "placeholder": "Write here", "required": True}],
    "flex": [1, "0 0 160px"],
    "gap": [1, 8, "32px"],
    "height": [64, "6rem"],
    "Chart.height": [120],
    "iconEnd": ["chevron-right"],
    "iconStart": ["sparkle", "lucide:rocket"],
    "ListView.limit": [2, "auto"],
    "margin": SPACES,
    "max": ["2026-11-30T00:00:00Z"],
    "maxHeight": [40],
    "maxLines": [2],
    "maxRows": [3],
    "maxSize": [40],
    "maxWidth": [60],
    "min": ["2026-11-20T00:00:00Z"],
    "minHeight": [72],
    "minLines": [3],
    "minSize": [72],
    "minWidth": [160],
    "padding": SPACES,
    "pattern": ["[A-Z][a-z]+"],
    "placeholder": ["Type or choose"],
    "rows": [5],
    "size": [48, "6rem"],
    "Divider.size": [1, 4, "8px"],
    "Spacer.minSize": [32, "96px"],
    "spacing": [2, 8, "32px"],
    "status": [
        {"text": "With an icon", "icon": "sparkle"},
        {"text": "With a favicon", "favicon": PICTURE},
        {"text": "With a favicon in a frame", "favicon": PICTURE, "frame": True},
    ],
    "width": [120, "75%"],
}
"""Examples for properties of any text or number, by name or by component and name."""

LEFT_OUT = {"key", "id", "type", "children", "options", "fieldName", "autoFocus"}
"""Properties that change nothing visible, or that would move the focus."""


def states(kind: str, base: Json, *, only: set[str] | None = None) -> Iterator[tuple[str, Json]]:
    """Yield a component with each value of each of its properties, after a description of it.

    Args:
        kind: The component.
        base: The properties that stay the same in all states.
        only: The properties to vary; all by default.
    """
    yield "as it is", {"type": kind, **base}
    for name, field in COMPONENTS[kind].model_fields.items():
        if name in LEFT_OUT or name in base or name.endswith("Action"):
            continue
        if only is None or name in only:
            for value in _values(kind, name, field.annotation):
                shown = value if isinstance(value, (str, int, float)) else "…"
                yield f"{name}: {shown}", {"type": kind, **base, name: value}


def _values(kind: str, name: str, annotation: Any) -> list[Any]:
    """Return examples of a property's values, or all of them if the type lists them."""
    if named := VALUES.get(f"{kind}.{name}"):
        return named
    return list(_literals(annotation)) or VALUES[name]


def _literals(annotation: Any) -> Iterator[Any]:
    if annotation is bool:
        yield from (True, False)
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) not in (list, dict):
        for each in get_args(annotation):
            yield from _literals(each)
