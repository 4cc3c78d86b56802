"""Put any Microsoft Agent Framework agent behind a ChatKit chat.

Names are imported lazily, so that the command line starts quickly and an app needs only the extras
that it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bridge.cards import APPROVAL_ACTION, CONSENT_ACTION, WidgetForm
    from .bridge.context import ClientToolCall, ThreadContext
    from .bridge.response_converter import AgentResponseConverter
    from .bridge.streaming import stream_agent_response
    from .bridge.thread_items import (
        ThreadItemConverter,
        simple_to_agent_input,
        thread_to_agent_input,
    )
    from .http.app import chat_routes, create_app
    from .http.endpoint import Authenticate
    from .http.request_context import RequestContext
    from .http.web_ui import ui_routes
    from .interrupts.client_tools import client_tool
    from .interrupts.pause import Decision, Pause
    from .interrupts.questions import ask_user
    from .server.quotas import Quotas
    from .server.server import AgentChatKitServer
    from .widgets.actions import ActionHandler, action
    from .widgets.templates import WidgetTemplate, WidgetTemplateError
    from .widgets.tools import widget_tool

    AgentContext = ThreadContext
    Form = WidgetForm

__all__ = [
    "APPROVAL_ACTION",
    "CONSENT_ACTION",
    "ActionHandler",
    "AgentChatKitServer",
    "AgentResponseConverter",
    "Authenticate",
    "ClientToolCall",
    "Decision",
    "Pause",
    "Quotas",
    "RequestContext",
    "ThreadContext",
    "ThreadItemConverter",
    "WidgetForm",
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

_MODULES = {
    "APPROVAL_ACTION": "bridge.cards",
    "CONSENT_ACTION": "bridge.cards",
    "ActionHandler": "widgets.actions",
    "AgentChatKitServer": "server.server",
    "AgentResponseConverter": "bridge.response_converter",
    "Authenticate": "http.endpoint",
    "ClientToolCall": "bridge.context",
    "Decision": "interrupts.pause",
    "Pause": "interrupts.pause",
    "Quotas": "server.quotas",
    "RequestContext": "http.request_context",
    "ThreadContext": "bridge.context",
    "ThreadItemConverter": "bridge.thread_items",
    "WidgetForm": "bridge.cards",
    "WidgetTemplate": "widgets.templates",
    "WidgetTemplateError": "widgets.templates",
    "action": "widgets.actions",
    "ask_user": "interrupts.questions",
    "chat_routes": "http.app",
    "client_tool": "interrupts.client_tools",
    "create_app": "http.app",
    "simple_to_agent_input": "bridge.thread_items",
    "stream_agent_response": "bridge.streaming",
    "thread_to_agent_input": "bridge.thread_items",
    "ui_routes": "http.web_ui",
    "widget_tool": "widgets.tools",
}
"""The module of each name."""

_EARLIER_NAMES = {"AgentContext": "ThreadContext", "Form": "WidgetForm"}
"""Old names, which clash with the framework's and FastAPI's; existing code may use them."""


def __getattr__(name: str) -> Any:
    name = _EARLIER_NAMES.get(name, name)
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{module}", __name__), name)
    except ModuleNotFoundError as error:
        if not module.startswith(("server.", "http.")):
            raise
        raise ImportError(
            f"{name} needs {error.name!r}, which is not installed: "
            "pip install 'agent-framework-chatkit[server]'"
        ) from error
