"""The web application as static files with immutable names."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from .auth import Anyone

IMMUTABLE = "public, max-age=31536000, immutable"


class HashedFiles(StaticFiles):
    """Files whose name changes with their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed through unchanged
        response.headers["Cache-Control"] = IMMUTABLE
        return response


def serve_web_application(app: FastAPI, folder: Path) -> None:
    """Serve the built application in `folder`; unknown pages are its own to route."""
    index = folder / "index.html"
    app.mount("/assets", HashedFiles(directory=folder / "assets", check_dir=False), name="assets")

    @app.get("/{path:path}", include_in_schema=False, dependencies=[Anyone])
    async def page(path: str, request: Request) -> Response:
        file = folder / path
        is_public = path and "/" not in path and not path.startswith(".") and file.is_file()
        if is_public:
            return FileResponse(file, headers={"Cache-Control": "no-cache"})
        wants_html = "text/html" in request.headers.get("accept", "")
        if path.startswith(("api/", "v1/")) or not wants_html or not index.is_file():
            raise HTTPException(404)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
