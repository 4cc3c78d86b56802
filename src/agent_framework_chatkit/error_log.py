"""Logs errors of an app's code, which may be impossible to display."""

from __future__ import annotations

import logging
import sys


def log_error(
    logger: logging.Logger,
    message: str,
    *arguments: object,
    error: BaseException | None = None,
    level: int = logging.ERROR,
) -> None:
    """Log an error with its traceback, or with its type if it cannot be displayed.

    Args:
        logger: The logger.
        message: A sentence that says what failed, with the logger's placeholders.
        arguments: The values of the placeholders.
        error: The error; by default, the one that is being handled.
        level: The level of the log record.
    """
    error = error or sys.exc_info()[1]
    try:
        logger.log(level, message, *arguments, exc_info=error, stacklevel=2)
    except Exception:
        kind = type(error).__qualname__
        logger.log(level, f"{message} The error, a %s, cannot be displayed.", *arguments, kind)


def is_displayable(error: BaseException) -> bool:
    """Return whether an error has a text."""
    try:
        return bool(repr(error) + str(error))
    except Exception:
        return False
