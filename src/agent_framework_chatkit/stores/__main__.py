"""`python -m agent_framework_chatkit.stores`: looks after a database from the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import timedelta

from . import SQLStore


async def main(arguments: list[str]) -> str:
    """Do what the command line says.

    Args:
        arguments: The command line, without the program's name.

    Returns:
        What was done, in words.
    """
    parser = argparse.ArgumentParser(prog="python -m agent_framework_chatkit.stores")
    commands = parser.add_subparsers(dest="command", required=True)
    migrate = commands.add_parser("migrate", help="create the tables, or bring them up to date")
    purge = commands.add_parser("purge", help="delete threads that have not been used for days")
    purge.add_argument("--days", type=float, required=True, help="how many days")
    for command in (migrate, purge):
        command.add_argument("url", help="sqlite:///chat.db or postgresql://user@host/name")
    options = parser.parse_args(arguments)
    async with SQLStore(options.url) as store:
        if options.command == "migrate":
            await store.migrate()
            return "The tables are up to date."
        purged = await store.purge(timedelta(days=options.days))
        return f"Deleted {purged.threads} threads and {purged.attachments} unsent attachments."


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1:])))  # noqa: T201 a command's output
