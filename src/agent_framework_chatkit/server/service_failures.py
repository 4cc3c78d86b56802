"""Explains failures of the services behind an agent, such as its model's API."""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..error_log import log_error

logger = logging.getLogger(__name__)

_UNREACHABLE = "The service behind this assistant cannot be reached. Try again in a moment."
_MISCONFIGURED = (
    "The service behind this assistant refused the request. Tell the people who run this chat, "
    "or try again later."
)
_BUSY = "The service behind this assistant is busy. Wait a moment, then try again."
_BROKEN = "The service behind this assistant has a problem. Try again in a moment."


@dataclass(frozen=True)
class ServiceFailure:
    """The reason why a request to a service failed.

    Attributes:
        line: A line for the developer: the request, its address, and what to check.
        message: A message for the user, without addresses or keys.
    """

    line: str
    message: str


def service_failure(error: BaseException) -> ServiceFailure | None:
    """Return an explanation of an error if a service caused it, otherwise `None`."""
    errors = list(causes_of(error))
    asked = next((request for each in errors if (request := _request(each)) is not None), None)
    if asked is None:
        return None
    for each in errors:
        status = _attribute(each, "status_code")
        if status is None:
            status = _attribute(_attribute(each, "response"), "status_code")
        if isinstance(status, int):
            explained = _explain_status(status, str(_attribute(each, "code")))
            break
    else:
        explained = _explain_connection(errors)
    if explained is None:
        return None
    problem, message = explained
    return ServiceFailure(f"{_described(asked)}: {problem}", message)


def log_failure(error: BaseException, message: str, *arguments: object) -> None:
    """Log an error: a service failure in one line, any other error with its traceback.

    Args:
        error: The error.
        message: A sentence that says what failed, with the logger's placeholders.
        arguments: The values of the placeholders.
    """
    failure = service_failure(error)
    if failure is None:
        log_error(logger, message, *arguments, error=error)
        return
    logger.error(f"{message} %s", *arguments, failure.line)
    log_error(logger, "The traceback:", error=error, level=logging.DEBUG)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the chain of its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _request(error: BaseException) -> Any:
    # Model clients have a `request` attribute like httpx, which raises if there is no request.
    request = _attribute(error, "request")
    is_whole = None not in (_attribute(request, "url"), _attribute(request, "method"))
    return request if is_whole else None


def _attribute(value: object, name: str) -> Any:
    """Return an attribute; `None` if there is none, or if it cannot be read."""
    with suppress(Exception):
        return getattr(value, name)
    return None


def _described(request: Any) -> str:
    # A password may come before the host, and some services take their key in the query.
    url = urlsplit(str(request.url))
    address = url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="").geturl()
    described = f"{request.method} {address}"
    with suppress(Exception):
        model = json.loads(request.content)["model"]
        described += f" (model {str(model)[:100]!r})"
    return described


def _explain_status(status: int, code: str) -> tuple[str, str] | None:
    if status in (401, 403):
        return (
            f"the key was refused ({status}). Check the API key, such as OPENAI_API_KEY, and that "
            "it is valid for this address.",
            _MISCONFIGURED,
        )
    if status == 404:
        return (
            "there is no such model or address (404). Check the model's name, such as "
            "OPENAI_MODEL, and the address, such as OPENAI_BASE_URL.",
            _MISCONFIGURED,
        )
    if status == 429 and code == "insufficient_quota":
        return "the account has no quota left (429). Check its plan and billing.", _MISCONFIGURED
    if status == 429:
        return "too many requests (429). Check the account's rate limits.", _BUSY
    if status >= 500:
        return f"the service has a problem ({status}). Check its status or its log.", _BROKEN
    return None


def _explain_connection(errors: list[BaseException]) -> tuple[str, str] | None:
    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in errors)

    if has(socket.gaierror):
        problem = "unknown host name. Check the address, such as OPENAI_BASE_URL."
    elif has(ConnectionRefusedError):
        problem = (
            "connection refused. Check that the service is running, and its address, such as "
            "OPENAI_BASE_URL."
        )
    elif has(ssl.SSLError):
        problem = "TLS failed. Check the address's https:// and the service's certificate."
    elif has(TimeoutError) or any("Timeout" in type(each).__name__ for each in errors):
        problem = "no answer in time. Check that the service is up and reachable from here."
    elif has(OSError) or any("Connect" in type(each).__name__ for each in errors):
        problem = "connection lost. Check that the service is running and reachable from here."
    else:
        return None
    return problem, _UNREACHABLE


def has_forgotten(error: BaseException) -> bool:
    """Return whether an error may mean that the service no longer has the conversation."""
    return any(_attribute(each, "status_code") in (400, 404, 410, 422) for each in causes_of(error))
