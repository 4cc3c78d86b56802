"""Put any Microsoft Agent Framework agent behind a ChatKit chat."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .bridge.cards import APPROVAL_ACTION, CONSENT_ACTION, Form
from .bridge.context import AgentContext, ClientToolCall
from .bridge.response_converter import AgentResponseConverter
from .bridge.streaming import stream_agent_response
from .bridge.thread_items import ThreadItemConverter, simple_to_agent_input, thread_to_agent_input
from .interrupts.client_tools import client_tool
from .interrupts.pause import Decision
from .interrupts.questions import ask_user
from .widgets.actions import action
from .widgets.templates import WidgetTemplate, WidgetTemplateError
from .widgets.tools import widget_tool

if TYPE_CHECKING:
    from .http.app import chat_routes, create_app
    from .http.request_context import RequestContext
    from .http.web_ui import ui_routes
    from .server.server import AgentChatKitServer

__all__ = [
    "APPROVAL_ACTION",
    "CONSENT_ACTION",
    "AgentChatKitServer",
    "AgentContext",
    "AgentResponseConverter",
    "ClientToolCall",
    "Decision",
    "Form",
    "RequestContext",
    "ThreadItemConverter",
    "WidgetTemplate",
    "WidgetTemplateError",
    "action",
    "ask_user",
    "chat_routes",
    "client_tool",
    "create_app",
    "simple_to_agent_input",
    "stream_agent_response",
    "thread_to_agent_input",
    "ui_routes",
    "widget_tool",
]

_SERVER = {
    "AgentChatKitServer": "server.server",
    "RequestContext": "http.request_context",
    "chat_routes": "http.app",
    "create_app": "http.app",
    "ui_routes": "http.web_ui",
}
"""Names that need the extra `server`, and the modules that they are in."""


def __getattr__(name: str) -> Any:
    if name not in _SERVER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{_SERVER[name]}", __name__), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{name} needs {error.name!r}, which is not installed: "
            "pip install 'agent-framework-chatkit[server]'"
        ) from error
