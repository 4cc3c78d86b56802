"""Imports the agents named on the command line."""

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
from agent_framework.exceptions import SettingNotFoundError

from ..server.agents import Agents

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_ENVIRONMENT = type(os.environ).__getitem__.__code__.co_filename


def load_agents(paths: Sequence[str]) -> Any:
    """Import one agent, or several as a mapping by name.

    Raises:
        typer.BadParameter: If one cannot be imported, is named twice, or is not an agent.
    """
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise typer.BadParameter(f"Name {twice!r} only once.")
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
            places = f"{os.getcwd()} or among the installed packages"
            problem = f"There is no module {module_name!r} in {places}."
            problem += _did_you_mean(f"{_meant_module(module_name)}:{name}", path)
        else:
            problem = f"{_place_of(error, module_name)}: {type(error).__name__}: {error}"
            problem += _missing_setting(error)
        raise typer.BadParameter(problem) from error
    try:
        return getattr(module, name)
    except AttributeError:
        close = get_close_matches(name, [each for each in vars(module) if each[0] != "_"], n=1)
        meant = f"{module_name}:{close[0]}" if close else path
        raise typer.BadParameter(
            f"The module {module_name!r} has no {name!r}.{_did_you_mean(meant, path)}"
        ) from None


def _missing_setting(error: Exception) -> str:
    """Return advice to set an environment variable, if a missing one caused an import error."""
    message = str(error)
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    if not (
        isinstance(error, SettingNotFoundError)
        or "environment variable" in message
        or (isinstance(error, KeyError) and raised_in == _ENVIRONMENT)
    ):
        return ""
    named = [name for name in _VARIABLE.findall(message) if not os.environ.get(name)]
    if not named and "'endpoint'" in message:
        # OpenAI's client falls back to Azure's settings, and reports that those are missing.
        named = ["OPENAI_API_KEY"]
    keys = [name for name in named if name.endswith("_KEY")]
    if not named:
        return ""
    name = keys[0] if keys else min(named, key=len)
    advice = f"\nSet the environment variable {name} before you start af-chatkit"
    if name.endswith("_MODEL"):
        advice += ", to the name of the model"
    advice += f": export {name}=..."
    if name == "OPENAI_API_KEY":
        advice += (
            "\nFor your own model, any key works; also set its address: "
            "export OPENAI_BASE_URL=http://localhost:8080/v1"
        )
    return advice


def _meant_module(name: str) -> str:
    """Return the module in this folder that the user probably meant."""
    dotted = name.removesuffix(".py").replace("/", ".")
    here = [file[:-3] for file in os.listdir() if file.endswith(".py")]
    if dotted != name and (dotted in here or "." in dotted):
        return dotted
    return next(iter(get_close_matches(dotted, here, n=1)), name)


def _did_you_mean(meant: str, path: str) -> str:
    return "" if meant == path else f" Did you mean {meant}?"


def _place_of(error: Exception, module_name: str) -> str:
    """Return the line of the user's own code that caused an error, or else the module."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(os.getcwd()) and "site-packages" not in frame.filename
    ]
    if not frames:
        return f"The module {module_name!r}"
    return f"{os.path.relpath(frames[-1].filename)}, line {frames[-1].lineno}"


def add_current_folder() -> None:
    """Import modules from the current folder first."""
    sys.path.insert(0, os.getcwd())
