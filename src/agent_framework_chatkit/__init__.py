"""Put any Microsoft Agent Framework agent behind a ChatKit chat."""

from .context import AgentContext, ClientToolCall
from .converter import ThreadItemConverter, simple_to_agent_input, thread_to_agent_input
from .response_converter import APPROVAL_ACTION, AgentResponseConverter, Form
from .streaming import stream_agent_response

__all__ = [
    "APPROVAL_ACTION",
    "AgentContext",
    "AgentResponseConverter",
    "ClientToolCall",
    "Form",
    "ThreadItemConverter",
    "simple_to_agent_input",
    "stream_agent_response",
    "thread_to_agent_input",
]
