"""The messages of `make` if it cannot help."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from .processes import PATIENCE, ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    # The options of a `make` that runs the tests must not apply here.
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_make_without_target_lists_commands() -> None:
    found = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)
    assert found
    lines = make().stdout.splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(found[1].split())
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 1", "Python 3.10 or newer is needed. Name one: make PYTHON=python3.12 install"),
        (
            'case "$2" in *venv*) exit 1;; esac',
            "Python's venv module is needed. On Debian: apt-get install python3-venv",
        ),
    ],
)
def test_unsuitable_python_gives_one_line_error(tmp_path: Path, script: str, problem: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    run = make(f"VENV={tmp_path}/.venv", f"PYTHON={python}", "install")
    assert run.returncode != 0
    problems = run.stderr.splitlines()
    assert problems[0] == problem
    # The other line is from make.
    assert [line for line in problems[1:] if "***" not in line] == []
    assert not (tmp_path / ".venv").exists()
