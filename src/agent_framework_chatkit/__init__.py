"""Put any Microsoft Agent Framework agent behind a ChatKit chat."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .actions import action
from .client_tools import client_tool
from .context import AgentContext, ClientToolCall
from .converter import ThreadItemConverter, simple_to_agent_input, thread_to_agent_input
from .interrupts import Decision
from .questions import ask_user
from .response_converter import (
    APPROVAL_ACTION,
    CONSENT_ACTION,
    AgentResponseConverter,
    Form,
)
from .streaming import stream_agent_response
from .widget_templates import WidgetTemplate, WidgetTemplateError
from .widget_tools import widget_tool

if TYPE_CHECKING:
    from .app import chat_routes, create_app
    from .request_context import RequestContext
    from .server import AgentChatKitServer
    from .web_ui import ui_routes

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
    "AgentChatKitServer": "server",
    "RequestContext": "request_context",
    "chat_routes": "app",
    "create_app": "app",
    "ui_routes": "web_ui",
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
