"""The `af-chatkit` command and its settings."""

import sys

DEFAULT_STORE = "sqlite:///chat.db"
"""The default database URL: a file in the current folder."""


def main() -> None:
    """Run the command, or name the extra that it needs."""
    try:
        from .commands import app
    except ModuleNotFoundError as error:
        sys.exit(
            f"af-chatkit needs {error.name!r}, which is not installed: "
            "pip install 'agent-framework-chatkit[server]'"
        )
    app()
