"""ChatKit's store, agents' sessions and messages, and leases, in SQLite or PostgreSQL."""
