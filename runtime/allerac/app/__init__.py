"""The composition root: the only place that constructs and connects.

One file for each wing of the house; `runtime` starts and stops them in order, `web` puts HTTP in
front.
"""

from allerac.app.accounts import AccountSecrets
from allerac.app.hardware import read_hardware
from allerac.app.models import build_model_service
from allerac.app.runtime import Runtime
from allerac.app.web import create_app, openapi_document

__all__ = [
    "AccountSecrets",
    "Runtime",
    "build_model_service",
    "create_app",
    "openapi_document",
    "read_hardware",
]
