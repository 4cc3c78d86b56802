"""Checks which actions, with which values, a widget offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chatkit.actions import Action
from chatkit.types import WidgetItem

_CONTROLS = {"Input", "Textarea", "Select", "Checkbox", "RadioGroup", "DatePicker"}
_MISSING = object()


@dataclass
class _Fields:
    """The controls whose values are sent with an action, by name."""

    controls: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def add(self, name: Any, control: Mapping[str, Any]) -> None:
        if isinstance(name, str) and name:
            self.controls.setdefault(name, []).append(control)

    def take(self, name: str, value: Any) -> bool:
        """Return whether a control with this name may have this value."""
        return any(_may_have(control, value) for control in self.controls[name])


@dataclass(frozen=True)
class _Offer:
    action: Mapping[str, Any]
    fields: _Fields


def is_offered(action: Action[str, Any], sender: WidgetItem) -> bool:
    """Return whether a widget offers an action.

    The type and payload must match those of an action in the widget, apart from the values of its
    controls: those of the surrounding form, or the control's own value outside a form.
    """
    offers = _offers(sender.widget.model_dump(), None)
    return any(
        offer.action["type"] == action.type
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
        if name.lower().endswith("action") and isinstance(each, dict) and "type" in each:
            if part.get("disabled") is not True:
                yield _Offer(each, own)
        else:
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
    if isinstance(value, (dict, list)):
        return False
    if control.get("disabled") is True:
        is_box = control.get("type") == "Checkbox"
        default = control.get("defaultChecked" if is_box else "defaultValue")
        return _is_same(default, value) or not (default or value)
    options = control.get("options")
    if isinstance(options, list) and value is not None:
        return any(
            isinstance(each, dict)
            and each.get("disabled") is not True
            and _is_same(each.get("value"), value)
            for each in options
        )
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


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are equal JSON: 1 equals 1.0, but not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
