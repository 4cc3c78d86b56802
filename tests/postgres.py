"""A PostgreSQL server for the tests, which is installed if necessary and stopped at the end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_NEEDED = "These tests need PostgreSQL. On Debian, as root: apt-get install postgresql"


class PostgresServer:
    """Listens on a socket in its own folder, and does not sync to disk.

    Args:
        programs: The folder of `initdb` and `pg_ctl`.
        folder: The folder for all its files.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        # PostgreSQL does not run as root.
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "--username=test", "--auth=trust", "--encoding=UTF8", "--no-sync")
        with (folder / "data/postgresql.conf").open("a") as conf:
            conf.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n"
                # Tests kill its processes, but never the machine.
                "fsync = off\nfull_page_writes = off\n"
            )

    def start(self) -> None:
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder}/log")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, by default as for an upgrade, which closes all connections."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def restart(self) -> None:
        self.stop()
        self.start()

    def create_database(self) -> str:
        """Return the URL of a new database."""
        name = f"test_{secrets.token_hex(8)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def url(self, database: str) -> str:
        return f"postgresql://test@/{database}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, f"--pgdata={self._folder}/data", *arguments],
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd=self._folder,
            # The running server keeps its outputs open, so they must not be pipes.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            log = self._folder / "log"
            pytest.fail(
                f"{program} failed: {log.read_text() if log.exists() else done.args}",
                pytrace=False,
            )


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """Run a server, and install it first if necessary."""
    programs = _find() or _install()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        server = PostgresServer(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _find() -> Path | None:
    on_path = shutil.which("pg_ctl")
    if on_path is not None and shutil.which("initdb") is not None:
        return Path(on_path).resolve().parent
    # Debian's folders, one per version.
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: float(path.parts[-3]), default=None)
    return None if newest is None else newest.parent


def _install() -> Path:
    if shutil.which("apt-get") is None or os.getuid() != 0:
        pytest.fail(_NEEDED, pytrace=False)
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"],
    ):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            check=False,
        )
    found = _find()
    if done.returncode != 0 or found is None:
        pytest.fail(f"{_NEEDED}. It failed: {done.stderr.decode()[-300:]}", pytrace=False)
    return found
