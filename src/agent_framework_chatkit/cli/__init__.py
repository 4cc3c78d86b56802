"""The `af-chatkit` command and its settings."""

DEFAULT_STORE = "sqlite:///chat.db"
"""The default database URL: a file in the current folder."""
