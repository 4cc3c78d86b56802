"""Tools whose results people see as a widget."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from agent_framework import Content, FunctionTool, tool
from chatkit.widgets import WidgetTemplate
from pydantic_core import to_jsonable_python

from ..bridge.cards import WidgetForm
from ..text import mend_json
from .templates import widget_text

logger = logging.getLogger(__name__)


def widget_tool(template: WidgetTemplate) -> Callable[[Callable[..., Any]], FunctionTool]:
    """Make a tool of a function that returns data: people see a widget, the model reads the data.

    ```python
    @widget_tool(WidgetTemplate.from_file("flight.widget"))
    async def find_flight(number: str) -> Flight:
        "Find a flight, and show it to the user."
        return await flights.find(number)
    ```

    The function returns a mapping, a dataclass or a Pydantic model. A text that it returns instead
    is for the model alone. Data that make no widget still reach the model; the log says what is
    wrong.

    Args:
        template: What the data are filled into.

    Returns:
        A decorator of functions, and of tools that `tool` has made.
    """

    def show(returned: Any) -> str | list[Content]:
        if isinstance(returned, str):
            return returned
        data = mend_json(to_jsonable_python(returned, by_alias=False))
        text = json.dumps(data, ensure_ascii=False)
        try:
            widget = template.build(data)
        except Exception:
            logger.exception("The result of a tool makes no widget.")
            return text
        # Beside the data, and not kept with them: the thread keeps the widget.
        return [Content.from_text(text, raw_representation=WidgetForm(widget, widget_text(widget)))]

    def decorate(function: Callable[..., Any]) -> FunctionTool:
        made = function if isinstance(function, FunctionTool) else tool(function)
        made.result_parser = show
        return made

    return decorate
