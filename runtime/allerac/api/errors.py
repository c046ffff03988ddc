"""Errors as HTTP: one table, one body."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from allerac.errors import (
    AlleracError,
    Conflict,
    ContextTooLong,
    DownloadFailed,
    EngineStopped,
    Forbidden,
    Gone,
    InsufficientDisk,
    InvalidInput,
    Misdirected,
    ModelDamaged,
    ModelError,
    NotFound,
    NotSignedIn,
    PayloadTooLarge,
    SecretLost,
    StorageDamaged,
    TooManyAttempts,
    Unavailable,
    UpdateFailed,
)

log = structlog.get_logger()

STATUS: dict[type[AlleracError], int] = {
    ContextTooLong: 400,
    InvalidInput: 422,
    NotSignedIn: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    PayloadTooLarge: 413,
    Misdirected: 421,
    TooManyAttempts: 429,
    EngineStopped: 503,
    Unavailable: 503,
    StorageDamaged: 500,
    SecretLost: 409,
    ModelDamaged: 422,
    DownloadFailed: 502,
    UpdateFailed: 502,
    ModelError: 500,
    InsufficientDisk: 507,
    AlleracError: 500,
}
"""HTTP status of each kind of error; the nearest class above counts."""

OPENAI_PREFIX = "/v1/"


def status_of(error: AlleracError) -> int:
    """Return the HTTP status for `error`."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_of(error: AlleracError) -> dict[str, object]:
    """Return the body's `error` object."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "fields": error.fields,
    }


def openai_problem_of(error: AlleracError) -> dict[str, object]:
    """Return `error` in OpenAI's form.

    Types and codes as in the error reference of OpenAI's API.
    """
    status = status_of(error)
    kinds = {401: "invalid_request_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    codes = {"not_signed_in": "invalid_api_key", "wrong_credentials": "invalid_api_key"}
    message = f"{error.message} {error.hint}".strip()
    parameter = next(iter(error.fields), None)
    code = codes.get(error.code, error.code)
    return {"message": message, "type": kind, "param": parameter, "code": code}


def error_response(error: AlleracError, path: str) -> JSONResponse:
    """Return the response for `error` in the dialect of the API at `path`."""
    is_openai = path.startswith(OPENAI_PREFIX)
    form = openai_problem_of if is_openai else problem_of
    status = status_of(error)
    if is_openai and status == 422:
        status = 400  # what OpenAI's own server says to a wrong value
    headers = {}
    wait = getattr(error, "retry_after_seconds", None)
    if wait is not None:
        headers["Retry-After"] = str(wait)
    return JSONResponse({"error": form(error)}, status_code=status, headers=headers)


def _field_name(location: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0] if location else "body")


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error with the one body, in the one place."""

    @app.exception_handler(AlleracError)
    async def known(request: Request, error: AlleracError) -> JSONResponse:
        if status_of(error) >= 500:
            log.warning("request_failed", code=error.code, path=request.url.path)
        return error_response(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = {_field_name(item["loc"]): str(item["msg"]) for item in error.errors()}
        problem = InvalidInput("Something in the request is not right.", fields=fields)
        if request.url.path.startswith(OPENAI_PREFIX):
            name, reason = next(iter(fields.items()))
            problem = InvalidInput(f"{name}: {reason}", fields=fields)
            return JSONResponse({"error": openai_problem_of(problem)}, status_code=400)
        return error_response(problem, request.url.path)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        known_kinds: dict[int, AlleracError] = {
            404: NotFound("There is nothing here."),
            405: InvalidInput("This address does not take that method."),
        }
        problem = known_kinds.get(error.status_code, InvalidInput(str(error.detail)))
        response = error_response(problem, request.url.path)
        response.status_code = error.status_code
        return response

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        log.exception("request_crashed", path=request.url.path, exc_info=error)
        problem = AlleracError(
            "Something went wrong inside the box.", hint="Try again; the box has noted what failed."
        )
        return error_response(problem, request.url.path)
