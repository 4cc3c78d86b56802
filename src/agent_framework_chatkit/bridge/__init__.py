"""From thread items to an agent's messages, and from its updates to ChatKit's events."""
