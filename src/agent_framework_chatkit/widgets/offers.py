"""Checks which actions, with which values, a widget offers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from chatkit.actions import Action
from chatkit.types import WidgetItem

_CONTROLS = {"Input", "Textarea", "Select", "Checkbox", "RadioGroup", "DatePicker"}
_ACTIONS = {"action", "onClickAction", "onSubmitAction", "onChangeAction"}
_DATA = {"data", "options"}
"""Properties that contain an app's data instead of components."""
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T[\d:.]{1,20}(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_MISSING = object()


@dataclass
class _Fields:
    """The controls whose values are sent with an action, by name."""

    controls: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _taken: dict[str, bool] = field(default_factory=dict)

    def add(self, name: Any, control: Mapping[str, Any]) -> None:
        if isinstance(name, str) and name:
            self.controls.setdefault(name, []).append(control)

    @property
    def size(self) -> int:
        """The maximum number of values that the fields add to a payload, with their parents."""
        return sum(name.count(".") + 1 for name in self.controls)

    def take(self, name: str, value: Any) -> bool:
        """Return whether a control with this name may have this value, the same in each call."""
        if name not in self._taken:
            self._taken[name] = any(_may_have(control, value) for control in self.controls[name])
        return self._taken[name]


@dataclass(frozen=True)
class _Offer:
    action: Mapping[str, Any]
    fields: _Fields


def is_offered(action: Action[str, Any], sender: WidgetItem) -> bool:
    """Return whether a widget offers an action.

    The type and payload must match those of an action in the widget, apart from the values of its
    controls: those of the surrounding form, or the control's own value outside a form.
    """
    offers = _offers(sender.widget.model_dump(mode="json"), None)
    size = _size(action.payload)
    return any(
        offer.action["type"] == action.type
        # Comparing a huge payload with many fields would take long.
        and size <= _size(offer.action.get("payload")) + offer.fields.size
        and _fits(offer.action.get("payload"), action.payload, offer.fields)
        for offer in list(offers)
    )


def _offers(part: Any, form: _Fields | None) -> Iterator[_Offer]:
    """Yield the actions that a part of a widget offers.

    Args:
        part: The part.
        form: The controls of the surrounding form, if any. The part's own controls are added.
    """
    if isinstance(part, list):
        for each in part:
            yield from _offers(each, form)
        return
    if not isinstance(part, dict):
        return
    kind = part.get("type")
    if kind == "Form" or (kind == "Card" and part.get("asForm")):
        form = _Fields()
    own = _Fields() if form is None else form
    if kind in _CONTROLS:
        own.add(part.get("name"), part)
    editable = part.get("editable")
    if isinstance(editable, dict):
        own.add(editable.get("name"), editable)
    for name, each in part.items():
        if name in _ACTIONS and isinstance(each, dict) and "type" in each:
            if part.get("disabled") is not True:
                yield _Offer(each, own)
        elif name not in _DATA:
            yield from _offers(each, form)


def _fits(offered: Any, sent: Any, fields: _Fields) -> bool:
    """Return whether a payload matches the one offered, apart from the values of fields."""
    if _is_same(offered, sent):
        return True
    if offered is None:
        offered = {}
    if not isinstance(offered, dict) or not isinstance(sent, dict):
        return False
    rest = sent
    for name in fields.controls:
        path = name.split(".")
        if _at(offered, path) is not _MISSING:
            # The payload's own value takes precedence.
            continue
        value = _at(rest, path)
        if value is not _MISSING:
            if not fields.take(name, value):
                return False
            rest = _without(rest, path, offered)
    return _is_same(offered, rest)


def _may_have(control: Mapping[str, Any], value: Any) -> bool:
    """Return whether a control may have this value."""
    kind = control.get("type")
    default = control.get("defaultChecked" if kind == "Checkbox" else "defaultValue")
    if control.get("disabled") is True:
        return _is_same(default, value) or not (default or value)
    if kind == "Checkbox":
        return isinstance(value, bool)
    if value is None:
        return True
    if kind in ("Select", "RadioGroup"):
        return _has_option(control.get("options"), value, default)
    if kind == "DatePicker":
        return _is_same(default, value) or _is_date(value)
    # Not every client sends numbers as text.
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _has_option(options: Any, value: Any, default: Any) -> bool:
    """Return whether a value can be chosen. Of equal options, the first counts."""
    for each in options if isinstance(options, list) else ():
        if isinstance(each, dict) and _is_option(each.get("value"), value):
            return each.get("disabled") is not True or _is_option(default, value)
    return False


def _is_option(offered: Any, value: Any) -> bool:
    """Return whether a value is the one offered. The web UI sends numbers as text."""
    if isinstance(offered, (int, float)) and isinstance(value, str):
        return json.dumps(offered).removesuffix(".0") == value
    return isinstance(value, (str, int, float)) and _is_same(offered, value)


def _is_date(value: Any) -> bool:
    """Return whether a value is a date in ISO 8601, with or without a time."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return False
    return True


def _at(values: Any, path: list[str]) -> Any:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return _MISSING
        values = values[key]
    return values


def _without(values: dict[str, Any], path: list[str], offered: Any) -> dict[str, Any]:
    """Return values without one, and without its parents that become empty and were not offered."""
    key, *rest = path
    others = {name: value for name, value in values.items() if name != key}
    if rest:
        inner_offer = offered.get(key, _MISSING) if isinstance(offered, dict) else _MISSING
        inner = _without(values[key], rest, inner_offer)
        if inner or inner_offer is not _MISSING:
            others[key] = inner
    return others


def _size(value: Any) -> int:
    """Return the number of values in a dictionary or list, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    return len(value) + sum(map(_size, value)) if isinstance(value, list) else 0


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are equal JSON: 1 equals 1.0, but not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
