"""The command `af-chatkit`, and its settings."""

DEFAULT_STORE = "sqlite:///chat.db"
"""The database's URL unless another is given: a file in the current folder."""
