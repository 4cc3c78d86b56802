"""Turns errors into HTTP responses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatkit.errors import CustomStreamError
from chatkit.store import NotFoundError
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..server.dispatch import BUSY
from ..server.quotas import QuotaExceededError
from ..server.requests import RequestInvalidError, RequestTooComplexError
from ..stores.attachments.errors import AttachmentError
from ..stores.errors import ThreadBusyError
from ..stores.sql.availability import is_unavailable
from ..widgets.actions import RefusedActionError

logger = logging.getLogger(__name__)


@contextmanager
def failures_as_http() -> Iterator[None]:
    """Turn exceptions of a request's processing into HTTP errors for the client."""
    try:
        yield
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)[:5]
        )
        raise HTTPException(400, problems[:1000]) from error
    except QuotaExceededError as error:
        raise HTTPException(429, str(error), {"Retry-After": "60"}) from error
    except RequestTooComplexError as error:
        raise HTTPException(413, str(error)) from error
    except RequestInvalidError as error:
        raise HTTPException(400, str(error)) from error
    except AttachmentError as error:
        if error.status >= 500:
            logger.exception("The attachment storage failed.")
        raise HTTPException(error.status, error.message) from error
    except NotFoundError as error:
        raise HTTPException(404, "There is no such thread, item or attachment.") from error
    except RefusedActionError as error:
        raise HTTPException(400, str(error)) from error
    except ThreadBusyError as error:
        raise HTTPException(409, BUSY) from error
    except CustomStreamError as error:
        raise HTTPException(500, error.message) from error
    except NotImplementedError as error:
        logger.exception("A request needs a feature that the server does not implement.")
        raise HTTPException(501, "This server does not offer that.") from error
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            logger.exception("The database failed.")
        raise HTTPException(503, "The database does not respond. Try again later.") from error
    except ValueError as error:
        logger.exception("A request does not fit the state of its thread.")
        raise HTTPException(400, "The request does not fit the state of the thread.") from error


async def refuse(request: Request, error: Any) -> Response:
    """Return the response to a refused request, with the reason."""
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def fail(request: Request, error: Exception) -> Response:
    """Return the response to a failed request, without details."""
    return JSONResponse({"error": "Something went wrong."}, 500)
