"""Widgets from `.widget` files, as ChatKit Studio exports them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent_framework_chatkit import WidgetTemplate, WidgetTemplateError
from agent_framework_chatkit.widgets.templates import widget_text

FLIGHT = """
{"type": "Card", "children": [
  {"type": "Title", "value": {{ (number) | tojson }}, "size": "md"},
  {%- for stop in stops -%}
  {"type": "Row", "children": [{"type": "Text", "value": {{ (stop.city) | tojson }}}]},
  {%- endfor -%}
  {"type": "Caption", "value": {{ (day) | tojson }}}
]}
"""
SCHEMA = {"type": "object", "required": ["number", "stops", "day"]}


def definition(template: str = FLIGHT, **properties: Any) -> dict[str, Any]:
    return {"version": "1.0", "name": "Flight", "template": template, **properties}


class Stop(BaseModel):
    city: str


class Flight(BaseModel):
    number: str = Field(alias="no")
    stops: list[Stop]
    day: date


DATA = {"number": 'SK "263"', "stops": [{"city": "<Oslo>"}, {"city": "Rome"}], "day": "2026-11-25"}


def test_template_is_filled_with_data(tmp_path: Path) -> None:
    path = tmp_path / "flight.widget"
    path.write_text(json.dumps(definition(jsonSchema=SCHEMA, encodedWidget="…")), "utf-8")
    template = WidgetTemplate.from_file(path)
    widget = template.build(DATA)
    assert widget.model_dump(exclude_unset=True)["children"][1] == {
        "type": "Row",
        "children": [{"type": "Text", "value": "<Oslo>"}],
    }
    assert widget_text(widget) == 'SK "263"\n<Oslo>\nRome\n2026-11-25'
    stops = [Stop(city="<Oslo>"), Stop(city="Rome")]
    flight = Flight(no='SK "263"', stops=stops, day=date(2026, 11, 25))
    assert template.build(flight) == widget
    assert template.build({**DATA, "stops": stops}) == widget
    # Text that a model or a service truncated can still be sent.
    assert template.build({**DATA, "number": "\ud83d"}).model_dump_json()


def test_template_path_is_relative_to_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flight.widget").write_text(json.dumps(definition()), "utf-8")
    code = compile("made = WidgetTemplate.from_file('flight.widget')", tmp_path / "a.py", "exec")
    names: dict[str, Any] = {"WidgetTemplate": WidgetTemplate}
    exec(code, names)  # noqa: S102 our own
    assert names["made"].name == "Flight"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"version": "1.0",\n name: 1}', "not JSON: .* at line 2, column 2, near '.* name: 1}'"),
        (b"\xff", "not UTF-8"),
        (b"[]", "not a JSON object"),
        (b'{"version": "1.0", "name": "A"}', "A: it has no 'template'"),
        (b'{"name": "A", "template": ""}', "A: it has no 'version'"),
        (b'{"version": "2.0", "name": "A", "template": ""}', "version: 2.0"),
        (b'{"version": "1.0", "name": "A", "template": "\\n{% if %}"}', "line 2 of the template"),
    ],
)
def test_invalid_template_file_is_named(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.widget"
    path.write_bytes(content)
    with pytest.raises(WidgetTemplateError, match=f"^{path}: .*{problem}"):
        WidgetTemplate.from_file(path)


def test_missing_template_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.widget"):
        WidgetTemplate.from_file(tmp_path / "none.widget")


@pytest.mark.parametrize(
    ("data", "schema", "problem"),
    [
        ({"number": "1"}, SCHEMA, r"Flight: the data has no 'stops', 'day'\."),
        ({"number": "1"}, {}, "is incomplete: 'stops' is undefined"),
        (None, {}, "'number' is undefined"),
        ({**DATA, "stops": [{}]}, {}, "has no attribute 'city'"),
        ({**DATA, "stops": 1}, {}, "is not valid: .*not iterable"),
    ],
)
def test_missing_data_is_named(data: Any, schema: Any, problem: str) -> None:
    with pytest.raises(WidgetTemplateError, match=problem):
        WidgetTemplate(definition(jsonSchema=schema)).build(data)


@pytest.mark.parametrize(
    ("widget", "problem"),
    [
        ('{"type": "Card", "children": [,]}', "not JSON: .* line 1, column 31, near"),
        ("[]", "the widget is not a component"),
        ('{"children": []}', "the widget is not a component"),
        ('{"type": "Row", "children": []}', "Row: the root of a widget must be a 'Card'"),
        ('{"type": "Card"}', "Card.children: Field required"),
        (
            '{"type": "Card", "children": [{"type": "Txt"}]}',
            "> Txt: unknown .*did you mean 'Text'",
        ),
        ('{"type": "Card", "children": [{"type": "Zebra"}]}', "Zebra: unknown component"),
        ('{"type": "Card", "children": ["Hi"]}', r"Card\[0\] is not a component"),
        ('{"type": "Card", "children": [{"type": "Text"}]}', r"Card\[0\] > Text.value: Field req"),
        (
            '{"type": "Card", "children": [{"type": "Transition", "children": '
            '{"type": "Badge", "label": "x", "color": "pink"}}]}',
            r"Card\[0\] > Transition\[0\] > Badge.color: Input should be 'secondary'",
        ),
        (f"""{'{"type": "Card", "children": [' * 65}{"]}" * 65}""", "at most 64"),
        (
            '{"type": "ListView", "children": [{"type": "ListViewItem", "children": [], '
            '"onClickAction": {}}]}',
            r"ListView\[0\] > ListViewItem.onClickAction: Field required",
        ),
    ],
)
def test_invalid_widget_is_named(widget: str, problem: str) -> None:
    with pytest.raises(WidgetTemplateError, match=f"Flight: .*{problem}"):
        WidgetTemplate(definition(widget)).build()


@pytest.mark.filterwarnings("error::DeprecationWarning")
@pytest.mark.parametrize(
    "child", ['"Text", "value": "Hi", "glow": true', '"Table", "children": []']
)
def test_unknown_components_pass(child: str) -> None:
    widget = f'{{"type": "Basic", "children": [{{"type": {child}}}]}}'
    built = WidgetTemplate(definition(widget)).build()
    assert built.model_dump(exclude_unset=True) == json.loads(widget)


def test_copy_text_is_visible_text() -> None:
    children = [
        {"type": "Markdown", "value": "**Hi**"},
        {"type": "Transition", "children": {"type": "Badge", "label": "New"}},
        {"type": "Button", "label": "Go"},
        {"type": "Text", "value": " "},
    ]
    widget = json.dumps({"type": "Card", "children": children})
    assert widget_text(WidgetTemplate(definition(widget)).build()) == "**Hi**\nNew"
