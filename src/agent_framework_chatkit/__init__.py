"""Put any Microsoft Agent Framework agent behind a ChatKit chat."""

from .converter import ThreadItemConverter, simple_to_agent_input, thread_to_agent_input

__all__ = ["ThreadItemConverter", "simple_to_agent_input", "thread_to_agent_input"]
