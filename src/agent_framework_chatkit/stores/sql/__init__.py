"""The SQL store: ChatKit's threads, agents' sessions and messages, and leases."""
