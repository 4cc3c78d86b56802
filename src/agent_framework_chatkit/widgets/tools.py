"""Tools that show their result as a widget."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from agent_framework import Content, FunctionTool, tool
from chatkit.widgets import WidgetTemplate
from pydantic_core import to_jsonable_python

from ..bridge.cards import WidgetForm
from ..error_log import log_error
from ..text import mend_json
from .templates import widget_text

logger = logging.getLogger(__name__)


def widget_tool(template: WidgetTemplate) -> Callable[[Callable[..., Any]], FunctionTool]:
    """Make a tool from a function that returns data: users see a widget, the model gets the data.

    ```python
    @widget_tool(WidgetTemplate.from_file("flight.widget"))
    async def find_flight(number: str) -> Flight:
        "Find a flight, and show it to the user."
        return await flights.find(number)
    ```

    The function returns a mapping, a dataclass or a Pydantic model. If it returns a string, only
    the model receives it. If the widget cannot be built, the model still receives the data, and the
    log names the problem.

    Args:
        template: Builds the widget from the data.

    Returns:
        A decorator for functions, and for tools created by `tool`.
    """

    def show(returned: Any) -> str | list[Content]:
        if isinstance(returned, str):
            return returned
        data = mend_json(to_jsonable_python(returned, by_alias=False))
        text = json.dumps(data, ensure_ascii=False)
        try:
            widget = template.build(data)
        except Exception:
            log_error(logger, "Could not build a widget from the result of a tool.")
            return text
        # The widget is not stored with the data: the thread stores it as an item.
        return [Content.from_text(text, raw_representation=WidgetForm(widget, widget_text(widget)))]

    def decorate(function: Callable[..., Any]) -> FunctionTool:
        made = function if isinstance(function, FunctionTool) else tool(function)
        made.result_parser = show
        return made

    return decorate
