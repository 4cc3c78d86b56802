"""The agents that `af-chatkit` is given, imported by their names."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer

from ..server.agents import Agents

_MISSING_SETTINGS = re.compile(r"(?i)api.?key|credential|none was set|must be (specified|set)")


def load_agents(paths: Sequence[str]) -> Any:
    """Import one agent, or several by their names.

    Raises:
        typer.BadParameter: If one cannot be imported, is named twice, or is not an agent.
    """
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise typer.BadParameter(f"Name {twice!r} once.")
    loaded = {path: _checked(path, _load(path)) for path in paths}
    return loaded if len(loaded) > 1 else next(iter(loaded.values()))


def _checked(path: str, agent: Any) -> Any:
    try:
        Agents[Any](agent)
    except (TypeError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {error}") from error
    return agent


def _load(path: str) -> Any:
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise typer.BadParameter(f"Name the agent as module:name, not as {path!r}.")
    try:
        module = import_module(module_name)
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and (module_name == missing or module_name.startswith(f"{missing}.")):
            complaint = f"There is no module {module_name!r} in {os.getcwd()} or installed."
            complaint += _did_you_mean(f"{_meant_module(module_name)}:{name}", path)
        else:
            complaint = f"{_place_of(error)}: {type(error).__name__}: {error}"
            if _MISSING_SETTINGS.search(str(error)):
                complaint += (
                    "\nSet what the model's client needs, such as OPENAI_API_KEY and OPENAI_MODEL; "
                    "for a model of your own OPENAI_BASE_URL too."
                )
        raise typer.BadParameter(complaint) from error
    try:
        return getattr(module, name)
    except AttributeError:
        close = get_close_matches(name, [each for each in vars(module) if each[0] != "_"], n=1)
        meant = f"{module_name}:{close[0]}" if close else path
        raise typer.BadParameter(
            f"The module {module_name!r} has no {name!r}.{_did_you_mean(meant, path)}"
        ) from None


def _meant_module(name: str) -> str:
    """Return the module of this folder that was probably meant."""
    dotted = name.removesuffix(".py").replace("/", ".")
    here = [file[:-3] for file in os.listdir() if file.endswith(".py")]
    if dotted != name and (dotted in here or "." in dotted):
        return dotted
    return next(iter(get_close_matches(dotted, here, n=1)), name)


def _did_you_mean(meant: str, path: str) -> str:
    return "" if meant == path else f" Did you mean {meant}?"


def _place_of(error: Exception) -> str:
    """Return the line of the person's own code that an error comes from."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(os.getcwd()) and "site-packages" not in frame.filename
    ]
    return f"{os.path.relpath(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "It"


def look_here() -> None:
    """Have modules of the current folder found first."""
    sys.path.insert(0, os.getcwd())
