"""Widgets made of `.widget` files and data."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import jinja2
from chatkit import widgets
from chatkit.widgets import DynamicWidgetRoot, WidgetComponentBase
from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from ..bridge.widget_updates import check_depth
from ..text import mend_json

_COMPONENTS: dict[str, type[WidgetComponentBase]] = {
    model.model_fields["type"].default: model
    for model in vars(widgets).values()
    if isinstance(model, type)
    and issubclass(model, WidgetComponentBase)
    and isinstance(model.model_fields["type"].default, str)
}
_WITHOUT_CLASS = ("Table", "Table.Row", "Table.Cell")
"""Components that clients draw, and that ChatKit's Python has no classes of."""

_TEXTS = {
    "Badge": "label",
    **dict.fromkeys(("Caption", "Label", "Markdown", "Text", "Title"), "value"),
}
"""Where components hold text that a person reads."""


def _name_what_is_missing(value: object) -> Any:
    """Say which value of a template is no JSON: most often one that the data lack."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises
    raise TypeError(f"{value!r} is no JSON")


_environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 it makes JSON
_environment.policies["json.dumps_kwargs"] = {"default": _name_what_is_missing}


class WidgetTemplateError(ValueError):
    """A template that makes no widget, by itself or of its data.

    The message names the template, the place in it, and what is wrong there.
    """


class WidgetTemplate(widgets.WidgetTemplate):
    """ChatKit's template of a widget, with errors that say what is wrong.

    ```python
    flight = WidgetTemplate.from_file("flight.widget")
    widget = flight.build({"number": "SK 263"})
    ```

    Args:
        definition: What a `.widget` file holds.

    Raises:
        WidgetTemplateError: If it is no template.
    """

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._source = str(definition.get("name") or "the widget's template")
        for key in ("version", "name", "template"):
            if key not in definition:
                raise WidgetTemplateError(f"{self._source}: it has no {key!r}.")
        template = definition["template"]
        try:
            if isinstance(template, str):
                template = _environment.from_string(template)
            super().__init__({**definition, "template": template})
        except jinja2.TemplateSyntaxError as error:
            raise self._error(f"line {error.lineno} of the template: {error.message}") from error
        except ValueError as error:
            raise self._error(str(error)) from error

    @classmethod
    def from_file(cls, file_path: str | Path) -> WidgetTemplate:
        """Return the template in a file, as ChatKit Studio exports it.

        Args:
            file_path: Where it is; if it is not absolute, from the folder of the code that calls.

        Raises:
            OSError: If the file cannot be read.
            WidgetTemplateError: If it holds no template.
        """
        path = Path(sys._getframe(1).f_code.co_filename).resolve().parent / file_path
        try:
            definition = json.loads(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise WidgetTemplateError(f"{path}: it is not UTF-8.") from error
        except json.JSONDecodeError as error:
            raise WidgetTemplateError(f"{path}: {_no_json(error)}") from error
        if not isinstance(definition, dict):
            raise WidgetTemplateError(f"{path}: it is no JSON object.")
        try:
            template = cls(definition)
        except WidgetTemplateError as error:
            raise WidgetTemplateError(f"{path}: {error}") from error
        template._source = f"{path} ({template.name})"
        return template

    def build(self, data: Mapping[str, Any] | BaseModel | None = None) -> DynamicWidgetRoot:
        """Return the widget, filled with data.

        Args:
            data: What the template needs, by name: a mapping or a Pydantic model.

        Raises:
            WidgetTemplateError: If the data lack something, or what they make is no widget.
        """
        values = mend_json(to_jsonable_python({} if data is None else data, by_alias=False))
        missing = [name for name in self.data_schema.get("required", ()) if name not in values]
        if missing:
            raise self._error(f"the data lack {', '.join(map(repr, missing))}")
        try:
            rendered = self.template.render(values)
        except jinja2.UndefinedError as error:
            raise self._error(f"the data lack something: {error.message}") from error
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise self._error(f"the data do not fit: {error}") from error
        try:
            widget = json.loads(rendered)
        except json.JSONDecodeError as error:
            raise self._error(f"filled with the data, {_no_json(error)}") from error
        problems = list(_problems(widget, ""))
        if problems:
            raise self._error("; ".join(problems[:3]))
        built = DynamicWidgetRoot.model_validate(widget)
        try:
            check_depth(built)
        except ValueError as error:
            raise self._error(str(error)) from error
        return built

    def _error(self, message: str) -> WidgetTemplateError:
        return WidgetTemplateError(f"{self._source}: {message.rstrip('.')}.")


def widget_text(widget: widgets.WidgetRoot) -> str:
    """Return the texts of a widget, one a line, for copying and reading aloud."""
    return "\n".join(_texts(widget.model_dump(mode="json")))


def _texts(component: Mapping[str, Any]) -> Iterator[str]:
    text = component.get(_TEXTS.get(component["type"], ""))
    if isinstance(text, str) and text.strip():
        yield text.strip()
    for child in _children(component):
        yield from _texts(child)


def _children(component: Mapping[str, Any]) -> list[Any]:
    children = component.get("children")
    return children if isinstance(children, list) else [] if children is None else [children]


def _problems(component: Any, where: str) -> Iterator[str]:
    """Yield what is wrong with a component and all that it holds."""
    kind = component.get("type") if isinstance(component, dict) else None
    if not isinstance(kind, str):
        yield f"{where or 'the widget'} is not a component: it has no 'type'"
        return
    model = _COMPONENTS.get(kind)
    where = f"{where} > {kind}" if where else kind
    if model is None and kind not in _WITHOUT_CLASS:
        close = get_close_matches(kind, [*_COMPONENTS, *_WITHOUT_CLASS], 1)
        yield f"{where}: there is no such component{f', but {close[0]!r}' if close else ''}"
        return
    if " > " not in where and kind not in ("Card", "ListView", "Basic"):
        yield f"{where}: a widget is a 'Card', a 'ListView' or a 'Basic'"
    if model is not None:
        yield from _wrong_properties(component, model, where)
    for index, child in enumerate(_children(component)):
        yield from _problems(child, f"{where}[{index}]")


def _wrong_properties(
    component: dict[str, Any], model: type[WidgetComponentBase], where: str
) -> Iterator[str]:
    # Each child is looked at by itself: its place is then told in words.
    children: dict[str, Any] = {
        "children": [] if isinstance(component.get("children"), list) else None
    }
    own = component | children if "children" in component else component
    try:
        with warnings.catch_warnings():
            # ChatKit warns of its classes; here nobody uses them but to check.
            warnings.simplefilter("ignore", DeprecationWarning)
            model.model_validate(own)
    except ValidationError as error:
        # A property that may be several things has an error for each.
        first = {problem["loc"][0]: problem["msg"] for problem in reversed(error.errors())}
        for name, message in reversed(first.items()):
            yield f"{where}.{name}: {message}"


def _no_json(error: json.JSONDecodeError) -> str:
    near = error.doc[max(0, error.pos - 30) : error.pos + 30]
    return (
        f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}, near {near!r}."
    )
