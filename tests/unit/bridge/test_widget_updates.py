"""Updates of a widget. `test_grammar.py` checks that they add up."""

from __future__ import annotations

from typing import Any

import pytest
from chatkit.types import WidgetItem, WidgetStreamingTextValueDelta
from chatkit.widgets import DynamicWidgetRoot, WidgetRoot

from agent_framework_chatkit.bridge.widget_updates import widget_updates


def card(*children: Any) -> WidgetRoot:
    return DynamicWidgetRoot.model_validate({"type": "Card", "children": children})


def words(value: str, **properties: Any) -> dict[str, Any]:
    return {"type": "Text", "value": value, **properties}


def test_growing_text_is_sent_as_deltas() -> None:
    button = {"type": "Button", "onClickAction": {"type": "go"}}
    before = card(words("a", id="t"), {"type": "Markdown", "id": "m", "value": "*"}, button)
    after = card(words("ab", id="t"), {"type": "Markdown", "id": "m", "value": "**"}, button)
    assert widget_updates(before, after) == [
        WidgetStreamingTextValueDelta(component_id="t", delta="b", done=True),
        WidgetStreamingTextValueDelta(component_id="m", delta="*", done=True),
    ]
    # Also if one of the widgets was loaded from a store.
    item = {"type": "widget", "id": "w", "thread_id": "t", "created_at": "2026-01-01T00:00"}
    loaded = WidgetItem.model_validate({**item, "widget": before.model_dump()}).widget
    assert type(loaded) is not type(after)
    assert len(widget_updates(loaded, after)) == 2


def test_text_says_whether_it_is_streaming() -> None:
    before = card(words("a", id="t", streaming=True))
    (update,) = widget_updates(before, card(words("ab", id="t", streaming=True)))
    assert isinstance(update, WidgetStreamingTextValueDelta)
    assert not update.done


def test_equal_state_sends_nothing() -> None:
    assert widget_updates(card(words("a")), card(words("a"))) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([words("a")], [words("ab")], id="text without an id"),
        pytest.param([words("ab", id="t")], [words("a", id="t")], id="text that shrinks"),
        pytest.param([words("a", id="t")], [words("b", id="t")], id="another text"),
        pytest.param([words("a", id="t")], [words("ab", id="t", color="red")], id="a new property"),
        pytest.param([words("a", id="t", color="red")], [words("ab", id="t")], id="one less"),
        pytest.param([words("a", id="t")], [words("a", id="u")], id="another id"),
        pytest.param([words("a", key="1")], [words("a", key="2")], id="another key"),
        pytest.param([words("a", id="t")], [], id="a component less"),
        pytest.param([words("a", id="t")], [words("a", id="t"), words("b", id="u")], id="one more"),
        pytest.param(
            [words("a", id="t"), words("a", id="t")],
            [words("ab", id="t"), words("ac", id="t")],
            id="one id for two",
        ),
        pytest.param(
            [{"type": "Transition", "children": words("a", id="t")}],
            [{"type": "Transition", "children": words("b", id="t")}],
            id="the child of a transition",
        ),
    ],
)
def test_other_changes_send_whole_widget(before: Any, after: Any) -> None:
    (update,) = widget_updates(card(*before), card(*after))
    assert update.type == "widget.root.updated"
    assert update.widget == card(*after)
