"""The contents of the gallery: a thread for each family of components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from chatkit.icons import IconName
from chatkit.widgets import CurveType

from .pictures import PICTURE
from .states import COMPONENTS, Json, states

LONG = "A line that is far longer than the room there is for it, so that it must end or wrap. " * 3
MARKDOWN = """\
Some **bold** and *italic* text, `code` and [a link](https://example.com).

1. One
2. Two

| City | °C |
| --- | --- |
| Oslo | 4 |

```python
print("Hello")
```
"""
SIZES = [
    {"value": "s", "label": "Small"},
    {"value": "m", "label": "Medium", "description": "What most people take"},
    {"value": "l", "label": "Large", "disabled": True},
]
GRID: Json = {"wrap": "wrap", "gap": 4, "align": "start"}
CELL = "1 1 200px"
ROWS: list[Json] = [
    {"day": day, "rain": rain, "sun": sun}
    for day, rain, sun in [("Mon", 4, 2), ("Tue", 7, 1), ("Wed", 2, 5), ("Thu", 0, 8)]
]


def tell(payload: Any = None, **config: Any) -> Json:
    """Return an action whose handler shows its payload."""
    return {"type": "gallery.tell", "payload": payload, **config}


def component(kind: str, *children: Any, **properties: Any) -> Json:
    return {"type": kind, **properties, **({"children": list(children)} if children else {})}


def text(value: str, **properties: Any) -> Json:
    return component("Text", value=value, **properties)


def card(title: str, *children: Json, **properties: Any) -> Json:
    heading = component("Title", value=title, size="sm")
    return component("Card", heading, *children, size="full", **properties)


def button(label: str, kind: str, payload: Any = None, **config: Any) -> Json:
    action = {"type": kind, "payload": payload, **config}
    return component("Button", label=label, onClickAction=action)


def boxes(*sizes: int) -> list[Json]:
    look = {"background": "blue-300", "radius": "sm"}
    return [component("Box", size=size, **look) for size in sizes]


def captioned(caption: str, shown: Json) -> Json:
    heading = component("Caption", value=caption)
    return component("Col", heading, shown, gap=1, flex=CELL, minWidth=0)


def side_by_side(shown: Iterable[tuple[str, Json]]) -> Json:
    return component("Row", *(captioned(name, each) for name, each in shown), **GRID)


def all_states(kind: str, *, only: set[str] | None = None, **base: Any) -> Json:
    """Return a card with a component in all of its states."""
    return card(kind, side_by_side(states(kind, base, only=only)))


def all_controls(kind: str, **base: Any) -> Json:
    """Return a card with a control in all of its states, each with a label and a name."""
    shown = []
    for number, (name, each) in enumerate(states(kind, {"name": "", **base})):
        field = f"{kind}{number}"
        label = component("Label", value=f"{kind}, {name}", fieldName=field)
        shown.append(component("Col", label, {**each, "name": field}, gap=1, flex=CELL))
    return card(kind, component("Row", *shown, **GRID))


def layout() -> Iterator[Json]:
    frame: Json = {"background": "surface-secondary", "padding": 2}
    own = {"align", "direction", "gap", "justify", "wrap"}
    inside = boxes(24, 40, 32)
    look = {"background", "border"}
    looks = set(COMPONENTS["Box"].model_fields) - look
    yield all_states("Box", only=looks, children=inside, background="surface-tertiary")
    yield all_states("Box", only=look, children=inside, padding=2)
    for kind in ("Row", "Col"):
        yield all_states(kind, only=own, children=inside, height=150, **frame)
    spacers = [
        (name, component("Row", *boxes(24), each, *boxes(24)))
        for name, each in states("Spacer", {})
    ]
    yield card("Spacer", side_by_side(spacers))
    yield all_states("Divider")
    yield card(
        "Transition",
        component("Transition", children=text("A child that may change", id="child")),
        button("Change it", "gallery.change"),
    )
    themed = [component("Title", value=theme, size="sm") for theme in ("light", "dark")]
    for each in themed:
        yield component("Basic", each, text("A root without a frame"), theme=each["value"], gap=2)
    yield component("Basic", *boxes(24, 40), direction="row", gap=4, align="center", padding=4)


def texts() -> Iterator[Json]:
    yield all_states("Title", value="The quick brown fox")
    yield all_states("Text", value="The quick brown fox jumps over the lazy dog.")
    yield all_states("Caption", value="The quick brown fox")
    for kind in ("Title", "Text", "Caption"):
        yield all_states(kind, only={"truncate", "maxLines"}, value=LONG)
    yield all_states("Label", value="The quick brown fox", fieldName="fox")
    yield all_states("Markdown", value=MARKDOWN)
    yield all_states("Badge", label="New")
    yield all_states("Icon", name="sparkle")
    icons = [component("Icon", name=name, size="lg") for name in get_args(get_args(IconName)[0])]
    yield card("All icons", component("Row", *icons, wrap="wrap", gap=3))
    yield all_states("Image", src=PICTURE, alt="Squares of many colors", width=160)
    yield all_states("Image", only={"width", "size"}, src=PICTURE, alt="Squares of many colors")


def cards() -> Iterator[Json]:
    words = [component("Title", value="A card", size="sm"), text("What it says.")]
    for name, each in states("Card", {"children": words}):
        yield {**each, "children": [component("Caption", value=name), *words]}
    yield component(
        "Card",
        *words,
        status={"text": "Ready", "icon": "check-circle"},
        confirm={"label": "Yes", "action": tell("yes")},
        cancel={"label": "No", "action": tell("no")},
    )
    yield component("Card", component("Image", src=PICTURE, alt="Colors", flush=True), *words)


def controls() -> Iterator[Json]:
    yield all_states("Button", label="Press", onClickAction=tell("pressed"))
    yield all_controls("Input")
    yield all_controls("Textarea")
    yield all_controls("Select", options=SIZES, onChangeAction=tell("selected"))
    yield all_controls("DatePicker", onChangeAction=tell("picked"))
    yield all_controls("RadioGroup", options=SIZES, onChangeAction=tell("chosen"))
    yield all_states("Checkbox", name="agree", label="I agree", onChangeAction=tell("checked"))


def forms() -> Iterator[Json]:
    fields = [
        component("Label", value="Your name", fieldName="name"),
        component("Input", name="name", required=True, placeholder="Ann"),
        component("Label", value="Your size", fieldName="size"),
        component("Select", name="size", options=SIZES, placeholder="Choose"),
        component("Label", value="The day", fieldName="day"),
        component("DatePicker", name="day", clearable=True),
        component("RadioGroup", name="how", options=SIZES, ariaLabel="How", direction="row"),
        component("Checkbox", name="news", label="Send me news"),
        component("Label", value="Anything else", fieldName="note"),
        component("Textarea", name="note", autoResize=True),
    ]
    send = component("Button", submit=True, label="Send", style="primary")
    yield card("A form", component("Form", *fields, send, onSubmitAction=tell(), gap=3))
    yield component(
        "Card",
        component("Title", value="A card as a form", size="sm"),
        text("Click to edit this note", editable={"name": "note", "required": True}),
        asForm=True,
        confirm={"label": "Save", "action": tell()},
        cancel={"label": "Cancel", "action": tell("canceled")},
    )
    order = [
        component("Label", value="Seats, from 1 to 9", fieldName="seats"),
        component("Input", name="seats", inputType="number", defaultValue="12"),
        component("Button", submit=True, label="Book"),
    ]
    book = {"type": "gallery.book"}
    yield card("The server checks", component("Form", *order, onSubmitAction=book, gap=2))
    own = {"align", "direction", "gap", "justify", "wrap"}
    controls = [component("Checkbox", name="a", label="A"), component("Button", label="B")]
    yield all_states("Form", only=own, children=controls, onSubmitAction=tell())


def lists() -> Iterator[Json]:
    def item(number: int, **properties: Any) -> Json:
        words = [text(f"Item {number}"), component("Caption", value="What it is about")]
        return component("ListViewItem", *words, **properties)

    items = [item(number, onClickAction=tell(number)) for number in range(1, 13)]
    for _, each in states("ListView", {"children": items}):
        yield each
    yield component("ListView", *(each for _, each in states("ListViewItem", item(0))))
    yield card("Table", component("Table", *_table()))


def _table() -> Iterator[Json]:
    for row, values in enumerate([("City", "°C"), ("Oslo", "4"), ("Rome", "17")]):
        cells = [component("Table.Cell", text(value), align="start") for value in values]
        yield component("Table.Row", *cells, header=row == 0)


def charts() -> Iterator[Json]:
    bars = [
        {"type": "bar", "dataKey": "rain", "label": "Rain"},
        {"type": "bar", "dataKey": "sun", "label": "Sun"},
    ]
    base: Json = {"data": ROWS, "series": bars, "xAxis": "day"}
    looks = {"showYAxis", "showLegend", "showTooltip", "barGap", "barCategoryGap", "height"}
    yield all_states("Chart", only=looks, **base)
    stacked = [{**each, "stack": "all"} for each in bars]
    axis = {"dataKey": "day", "labels": {"Mon": "Monday"}}
    yield card("Stacked", component("Chart", **{**base, "series": stacked, "xAxis": axis}))
    colors = [
        {**bars[0], "color": "purple"},
        {**bars[1], "color": {"light": "#0f766e", "dark": "#5eead4"}},
    ]
    hidden = {"dataKey": "day", "hide": True}
    yield card("Colors", component("Chart", **{**base, "series": colors, "xAxis": hidden}))
    mixed = [{**bars[0], "type": "area"}, bars[1], {**bars[0], "type": "line", "label": "Trend"}]
    yield card("Mixed", component("Chart", **{**base, "series": mixed}))
    for kind in ("line", "area"):
        shown = [
            (curve, component("Chart", **{**base, "series": [series]}, height=120))
            for curve in get_args(CurveType)
            for series in [{**bars[0], "type": kind, "curveType": curve}]
        ]
        yield card(f"Curves of {kind}s", side_by_side(shown))


def streaming() -> Iterator[Json]:
    yield card(
        "Streaming",
        text("Each button streams a widget, state by state."),
        button("Text that grows", "gallery.stream", "text"),
        button("Components that come and go", "gallery.stream", "components"),
        button("One that fails half way", "gallery.stream", "failing"),
        button("In this widget", "gallery.stream_here"),
    )


def actions() -> Iterator[Json]:
    slow = [
        button(behavior, "gallery.wait", loadingBehavior=behavior)
        for behavior in ("auto", "none", "self", "container")
    ]
    yield card("While the server works", component("Row", *slow, wrap="wrap", gap=2))
    yield card("The widget changes", button("Change it", "gallery.change"))
    yield counter(0)
    yield card("The agent answers", button("Ask", "gallery.ask", "What is a widget?"))
    yield card("The page handles it", button("Tell the page", "page.told", handler="client"))
    yield card(
        "What goes wrong",
        button("The handler fails", "gallery.fail"),
        button("It says why", "gallery.refuse"),
        button("The payload does not fit", "gallery.book", {"seats": "many"}),
        button("Nothing handles it", "gallery.unknown"),
    )


def counter(count: int) -> Json:
    return card(
        f"Answered at once: {count}",
        button("Count", "gallery.count", {"count": count + 1}, streaming=False),
    )


def broken() -> Iterator[Json]:
    deep = text("At the bottom")
    for _ in range(60):
        deep = component("Box", deep)
    yield card("Unknown components", component("Hologram", value="?"), text("The rest is drawn."))
    yield card("Nothing in it", *(component(kind) for kind in sorted(COMPONENTS) if kind != "Card"))
    yield card(
        "Wrong properties",
        component("Text", value=7, size="huge", color="url(https://evil.test)", weight=[]),
        component("Button", label={"a": 1}, onClickAction="go", size=-1),
        component("Select", name="x", options="none"),
        component("Chart", data="none", series=[{}], xAxis=3),
        component("Image", src="javascript:alert(1)", alt="No picture", width="expression(1)"),
        component("Image", src="https://evil.test/tracker.png", alt="A tracker"),
        component("Icon", name="no-such-icon"),
        component("DatePicker", name="d", defaultValue="soon", min="2027", max="2020"),
    )
    yield card(
        "Hostile text",
        text("<script>alert(1)</script>"),
        component("Markdown", value='<img src=x onerror="alert(1)"> [a](javascript:alert(1))'),
        text("\u202eback to front\u202c", truncate=True),
        text("w" * 5_000, truncate=True),
    )
    yield card("Deep", deep)
    yield component("Card", children=[])
    yield component("ListView", children=[])
    yield component("Basic", children=[])


FAMILIES = {
    "Layout": layout,
    "Text": texts,
    "Cards": cards,
    "Controls": controls,
    "Forms": forms,
    "Lists": lists,
    "Charts": charts,
    "Streaming": streaming,
    "Actions": actions,
    "Bad input": broken,
}
"""The widgets of each thread, by its title."""
