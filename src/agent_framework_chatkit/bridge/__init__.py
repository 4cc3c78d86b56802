"""Converts thread items to an agent's messages, and the agent's updates to ChatKit events."""
