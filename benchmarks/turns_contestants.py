"""Starts the contestants of `turns.py`, each in a separate environment."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import turns_client
from streaming import install_peer
from turns_process import Server, Worker, free_port
from turns_report import AG_UI, FRAMEWORK, MICROSOFT, OURS, POSTGRES, SERVED

FOLDER = Path(__file__).parent
AG_UI_PACKAGES = ("agent-framework-ag-ui>=1.7", "fastapi", "uvicorn[standard]")

SERVERS = {
    OURS: ("ours", turns_client.DETACHED),
    SERVED: ("served", turns_client.DETACHED),
    POSTGRES: ("ours", turns_client.DETACHED),
    MICROSOFT: ("microsoft", turns_client.CHATKIT),
    AG_UI: ("ag-ui", turns_client.AG_UI),
}
"""The name of each contestant for `turns_server.py`, and its protocol."""

CLUSTER_WORKERS = 4


class Contestants:
    """The processes of all contestants. They stop when the stack is closed.

    Args:
        stack: Closes everything that is opened.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.servers: dict[str, Server] = {}
        self.workers: dict[str, Worker] = {}
        """The contestants that are measured without HTTP."""
        self.cluster: Server | None = None
        """This project's server with several workers."""
        self.versions: dict[str, dict[str, str]] = {}
        """The versions of all packages, by worker."""
        self.can_follow = False
        """Whether this project's server supports `threads.follow`."""
        self._stack = stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))

    @cached_property
    def _peer(self) -> Path | None:
        """The Python of an environment with Microsoft's packages."""
        return install_peer(self._folder, *AG_UI_PACKAGES)

    @cached_property
    def _postgres(self) -> Any:
        """A PostgreSQL server."""
        return start_postgres(self._stack)

    def start(self, names: Sequence[str], profile: Path | None = None) -> None:
        """Start the servers whose requirements are available.

        Args:
            names: The contestants to start.
            profile: The file for their profiles.
        """
        for name in names:
            kind, _ = SERVERS[name]
            python, store = self._python(kind), self._store(name)
            if python is None or store is None:
                continue
            port = free_port()
            command = [*python, script("turns_server.py"), kind, f"--port={port}"]
            command += [f"--store={store}", *([f"--profile={profile}"] if profile else [])]
            self.servers[name] = Server(command, port, self._log(name))
            self._stack.callback(self.servers[name].stop)

    def start_workers(self) -> None:
        """Start the contestants that are measured without HTTP."""
        for name, kind in ((FRAMEWORK, "framework"), (OURS, "ours"), (MICROSOFT, "microsoft")):
            python = self._python(kind)
            if python is None:
                continue
            path = self._folder / f"history-{kind}.db"
            store = f"sqlite:///{path}" if kind == "ours" else str(path)
            command = [*python, script("turns_worker.py"), kind, store]
            self.workers[name] = Worker(command, self._log(f"{name} without HTTP"))
            self._stack.callback(self.workers[name].stop)

    def wait(self) -> None:
        """Wait until all are ready, and pin them to their core."""
        for server in self.servers.values():
            server.wait()
            server.pin()
        self.versions = {name: worker.ask("versions") for name, worker in self.workers.items()}
        for worker in self.workers.values():
            worker.pin()

    def start_cluster(self) -> None:
        """Start this project's server with several workers, if PostgreSQL is available."""
        if self._postgres is None:
            return
        port = free_port()
        command = [
            str(Path(sys.executable).with_name("af-chatkit")),
            *("serve", "turns_model:agent", f"--port={port}", f"--workers={CLUSTER_WORKERS}"),
            f"--store={self._postgres.create_database()}",
        ]
        self.cluster = Server(command, port, self._log("cluster"), cwd=FOLDER)
        self._stack.callback(self.cluster.stop)
        self.cluster.wait()

    def _python(self, kind: str) -> list[str] | None:
        """Return the Python of a contestant's environment."""
        if kind in ("ours", "served", "framework"):
            return [sys.executable, "-E"]
        return None if self._peer is None else [str(self._peer), "-E"]

    def _store(self, name: str) -> str | None:
        if name == POSTGRES:
            return None if self._postgres is None else str(self._postgres.create_database())
        path = self._folder / f"{SERVERS[name][0]}.db"
        return f"sqlite:///{path}" if name in (OURS, SERVED) else str(path)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def script(name: str) -> str:
    """Return the path of a script in this folder."""
    return str(FOLDER / name)


def start_postgres(stack: ExitStack) -> Any:
    """Start the tests' PostgreSQL server, or print why it cannot be started."""
    sys.path.append(str(FOLDER.parent))
    import pytest
    from tests.postgres import run_postgres

    try:
        return stack.enter_context(run_postgres())
    except (OSError, KeyError, pytest.fail.Exception) as error:
        print(f"Skipping PostgreSQL, because it cannot be started: {error}\n")
        return None
