"""An agent asks, a person answers, the agent goes on."""
