"""Each optional extra has what its part imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PARTS = {
    "": (
        "import agent_framework_chatkit as chat\n"
        "chat.ThreadItemConverter, chat.stream_agent_response, chat.widget_tool"
    ),
    "sql": "from agent_framework_chatkit.stores import SQLStore; SQLStore('sqlite://')",
    "postgres": "from agent_framework_chatkit.stores import SQLStore; SQLStore('postgresql:///c')",
    "files": "from agent_framework_chatkit.stores import AttachmentStore",
    "server": (
        "import agent_framework_chatkit as chat, agent_framework_chatkit.cli.commands\n"
        "for name in chat.__all__: getattr(chat, name)"
    ),
}

SETUP = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def needs(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the packages that a package with these extras requires directly."""
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def installed_with(extra: str) -> set[str]:
    """Return the packages that pip installs with one of this package's extras."""
    found = set()
    waiting = [("agent-framework-chatkit", frozenset({extra}))]
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            waiting.extend(needs(*package))
    return {name for name, _ in found}


def run(program: str, *, extra: str) -> tuple[int, str]:
    """Return the exit code and the errors of a program where only this extra is installed."""
    there = installed_with(extra)
    missing = {
        module
        for module, packages in packages_distributions().items()
        if not any(canonicalize_name(package) in there for package in packages)
    }
    command = [sys.executable, "-c", SETUP.format(missing=missing) + program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("extra", PARTS)
def test_extra_has_what_its_part_imports(extra: str) -> None:
    assert run(PARTS[extra], extra=extra) == (0, "")


def test_command_names_the_extra_that_it_needs() -> None:
    (command,) = (
        each for each in entry_points(group="console_scripts") if each.name == "af-chatkit"
    )
    program = f"from {command.module} import {command.attr}; {command.attr}()"
    needed = "pip install 'agent-framework-chatkit[server]'"
    assert run(program, extra="sql") == (
        1,
        f"af-chatkit needs 'typer', which is not installed: {needed}\n",
    )
