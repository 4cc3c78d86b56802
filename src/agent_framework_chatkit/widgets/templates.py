"""Builds widgets from `.widget` files and data."""

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
"""Components that clients render but that have no class in ChatKit's Python package."""

_TEXTS = {
    "Badge": "label",
    **dict.fromkeys(("Caption", "Label", "Markdown", "Text", "Title"), "value"),
}
"""The property of each component that holds visible text."""


def _name_what_is_missing(value: object) -> Any:
    """Raise an error that names the value that is not JSON: usually one missing in the data."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises
    raise TypeError(f"{value!r} is not JSON")


_environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 renders JSON
_environment.policies["json.dumps_kwargs"] = {"default": _name_what_is_missing}


class WidgetTemplateError(ValueError):
    """A template is not valid, or does not build a widget from its data.

    The message names the template, the place in it, and the problem.
    """


class WidgetTemplate(widgets.WidgetTemplate):
    """ChatKit's widget template, with helpful errors.

    ```python
    flight = WidgetTemplate.from_file("flight.widget")
    widget = flight.build({"number": "SK 263"})
    ```

    Args:
        definition: The content of a `.widget` file.

    Raises:
        WidgetTemplateError: If the definition is not valid.
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
        """Load a template from a file that ChatKit Studio exported.

        Args:
            file_path: The file's path. A relative path starts from the folder of the calling code.

        Raises:
            OSError: If the file cannot be read.
            WidgetTemplateError: If the file does not contain a valid template.
        """
        path = Path(sys._getframe(1).f_code.co_filename).resolve().parent / file_path
        try:
            definition = json.loads(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise WidgetTemplateError(f"{path}: it is not UTF-8.") from error
        except json.JSONDecodeError as error:
            raise WidgetTemplateError(f"{path}: {_no_json(error)}") from error
        if not isinstance(definition, dict):
            raise WidgetTemplateError(f"{path}: it is not a JSON object.")
        try:
            template = cls(definition)
        except WidgetTemplateError as error:
            raise WidgetTemplateError(f"{path}: {error}") from error
        template._source = f"{path} ({template.name})"
        return template

    def build(self, data: Mapping[str, Any] | BaseModel | None = None) -> DynamicWidgetRoot:
        """Build the widget from data.

        Args:
            data: The template's values by name, as a mapping or a Pydantic model.

        Raises:
            WidgetTemplateError: If the data is incomplete, or the result is not a valid widget.
        """
        values = mend_json(to_jsonable_python({} if data is None else data, by_alias=False))
        missing = [name for name in self.data_schema.get("required", ()) if name not in values]
        if missing:
            raise self._error(f"the data has no {', '.join(map(repr, missing))}")
        try:
            rendered = self.template.render(values)
        except jinja2.UndefinedError as error:
            raise self._error(f"the data is incomplete: {error.message}") from error
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise self._error(f"the data is not valid: {error}") from error
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
    """Return a widget's texts, one per line, for copying and reading aloud."""
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
    """Yield the problems of a component and its children."""
    kind = component.get("type") if isinstance(component, dict) else None
    if not isinstance(kind, str):
        yield f"{where or 'the widget'} is not a component: it has no 'type'"
        return
    model = _COMPONENTS.get(kind)
    where = f"{where} > {kind}" if where else kind
    if model is None and kind not in _WITHOUT_CLASS:
        close = get_close_matches(kind, [*_COMPONENTS, *_WITHOUT_CLASS], 1)
        yield f"{where}: unknown component{f' (did you mean {close[0]!r}?)' if close else ''}"
        return
    if " > " not in where and kind not in ("Card", "ListView", "Basic"):
        yield f"{where}: the root of a widget must be a 'Card', a 'ListView' or a 'Basic'"
    if model is not None:
        yield from _wrong_properties(component, model, where)
    for index, child in enumerate(_children(component)):
        yield from _problems(child, f"{where}[{index}]")


def _wrong_properties(
    component: dict[str, Any], model: type[WidgetComponentBase], where: str
) -> Iterator[str]:
    # Children are checked separately, so that messages name their place.
    children: dict[str, Any] = {
        "children": [] if isinstance(component.get("children"), list) else None
    }
    own = component | children if "children" in component else component
    try:
        with warnings.catch_warnings():
            # ChatKit's classes are deprecated; here they are only used for validation.
            warnings.simplefilter("ignore", DeprecationWarning)
            model.model_validate(own)
    except ValidationError as error:
        # A property with a union type has an error for each alternative.
        first = {problem["loc"][0]: problem["msg"] for problem in reversed(error.errors())}
        for name, message in reversed(first.items()):
            yield f"{where}.{name}: {message}"


def _no_json(error: json.JSONDecodeError) -> str:
    near = error.doc[max(0, error.pos - 30) : error.pos + 30]
    return (
        f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}, near {near!r}."
    )
